#!/usr/bin/python3
"""Takes the public records of one host, on standard input: the only thing that its key opens here.

    take-records HOST < RECORDS

Every line must be a record that this host may publish (``/etc/postvakt/publishers/HOST``), or nothing
is taken. Knot includes the file that is written, and has read it when this ends. Exit codes: 0 taken;
1 refused, or Knot cannot be told yet.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from pathlib import Path

ALLOWED = Path("/etc/postvakt/publishers")
PUBLISHED = Path("/var/lib/postvakt/published")
RELOAD = "/run/postvakt-published.socket"
RELOAD_SECONDS = 20
LINE = re.compile(r"([a-z0-9_-]{1,63})(\.\S+\.) ([0-9]{1,6}) (TLSA|TXT) (.+)")
DATA = {
    "TLSA": re.compile(r"3 1 1 [0-9a-f]{64}"),
    # Quoted strings of printable ASCII, with nothing in them that a zone file gives a meaning to.
    "TXT": re.compile(r'"[ !#-\[\]-~]{1,255}"( "[ !#-\[\]-~]{1,255}")*'),
}
MAX_RECORDS = 200
MAX_TTL = 86400


def allowed(host: str) -> set[tuple[str, str]]:
    """{(type, everything of the name after its first label)}"""
    rows = [line.split() for line in (ALLOWED / host).read_text().splitlines()]
    return {(kind, suffix) for kind, suffix in (row for row in rows if row and row[0] != "#")}


def refusal(line: str, may: set[tuple[str, str]]) -> str | None:
    """Why a record is not taken; None where it is."""
    found = LINE.fullmatch(line)
    if not found:
        return "is no record of the form NAME TTL TYPE DATA"
    _, suffix, ttl, kind, data = found.groups()
    if (kind, suffix) not in may:
        return f"is not this host's to publish: {kind} below {suffix}"
    if not DATA[kind].fullmatch(data) or not 1 <= int(ttl) <= MAX_TTL:
        return f"has data that no {kind} record of ours has"
    return None


def main(host: str) -> int:
    lines = sys.stdin.read(1 << 20).splitlines()
    may = allowed(host)
    if len(lines) > MAX_RECORDS:
        print(f"{len(lines)} records: more than {MAX_RECORDS} are not taken", file=sys.stderr)
        return 1
    for line in lines:
        if why := refusal(line, may):
            print(f"{line[:80]!r} {why}", file=sys.stderr)
            return 1
    place = PUBLISHED / host
    stage = place.with_name(f".{host}.new")
    stage.write_text("".join(f"{line}\n" for line in lines))
    stage.chmod(0o644)
    os.replace(stage, place)
    return reload()


def reload() -> int:
    """Have Knot read the zone's file again; what it says of that ends with the connection."""
    with socket.socket(socket.AF_UNIX) as knot:
        knot.settimeout(RELOAD_SECONDS)
        try:
            knot.connect(RELOAD)
            said = b"".join(iter(lambda: knot.recv(4096), b"")).decode()
        except OSError as error:
            said = str(error)
    if said.strip() != "OK":
        print(f"Knot does not read the records: {said.strip()}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
