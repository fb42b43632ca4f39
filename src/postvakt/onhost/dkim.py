#!/usr/bin/python3
"""The keys with which mail is signed (DKIM, RFC 6376 and RFC 8463): born here, and here they stay.

    dkim make DOMAIN...     make what is missing: a pair of keys that signs, and the pair after it
    dkim made DOMAIN...     exit 0 where that is so
    dkim records            the public keys as lines of a zone file
    dkim show               which pair signs, since when, and what is published
    dkim rotate [--dry-run] [--older-than DAYS]
                            sign with the next pair, and make and publish one after it

A pair is an RSA-2048 and an Ed25519 key. The next pair is published long before it signs, and a pair
that has signed stays published until no message of its time is on its way any more; its private keys
go when the timer comes by next. Exit codes: 0 done; 1 not so; 2 the world does not see
the next pair yet, or a name server did not take the records.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FOLDER = Path("/var/lib/postvakt/dkim")
STATE = FOLDER / "state.json"
KINDS = {"rsa": ["-t", "rsa", "-b", "2048"], "ed25519": ["-t", "ed25519"]}
PUBLISHED_DAYS = 14
"""How long a pair that signs no more stays published: a queue's two days, and time to read."""
TTL = 3600
LINGER = timedelta(hours=1)
"""How long a process of the signer may still be at work with keys that were exchanged."""
GROUP = "_rspamd"
PUBLISH = "/usr/lib/postvakt/publish"


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def load() -> dict[str, Any]:
    """{"domains": [...], "current": number, "since": time, "retired": {number: time}}."""
    if not STATE.exists():
        return {"domains": [], "current": 0, "since": now().isoformat(), "retired": {}}
    found = json.loads(STATE.read_text())
    assert isinstance(found, dict)
    return found


def write(path: Path, text: str, mode: int = 0o640) -> None:
    """Put a file in its place whole, for root and the signing program."""
    stage = path.with_name(f".{path.name}.new")
    stage.touch(mode=0o600)
    stage.write_text(text)
    shutil.chown(stage, "root", GROUP)
    stage.chmod(mode)
    stage.replace(path)


def selector(kind: str, number: int) -> str:
    return f"{kind}-{number}"


def make_pair(number: int) -> None:
    """Both keys of a pair; a pair that is there stays as it is."""
    place = FOLDER / str(number)
    if place.exists():
        return
    stage = FOLDER / f".{number}.new"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(mode=0o750)
    for kind, options in KINDS.items():
        key = stage / f"{kind}.key"
        words = ["rspamadm", "dkim_keygen", "-s", "x", "-d", "x", "-k", str(key), *options]
        said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        text = "".join(re.findall(r'"([^"]*)"', said)).replace("; ", ";").replace(";", "; ")
        (stage / f"{kind}.txt").write_text(text)
        shutil.chown(key, "root", GROUP)
        key.chmod(0o640)
    shutil.chown(stage, "root", GROUP)
    stage.rename(place)


def configure(state: dict[str, Any]) -> None:
    """What the signing program reads: with which keys mail of a domain is signed, and sealed (ARC)."""
    number = state["current"]
    chosen = {
        kind: f'{{ path = "{FOLDER}/{number}/{kind}.key"; selector = "{selector(kind, number)}"; }}'
        for kind in KINDS
    }
    sign = [f'  "{one}" {{ selectors = [{", ".join(chosen.values())}]; }}\n' for one in state["domains"]]
    seal = [f'  "{one}" {chosen["rsa"]}\n' for one in state["domains"]]
    write(FOLDER / "signing.conf", f"domain {{\n{''.join(sign)}}}\n")
    # Seals are RSA alone (RFC 8617 knows no other that everybody reads).
    write(FOLDER / "sealing.conf", f"domain {{\n{''.join(seal)}}}\n")


def save(state: dict[str, Any]) -> None:
    write(STATE, json.dumps(state, indent=2) + "\n")


def published(state: dict[str, Any]) -> list[int]:
    """The numbers of the pairs whose public keys the world must see."""
    kept = [
        int(number)
        for number, when in state["retired"].items()
        if now() - datetime.fromisoformat(when) < timedelta(days=PUBLISHED_DAYS)
    ]
    return [*sorted(kept), state["current"], state["current"] + 1]


def texts(number: int) -> dict[str, str]:
    """{selector: text of its record}."""
    return {selector(kind, number): (FOLDER / str(number) / f"{kind}.txt").read_text() for kind in KINDS}


