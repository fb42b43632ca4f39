"""Runs on the lab's client: lists what TLS servers agree to. Standard library and OpenSSL only.

Standard input: a JSON list of [address, port, name, STARTTLS protocol or ""]. Standard output: a JSON list
of what each agreed to: ``versions``, ``ciphers`` and ``groups`` (those that a handshake ended with),
``chain`` (PEM certificates), ``session`` (what OpenSSL says of one handshake of TLS 1.2).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

VERSIONS = ("-tls1", "-tls1_1", "-tls1_2", "-tls1_3")
GROUPS = (
    "X25519MLKEM768", "X25519", "P-256", "P-384", "P-521", "X448", "brainpoolP256r1", "ffdhe2048",
)  # fmt: skip
ALL = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
DONE = re.compile(r"^New, (\S+), Cipher is (?!\(NONE\))(\S+)$", re.MULTILINE)


def say(target: list[Any], *words: str) -> str:
    address, port, name, starttls = target
    command = ["openssl", "s_client", "-connect", f"{address}:{port}", "-servername", name]
    command += ["-starttls", starttls] if starttls else []
    done = subprocess.run(
        [*command, *words], input="", capture_output=True, text=True, timeout=20, check=False
    )
    return done.stdout


def agreed(target: list[Any], *words: str) -> str | None:
    """The cipher that a handshake ended with."""
    found = DONE.search(say(target, *words))
    return found[2] if found else None


def ciphers(version: str) -> list[str]:
    shown = subprocess.run(
        ["openssl", "ciphers", "-s", version, ALL], capture_output=True, text=True, check=True
    )
    return shown.stdout.strip().split(":")


def probe(target: list[Any]) -> dict[str, Any]:
    versions = [one for one in VERSIONS if agreed(target, one, "-cipher", ALL)]
    found = {}
    for version in versions:
        option = "-ciphersuites" if version == "-tls1_3" else "-cipher"
        names = [name for name in ciphers(version) if (name[:4] == "TLS_") == (version == "-tls1_3")]
        weak = "" if version == "-tls1_3" else ":@SECLEVEL=0"
        found[version] = [name for name in names if agreed(target, version, option, f"{name}{weak}") == name]
    new = say(target, "-showcerts")
    return {
        "versions": versions,
        "ciphers": found,
        "groups": [one for one in GROUPS if agreed(target, "-groups", one)],
        "chain": re.findall("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", new, re.DOTALL),
        "session": say(target, "-tls1_2", "-cipher", ALL),
    }


with ThreadPoolExecutor(6) as pool:
    json.dump(list(pool.map(probe, json.load(sys.stdin))), sys.stdout)
