"""``postvakt dns check``: well for our domain, and it sees what is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from postvakt.lab.lab import Lab

Shell = Callable[[str, str], str]
PUBLISH = "/usr/lib/postvakt/publish"
LOOKS = ("DNSSEC", "MX", "reverse DNS", "DANE", "MTA-STS", "TLSRPT", "SPF", "DMARC", "CAA")


def check(domain: str) -> tuple[int, dict[str, str]]:
    """The exit code, and {what: yes or NO} of the table."""
    command = [sys.executable, "-m", "postvakt.cli", "dns", "check", domain]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = [line for line in done.stdout.splitlines() if line.startswith(LOOKS)]
    verdicts = {}
    for row in rows:
        (what,) = [one for one in LOOKS if row.startswith(one)]
        verdicts[what] = row.removeprefix(what).split()[0]
    return done.returncode, verdicts


def test_our_domain_is_as_it_must_be(lab: Lab) -> None:
    assert check("postvakt.example") == (0, dict.fromkeys(LOOKS, "yes"))


def test_another_domain_is_not(lab: Lab) -> None:
    """The other provider has signed DNS and MTA-STS, and nothing of the rest."""
    code, verdicts = check("elsewhere.example")
    assert code == 1
    assert (verdicts["DNSSEC"], verdicts["SPF"]) == ("yes", "yes")
    for what in ("reverse DNS", "DANE", "TLSRPT", "CAA", "MTA-STS"):
        assert verdicts[what] == "NO"


def test_a_key_that_dns_does_not_tell_is_seen(sh: Shell) -> None:
    """Other keys than those of the mail host are told; everything else stays well."""
    keys = "/usr/lib/postvakt/tls-keys records"
    try:
        sh("mail1.no", f"{keys} | sed -E 's/1 1 [0-9a-f]{{8}}/1 1 00000000/' | {PUBLISH} tlsa")
        code, verdicts = check("postvakt.example")
        assert code == 1
        assert verdicts == dict.fromkeys(LOOKS, "yes") | {"DANE": "NO"}
    finally:
        sh("mail1.no", f"{keys} | {PUBLISH} tlsa")
    assert check("postvakt.example")[0] == 0


def test_a_record_without_a_valid_signature_is_seen(sh: Shell) -> None:
    """The parent vouches for another key than the zone has: nothing below it is believed."""
    zone = "postvakt.example."
    sh("world", "systemctl stop registry.timer registry.service")
    present = sh("world", f"knotc zone-read example. {zone} DS").split("DS ")[1]
    other = "00" * 32
    begin = f"knotc zone-begin example. && knotc zone-unset example. {zone} DS"
    try:
        sh(
            "world",
            f"{begin} && knotc zone-set example. {zone} 60 DS 1 13 2 {other} && knotc zone-commit example.",
        )
        code, verdicts = check("postvakt.example")
        assert code == 1
        assert verdicts["DNSSEC"] == verdicts["SPF"] == "NO"
    finally:
        sh(
            "world",
            f"{begin} && knotc zone-set example. {zone} 60 DS {present} && knotc zone-commit example. && "
            "systemctl start registry.timer",
        )
    assert check("postvakt.example")[0] == 0
