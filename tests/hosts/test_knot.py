from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind

KINDS = {Kind.DNS}


def test_the_zone_is_signed_and_answered(host: Nouns, declared: Host) -> None:
    zone = declared.estate.domain
    shown = host.check_output(f"kdig @{declared.ipv4.ip} +dnssec +noall +answer {zone} MX")
    assert "RRSIG" in shown
    assert f"mail1.no.{zone}." in shown


def test_it_gives_no_zone_away(host: Nouns, declared: Host) -> None:
    shown = host.run(f"kdig @{declared.ipv4.ip} {declared.estate.domain} AXFR 2>&1").stdout
    assert "NOTAUTH" in shown or "REFUSED" in shown


def test_it_answers_for_nobody_else(host: Nouns, declared: Host) -> None:
    shown = host.check_output(f"kdig @{declared.ipv4.ip} elsewhere.example SOA")
    assert "REFUSED" in shown


def test_it_does_not_tell_its_version(host: Nouns, declared: Host) -> None:
    shown = host.check_output(f"kdig @{declared.ipv4.ip} +short version.bind CH TXT")
    assert "Knot" not in shown
