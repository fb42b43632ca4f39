#!/usr/bin/python3
"""Publishes public DNS records that are born on this host: on its name servers, for its own names only.

    publish SET < RECORDS     SET is this from now on; send everything to every name server
    publish                   send everything again
    publish --is SET < RECORDS   exit 0 where SET is exactly this and every name server has taken it

A record is one line of a zone file with everything said: ``_25._tcp.HOST. 300 TLSA 3 1 1 DIGEST``. The
host proves itself with its SSH host key, which the name server has pinned. Exit codes: 0 done; 1 not so,
or a name server did not take it; 2 bad usage.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

SETS = Path("/var/lib/postvakt/records")
TAKEN = Path("/var/lib/postvakt/records-taken")
SERVERS = Path("/etc/postvakt/nameservers")
"""One line a server: its name, its address."""
KNOWN = "/etc/postvakt/nameservers.keys"
KEY = "/etc/ssh/ssh_host_ed25519_key"
SECONDS = 30


def servers() -> list[list[str]]:
    return [line.split() for line in SERVERS.read_text().splitlines() if not line.startswith("#")]


def write(path: Path, text: str) -> None:
    """The whole text or nothing of it, readable for everybody: it is public. The file's time tells since
    when it has said the same."""
    if path.exists() and path.read_text() == text:
        return
    stage = path.with_name(f".{path.name}.new")
    stage.write_text(text)
    stage.chmod(0o644)
    os.replace(stage, path)


def everything() -> str:
    return "".join(path.read_text() for path in sorted(SETS.glob("[a-z]*")))


def send(text: str) -> bool:
    """Hand the records to every name server; a server that has taken them is noted."""
    well = True
    digest = sha256(text.encode()).hexdigest()
    for name, address in servers():
        done = subprocess.run(
            [
                "ssh", "-F", "none", "-i", KEY, "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes",
                "-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={KNOWN}",
                "-o", "GlobalKnownHostsFile=none", "-o", "UpdateHostKeys=no", "-o", "LogLevel=ERROR",
                "-o", f"HostKeyAlias={name}", "-o", "ConnectTimeout=10", f"publisher@{address}",
            ],
            input=text, capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            print(f"error: {name} did not take the records: {said}", file=sys.stderr)
            well = False
        else:
            write(TAKEN / name, digest)
    return well


def has_taken(name: str, digest: str) -> bool:
    return (TAKEN / name).exists() and (TAKEN / name).read_text() == digest


def main(words: list[str]) -> int:
    for folder in (SETS, TAKEN):
        folder.mkdir(parents=True, exist_ok=True)
    if not words:
        return 0 if send(everything()) else 1
    if not re.fullmatch(r"[a-z]+", words[-1]) or words[:-1] not in ([], ["--is"]):
        print("usage: publish [[--is] SET] < RECORDS", file=sys.stderr)
        return 2
    path, wanted = SETS / words[-1], sys.stdin.read()
    if words[0] == "--is":
        same = path.exists() and path.read_text() == wanted
        digest = sha256(everything().encode()).hexdigest()
        return 0 if same and all(has_taken(name, digest) for name, _ in servers()) else 1
    write(path, wanted)
    return 0 if send(everything()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
