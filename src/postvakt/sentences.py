"""A policy's text as sentences and digests, so that anybody can compare a text with the catalog.

The text itself is not kept here. docs/auditing.md says the rule in words.
"""

from __future__ import annotations

import re
from hashlib import sha256

LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
END = re.compile(r"(?<=[.!?])\s+(?=[A-Z“])")
GOES_ON = re.compile(r";( or| and)?$")


def paragraphs(markdown: str) -> list[str]:
    """Runs of lines and items of lists, without headings, quotations, links' targets and emphasis."""
    found: list[list[str]] = [[]]
    for line in (line.strip() for line in markdown.splitlines()):
        if not line or line.startswith(("#", ">")):
            found.append([])
        elif line.startswith("* "):
            found.append([line[2:]])
        else:
            found[-1].append(line)
    joined = (" ".join(lines) for lines in found if lines)
    return [" ".join(re.sub(r"[*_]", "", LINK.sub(r"\1", one)).split()) for one in joined]


def sentences(markdown: str) -> list[str]:
    """The sentences in order. Items of a list that end in a semicolon are one sentence with the next."""
    found: list[str] = []
    for paragraph in paragraphs(markdown):
        for sentence in END.split(paragraph):
            if found and GOES_ON.search(found[-1]):
                found[-1] += " " + sentence
            else:
                found.append(sentence)
    return found


def digest(sentence: str) -> str:
    """SHA-256 of the sentence in UTF-8, in hexadecimal."""
    return sha256(sentence.encode()).hexdigest()
