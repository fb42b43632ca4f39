from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host


def test_packages_are_whole(host: Nouns, declared: Host) -> None:
    states = host.check_output("dpkg-query -W -f '${db:Status-Abbrev}\n' | sort -u").split()
    assert states == ["ii"]


def test_nothing_holds_services_back(host: Nouns, declared: Host) -> None:
    assert not host.file("/usr/sbin/policy-rc.d").exists


def test_recommended_packages_stay_away(host: Nouns, declared: Host) -> None:
    assert 'APT::Install-Recommends "false";' in host.check_output("apt-config dump")
