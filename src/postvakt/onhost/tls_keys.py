#!/usr/bin/python3
"""The host's two TLS keys: the one in use and the next one, both told by DANE (RFC 7671, RFC 7672).

    tls-keys records     the TLSA records of both keys, one a line
    tls-keys status      what is in use since when, as JSON
    tls-keys install     put the key in use and its certificates where the services read them
    tls-keys installed   exit 0 where they are there
    tls-keys rotate [--dry-run] [--older-than DAYS]

A rollover happens only when the world has known the next key for two lifetimes of the record, so that
nobody still remembers a set without it. The old key's place then gets a new key, which is told at once.
Exit codes: 0 done; 1 not so, or not possible yet; 2 bad usage.
"""

from __future__ import annotations

import argparse
import configparser
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

CONFIG = Path("/etc/postvakt/tls-keys.conf")
LIVE = Path("/etc/letsencrypt/live")
STATE = Path("/var/lib/postvakt/tls/state.json")
PUBLISH = "/usr/lib/postvakt/publish"
TOLD = (Path("/var/lib/postvakt/records/tlsa"), *Path("/var/lib/postvakt/records-taken").glob("*"))
RESOLVER = "127.0.0.1"
"""Unbound on this host: it has validated what it says so of, and nobody stands in between."""
DAY = 86400


class RefusalError(Exception):
    """One line: what is not possible, and why."""


class Keys:
    def __init__(self) -> None:
        said = configparser.ConfigParser()
        said.read_string(CONFIG.read_text())
        self.said = said["tls"]
        self.host, self.pem = self.said["host"], Path(self.said["pem"])
        self.ports, self.ttl = self.said["ports"].split(), int(self.said["ttl"])
        self.lineages = self.said["lineages"].split()
        self.state: dict[str, Any] = {"active": self.lineages[0], "since": 0, "spent": False}
        if STATE.exists():
            self.state |= json.loads(STATE.read_text())

    @property
    def active(self) -> str:
        return str(self.state["active"])

    @property
    def next(self) -> str:
        (other,) = [name for name in self.lineages if name != self.active]
        return other

    def save(self) -> None:
        write(STATE, json.dumps(self.state).encode(), 0o644)

    def records(self) -> str:
        return "".join(
            f"_{port}._tcp.{self.host}. {self.ttl} TLSA 3 1 1 {digest(name)}\n"
            for port in self.ports
            for name in (self.active, self.next)
        )

    def wanted(self) -> bytes:
        folder = LIVE / self.active
        return (folder / "privkey.pem").read_bytes() + (folder / "fullchain.pem").read_bytes()

    def installed(self) -> bool:
        return self.pem.exists() and self.pem.read_bytes() == self.wanted()

    def install(self) -> None:
        if self.installed():
            return
        write(self.pem, self.wanted(), 0o600)
        for verb, units in (("try-restart", "restart"), ("try-reload-or-restart", "reload")):
            run("systemctl", verb, *self.said[units].split())

    def told_since(self) -> float:
        """Since when every name server has these records."""
        return max((path.stat().st_mtime for path in TOLD if path.exists()), default=time.time())

    def hindrances(self) -> list[str]:
        """Why the next key cannot take over yet; nothing where it can."""
        why = []
        fullchain = LIVE / self.next / "fullchain.pem"
        ends = subprocess.run(
            ["openssl", "x509", "-noout", "-checkend", str(14 * DAY), "-in", str(fullchain)],
            capture_output=True,
            check=False,
        )
        if ends.returncode:
            why.append(f"the certificate of the next key has less than 14 days left: {fullchain}")
        waited = time.time() - self.told_since()
        if waited < 2 * self.ttl:
            why.append(f"the next key has been told for {waited:.0f} s, and must be for {2 * self.ttl} s")
        name = f"_25._tcp.{self.host}"
        seen = validated(name)
        why += [
            f"the world does not see the key of {lineage} at {name} with a valid signature"
            for lineage in (self.active, self.next)
            if digest(lineage) not in seen
        ]
        return why

    def rotate(self, dry_run: bool, older_than: int) -> str:
        age = (time.time() - self.state["since"]) / DAY
        if self.state["spent"]:
            if dry_run:
                return f"would finish the last rollover: a new key for {self.next}"
            return self.renew()
        if older_than and not self.state["since"]:
            # The first key's age counts from now.
            if not dry_run:
                self.state["since"] = int(time.time())
                self.save()
            return "the key in use is new"
        if older_than and age < older_than:
            return f"the key in use is {age:.0f} days old; it may be {older_than}"
        if why := self.hindrances():
            raise RefusalError("; ".join(why))
        if dry_run:
            return f"would put {digest(self.next)} in the place of {digest(self.active)}"
        self.state = {"active": self.next, "since": int(time.time()), "spent": True}
        self.save()
        self.install()
        return self.renew()

    def renew(self) -> str:
        """Make the key that is no longer in use anew, and tell the world of it."""
        run(
            "certbot", "renew", "--quiet", "--no-random-sleep-on-renew", "--force-renewal", "--new-key",
            "--cert-name", self.next,
        )  # fmt: skip
        self.state["spent"] = False
        self.save()
        run(PUBLISH, "tlsa", text=self.records())
        return f"in use: {digest(self.active)}; next: {digest(self.next)}"


def run(*words: str, text: str = "") -> None:
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise RefusalError(f"{' '.join(words[:3])}: it said: {said}")


def digest(lineage: str) -> str:
    """SHA-256 of the public key (SubjectPublicKeyInfo), in hex: the data of a TLSA 3 1 1 record."""
    path = str(LIVE / lineage / "privkey.pem")
    words = ["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"]
    done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode:
        raise RefusalError(f"{path} cannot be read: is the certificate there?")
    return sha256(done.stdout).hexdigest()


def validated(name: str) -> set[str]:
    """The digests that the world sees at a name, none where their signature was not validated."""
    message, query, flags = (import_module(f"dns.{part}") for part in ("message", "query", "flags"))
    answer = query.udp_with_fallback(
        message.make_query(name, "TLSA", want_dnssec=True, flags=flags.RD | flags.AD), RESOLVER, timeout=10
    )[0]
    if not answer.flags & flags.AD:
        return set()
    return {row.cert.hex() for rrset in answer.answer for row in rrset if hasattr(row, "cert")}


def write(path: Path, content: bytes, mode: int) -> None:
    """All of it or nothing, and never readable for a moment."""
    stage = path.with_name(f".{path.name}.new")
    stage.unlink(missing_ok=True)
    with open(os.open(stage, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    os.replace(stage, path)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tls-keys")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("records", "status", "install", "installed"):
        verbs.add_parser(verb)
    rotate = verbs.add_parser("rotate")
    rotate.add_argument("--dry-run", action="store_true")
    rotate.add_argument("--older-than", type=int, default=0, metavar="DAYS")
    options = parser.parse_args(words)
    try:
        with open("/run/lock/postvakt-tls-keys", "w") as lock:
            # ``certbot renew`` within a rotation calls back to install; that changes nothing then.
            if options.verb == "rotate":
                fcntl.flock(lock, fcntl.LOCK_EX)
            keys = Keys()
            match options.verb:
                case "records":
                    print(keys.records(), end="")
                case "status":
                    digests = {"in_use": digest(keys.active), "next": digest(keys.next)}
                    print(json.dumps(keys.state | digests))
                case "install":
                    keys.install()
                case "installed":
                    return 0 if keys.installed() else 1
                case "rotate":
                    print(keys.rotate(options.dry_run, options.older_than))
    except RefusalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
