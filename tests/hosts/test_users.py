from __future__ import annotations

from datetime import date

from testinfra.host import Host as Nouns

from postvakt.inventory import Host


def test_operators_are_the_declared_people(host: Nouns, declared: Host) -> None:
    today = date.fromisoformat(host.check_output("date --iso"))
    people = {one.name for one in declared.estate.operators if one.valid_until >= today}
    in_lab = host.check_output("systemd-detect-virt || true") == "systemd-nspawn"
    expected = people | ({"lab"} if in_lab else set())
    members = host.check_output("getent group operators | cut -d: -f4").split(",")
    assert set(members) == expected
    assert set(host.check_output("ls /etc/ssh/authorized_keys").split()) == expected


def test_nobody_else_becomes_root(host: Nouns, declared: Host) -> None:
    assert host.check_output("ls /etc/sudoers.d").split() == ["README", "operators"]
    assert host.check_output("awk -F: '$3 == 0' /etc/passwd | wc -l") == "1"
    for name in ("sudo", "adm", "root"):
        assert host.check_output(f"getent group {name} | cut -d: -f4") == ""
