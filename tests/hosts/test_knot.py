from __future__ import annotations

import pytest
from testinfra.host import Host as Nouns

from postvakt.clauses import Recorder
from postvakt.inventory import Host, Kind

KINDS = {Kind.DNS}


@pytest.mark.clause("SEC-04")
def test_the_zone_is_signed_and_answered(host: Nouns, declared: Host, observe: Recorder) -> None:
    zone = declared.estate.domain
    shown = host.check_output(f"kdig @{declared.ipv4.ip} +dnssec +noall +answer {zone} MX")
    observe("a signature with the answer", f"{shown.count('RRSIG')} signatures")
    assert "RRSIG" in shown
    assert f"mail1.no.{zone}." in shown


@pytest.mark.clause("SEC-03")
def test_the_world_is_told_how_to_know_our_mail(host: Nouns, declared: Host, observe: Recorder) -> None:
    zone = declared.estate.domain
    ask = f"kdig @{declared.ipv4.ip} +short TXT"
    spf, dmarc = (host.check_output(f"{ask} {name}") for name in (zone, f"_dmarc.{zone}"))
    observe("SPF ends in -all, DMARC p=reject", f"{'-all' in spf}, {'p=reject' in dmarc}")
    assert spf.strip('"').endswith(" -all")
    assert "p=reject" in dmarc


def test_it_gives_no_zone_away(host: Nouns, declared: Host, observe: Recorder) -> None:
    shown = host.run(f"kdig @{declared.ipv4.ip} {declared.estate.domain} AXFR 2>&1").stdout
    assert "NOTAUTH" in shown or "REFUSED" in shown


def test_it_answers_for_nobody_else(host: Nouns, declared: Host) -> None:
    shown = host.check_output(f"kdig @{declared.ipv4.ip} elsewhere.example SOA")
    assert "REFUSED" in shown


def test_it_does_not_tell_its_version(host: Nouns, declared: Host) -> None:
    shown = host.check_output(f"kdig @{declared.ipv4.ip} +short version.bind CH TXT")
    assert "Knot" not in shown
