from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host


def test_the_arrival_account_has_lost_its_rights(host: Nouns, declared: Host) -> None:
    assert not host.file("/etc/sudoers.d/90-cloud-init-users").exists
