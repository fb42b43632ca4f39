"""Finds every record of mail delivery that lies on a host, whatever wrote it, and tells how old it is.

Run as root with the folders to look through as arguments; reads only. Prints one line of JSON: for each
file with such records, and for each file of a journal, ``records`` and ``oldest`` (seconds since the
epoch); and ``unread``, the files that it could not read, of which nothing may be claimed. A record
without a time of its own is as old as its file's last change. It prints no line of what it reads.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import json
import lzma
import os
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

RECORD = re.compile(
    rb"\b(postfix|dovecot|rspamd|sendmail|exim)[\w/-]*\[\d+\]: "
    rb"|\b(from|to|orig_to|msgid|message-id|rcpt|sender)=<[^>]*>",
    re.IGNORECASE,
)
ISO = re.compile(rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,]\d+)?(Z|[+-]\d\d:?\d\d)?")
SYSLOG = re.compile(rb"([A-Z][a-z]{2}) +(\d{1,2}) (\d\d:\d\d:\d\d)")
EPOCH = re.compile(rb"\b(\d{10})(?:\.\d+)?\b")
JOURNAL = re.compile(r"\.journal~?$")
ELSEWHERE = {"apt", "dpkg", "postgresql"}
"""Below /var/lib: what packages are, and a database, which is asked in its own language."""


def opened(path: Path) -> IO[bytes] | gzip.GzipFile | lzma.LZMAFile | bz2.BZ2File:
    with path.open("rb") as file:
        head = file.read(6)
    if head.startswith(b"\x1f\x8b"):
        return gzip.open(path, "rb")
    if head.startswith(b"\xfd7zXZ"):
        return lzma.open(path, "rb")
    if head.startswith(b"BZh"):
        return bz2.open(path, "rb")
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        raise OSError("zstd")
    return path.open("rb")


def told(line: bytes) -> float | None:
    """When a line says that it was written, in seconds since the epoch; its zone, or the host's."""
    if found := ISO.search(line):
        day, clock, zone = (part.decode() if part else "" for part in found.groups())
        moment = datetime.fromisoformat(f"{day}T{clock}{zone.replace('Z', '+00:00')}")
        return moment.timestamp()
    if found := SYSLOG.match(line):
        month, date, clock = (part.decode() for part in found.groups())
        now = time.time()
        for year in (datetime.now(UTC).year + 1 - back for back in range(3)):
            with contextlib.suppress(ValueError):
                moment = datetime.strptime(f"{year} {month} {date} {clock}", "%Y %b %d %H:%M:%S").astimezone()
                # A line of this kind names no year: it is the latest that is not to come.
                if moment.timestamp() < now + 86400:
                    return moment.timestamp()
    if found := EPOCH.search(line):
        return float(found[1])
    return None


def of_text(path: Path) -> tuple[int, float] | None:
    changed = path.stat().st_mtime
    count, oldest = 0, float("inf")
    with opened(path) as file:
        for line in file:
            if RECORD.search(line):
                count += 1
                moment = told(line)
                oldest = min(oldest, changed if moment is None else moment)
    return (count, oldest) if count else None


def of_journal(path: Path) -> tuple[int, float] | None:
    command = ["journalctl", "--quiet", "--output=short-unix", f"--file={path}", "--lines=+1"]
    first = subprocess.run(command, capture_output=True, check=True).stdout.split()
    return (1, float(first[0])) if first else None


def files(roots: list[str]) -> Iterator[Path]:
    for root in roots:
        for folder, below, names in os.walk(root):
            if folder == "/var/lib":
                below[:] = [name for name in below if name not in ELSEWHERE]
            for name in names:
                path = Path(folder, name)
                if path.is_file() and not path.is_symlink():
                    yield path


def main(roots: list[str]) -> None:
    sources: dict[str, dict[str, Any]] = {}
    unread: list[str] = []
    for path in files(roots):
        look = of_journal if JOURNAL.search(path.name) else of_text
        try:
            found = look(path)
        except FileNotFoundError:
            continue
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, subprocess.CalledProcessError):
            unread.append(str(path))
            continue
        if found:
            sources[str(path)] = {"records": found[0], "oldest": found[1]}
    print(json.dumps({"now": time.time(), "sources": sources, "unread": unread}))


if __name__ == "__main__":
    main(sys.argv[1:])
