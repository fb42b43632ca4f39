#!/usr/bin/python3
"""The part of a zone that other hosts know: their public keys, brought by the operator's program.

    published ZONE      take the records on standard input (zone-file lines) for the only ones

What is no TXT record of a DKIM key below the zone is refused, and so is what makes the zone unsound.
Says ``changed`` or ``same``. Exit codes: 0 done; 2 refused, and nothing was changed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path("/var/lib/knot/published")
ZONES = Path("/var/lib/knot/zones")
LINE = re.compile(r'[a-z0-9-]+\._domainkey\.(?P<domain>[a-z0-9.-]+\.) \d+ TXT( "[ !#-\[\]-~]{1,255}")+')


def refuse(line: str) -> int:
    print(f"published: {line}", file=sys.stderr)
    return 2


def main(zone: str) -> int:
    lines = sys.stdin.read().splitlines()
    for line in lines:
        found = LINE.fullmatch(line)
        if found is None or not f".{found['domain']}".endswith(f".{zone}"):
            return refuse(f"not a record of a key in {zone}: {line[:80]}")
    if not lines:
        return refuse("no record at all: nothing is taken away from the zone")
    place = FOLDER / f"{zone}zone"
    before = place.read_text()
    text = "".join(f"{line}\n" for line in lines)
    if text == before:
        print("same")
        return 0
    put(place, text)
    judged = subprocess.run(
        ["kzonecheck", "-o", zone, str(ZONES / f"{zone}zone")], capture_output=True, text=True, check=False
    )
    if judged.returncode:
        put(place, before)
        return refuse(f"{zone} would not be sound: {(judged.stdout + judged.stderr).strip()[-200:]}")
    subprocess.run(["knotc", "--blocking", "zone-reload", zone], check=True, capture_output=True)
    print("changed")
    return 0


def put(place: Path, text: str) -> None:
    stage = place.with_name(f".{place.name}.new")
    stage.write_text(text)
    shutil.chown(stage, "knot", "knot")
    stage.chmod(0o640)
    stage.replace(place)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
