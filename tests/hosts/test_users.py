from __future__ import annotations

from datetime import date

import pytest
from testinfra.host import Host as Nouns

from postvakt.clauses import Recorder
from postvakt.inventory import Host


@pytest.mark.clause("CNF-01")
def test_operators_are_the_declared_people(host: Nouns, declared: Host, observe: Recorder) -> None:
    today = date.fromisoformat(host.check_output("date --iso"))
    people = {one.name for one in declared.estate.operators if one.valid_until >= today}

    in_lab = host.check_output("systemd-detect-virt || true") == "systemd-nspawn"
    expected = people | ({"lab"} if in_lab else set())
    members = host.check_output("getent group operators | cut -d: -f4").split(",")
    observe(
        f"{len(expected)} operators, all declared",
        f"{len(members)}, {len(set(members) - expected)} undeclared",
    )
    assert set(members) == expected
    assert set(host.check_output("ls /etc/ssh/authorized_keys").split()) == expected


@pytest.mark.clause("CNF-01")
def test_nobody_else_becomes_root(host: Nouns, declared: Host, observe: Recorder) -> None:
    rules = host.check_output("ls /etc/sudoers.d").split()
    observe("2 files of rules", f"{len(rules)} files of rules")
    assert rules == ["README", "operators"]
    assert host.check_output("awk -F: '$3 == 0' /etc/passwd | wc -l") == "1"
    for name in ("sudo", "adm", "root"):
        assert host.check_output(f"getent group {name} | cut -d: -f4") == ""