def records(state: dict[str, Any]) -> list[str]:
    """Lines of a zone file. A string of a TXT record holds no more than 255 bytes (RFC 1035)."""
    lines = []
    for domain in state["domains"]:
        for number in published(state):
            for name, text in texts(number).items():
                parts = " ".join(f'"{text[at : at + 250]}"' for at in range(0, len(text), 250))
                lines.append(f"{name}._domainkey.{domain}. {TTL} TXT {parts}")
    return lines


def publish(state: dict[str, Any]) -> bool:
    """Hand the public keys to the name servers. Where one does not take them now, a timer tries again."""
    text = "".join(f"{line}\n" for line in records(state))
    done = subprocess.run([PUBLISH, "dkim"], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        print((done.stderr.strip().splitlines() or ["the records were not taken"])[-1], file=sys.stderr)
    return done.returncode == 0


def unseen(state: dict[str, Any]) -> list[str]:
    """The records of the next pair that the world does not show, asked of the validating resolver."""
    import dns.exception
    import dns.resolver

    missing = []
    for domain in state["domains"]:
        for name, text in texts(state["current"] + 1).items():
            place = f"{name}._domainkey.{domain}"
            try:
                answer = dns.resolver.resolve(place, "TXT", lifetime=10)
                found = [b"".join(row.strings).decode() for row in answer]
            except dns.exception.DNSException:
                found = []
            if found != [text]:
                missing.append(place)
    return missing


def complete(state: dict[str, Any], domains: Sequence[str]) -> bool:
    pairs = [FOLDER / str(number) for number in (state["current"], state["current"] + 1)]
    files = [FOLDER / "signing.conf", FOLDER / "sealing.conf", *pairs]
    return state["current"] > 0 and state["domains"] == list(domains) and all(map(Path.exists, files))


def make(state: dict[str, Any], domains: Sequence[str]) -> None:
    state["domains"] = list(domains)
    # Numbers begin with the time: a host made anew never gives a name to another key, since resolvers
    # remember the old one for a while.
    state["current"] = state["current"] or int(now().timestamp())
    for number in (state["current"], state["current"] + 1):
        make_pair(number)
    configure(state)
    save(state)


def tidy(state: dict[str, Any]) -> None:
    """Throw away what is over: private keys with which no process signs any more, and with their time
    the public ones."""
    for number, when in list(state["retired"].items()):
        if now() - datetime.fromisoformat(when) < LINGER:
            continue
        for key in (FOLDER / number).glob("*.key"):
            key.unlink()
        if int(number) not in published(state):
            del state["retired"][number]
            shutil.rmtree(FOLDER / number, ignore_errors=True)
    save(state)


def rotate(state: dict[str, Any], *, dry: bool, older_than: int) -> int:
    if not dry:
        tidy(state)
        if not publish(state):
            return 2
    age = now() - datetime.fromisoformat(state["since"])
    if age < timedelta(days=older_than):
        print(f"pair {state['current']} has signed for {age.days} days: not due before {older_than}")
        return 0
    if missing := unseen(state):
        print(
            f"dkim: the world does not see {missing[0]} as it is here: wait, or look at the name servers",
            file=sys.stderr,
        )
        return 2
    old, new = state["current"], state["current"] + 1
    if dry:
        print(f"would sign with pair {new} from now on, and keep pair {old} published")
        return 0
    make_pair(new + 1)
    state |= {"current": new, "since": now().isoformat()}
    state["retired"][str(old)] = now().isoformat()
    configure(state)
    save(state)
    subprocess.run(["systemctl", "reload", "rspamd"], check=True)
    print(f"pair {new} signs from now on; pair {old} stays published for {PUBLISHED_DAYS} days")
    return 0 if publish(state) else 2


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="dkim")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name in ("make", "made"):
        verbs.add_parser(name).add_argument("domains", nargs="+")
    verbs.add_parser("records")
    verbs.add_parser("show")
    turn = verbs.add_parser("rotate")
    turn.add_argument("--dry-run", action="store_true")
    turn.add_argument("--older-than", type=int, default=0, metavar="DAYS")
    options = parser.parse_args(argv)
    os.umask(0o027)
    lock = os.open(FOLDER, os.O_RDONLY)
    if options.verb in ("make", "rotate"):
        # One at a time: the timer, a deploy and an operator may come together.
        fcntl.flock(lock, fcntl.LOCK_EX)
    state = load()
    match options.verb:
        case "make":
            make(state, options.domains)
        case "made":
            return 0 if complete(state, options.domains) else 1
        case "records":
            print("\n".join(records(state)))
        case "show":
            print(json.dumps(state | {"published": published(state)}))
        case "rotate":
            return rotate(state, dry=options.dry_run, older_than=options.older_than)
    return 0


if __name__ == "__main__":
    sys.exit(main())
