"""What is different between two bundles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postvakt.evidence.seal import MANIFEST, EvidenceError, read_manifest

VERDICTS = "verdicts.jsonl"
ABSENT = "not in the bundle"


@dataclass(frozen=True)
class Change:
    """``host`` is empty for the provider."""

    clause: str
    host: str
    before: str
    after: str


def manifest_of(folder: Path) -> dict[str, Any]:
    """Raises EvidenceError where there is none."""
    try:
        return read_manifest(folder.name, (folder / MANIFEST).read_bytes())
    except OSError as error:
        raise EvidenceError(f"{folder} is no bundle: {error.strerror}") from error


def verdicts_of(folder: Path) -> dict[tuple[str, str], str]:
    """The status of each clause on each host. Raises EvidenceError where the file is not as it must be."""
    try:
        rows = [json.loads(line) for line in (folder / VERDICTS).read_text().splitlines()]
        return {(one["clause"], one["host"]): one["status"] for one in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvidenceError(f"{folder / VERDICTS} cannot be read: {error}") from error


def changes(before: Mapping[tuple[str, str], str], after: Mapping[tuple[str, str], str]) -> list[Change]:
    """Every clause and host whose status is another, in the order of the newer bundle."""
    pairs = dict.fromkeys((*after, *before))
    found = [Change(*pair, before.get(pair, ABSENT), after.get(pair, ABSENT)) for pair in pairs]
    return [one for one in found if one.before != one.after]


def circumstances(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What else is different: the promises, the estate, the code, the hosts that were reached."""
    found = []
    for key, old in before["policy"].items():
        if old != after["policy"].get(key):
            found.append(f"{key}: {old} -> {after['policy'].get(key)}")
    keys = ("commit", "tools", "only_clauses", "hosts_not_reached", "hosts_not_asked", "signed_by")
    return found + [f"{key}: {before[key]} -> {after[key]}" for key in keys if before[key] != after[key]]
