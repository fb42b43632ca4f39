"""Applying: nothing changes without cause, and what has changed is put right, services included."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from postvakt.lab.lab import Lab

Shell = Callable[[str, str], str]
HOST = "backup1.no"


def apply(*hosts: str, verb: str = "apply") -> dict[str, dict[str, list[str]]]:
    argv = [sys.executable, "-m", "postvakt.cli", verb, "--json", *hosts]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 2), done.stdout + done.stderr
    outcomes = {one["host"]: one for one in json.loads(done.stdout)}
    would_change = verb == "plan" and any(one["changed"] for one in outcomes.values())
    assert done.returncode == (2 if would_change else 0)
    return outcomes


def started(sh: Shell, unit: str) -> str:
    return sh(HOST, f"systemctl show --value -p ActiveEnterTimestampMonotonic {unit}")


def test_a_second_apply_changes_nothing_on_any_host(lab: Lab) -> None:
    apply()
    outcomes = apply()
    assert len(outcomes) == 6
    assert not any(one["changed"] for one in outcomes.values()), outcomes


def test_nothing_is_restarted_without_cause(lab: Lab, sh: Shell) -> None:
    apply(HOST)
    before = {unit: started(sh, unit) for unit in ("unbound", "ssh", "nftables")}
    apply(HOST)
    assert {unit: started(sh, unit) for unit in before} == before


def test_a_file_that_is_newer_than_its_service_restarts_it(lab: Lab, sh: Shell) -> None:
    """As after a run that was stopped between the file and the restart."""
    apply(HOST)
    before = started(sh, "unbound")
    sh(HOST, "touch /etc/unbound/unbound.conf")
    assert apply(HOST)[HOST]["changed"] == ["unbound.service"]
    assert started(sh, "unbound") != before
    assert apply(HOST)[HOST]["changed"] == []


def test_a_file_that_was_deleted_restarts_who_read_it(lab: Lab, sh: Shell) -> None:
    extra = "/etc/unbound/unbound.conf.d/extra.conf"
    sh(HOST, f"echo '# nothing' > {extra}")
    assert apply(HOST)[HOST]["changed"] == ["unbound.service"]
    assert apply(HOST)[HOST]["changed"] == []
    sh(HOST, f"rm {extra}")
    assert apply(HOST)[HOST]["changed"] == ["unbound.service"]
    assert apply(HOST)[HOST]["changed"] == []


def test_a_hand_edit_is_undone_and_forgotten(lab: Lab, sh: Shell) -> None:
    apply(HOST)
    before = started(sh, "unbound")
    sh(HOST, "sed -i 's/qname-minimisation: yes/qname-minimisation: no/' /etc/unbound/unbound.conf")
    planned = apply(HOST, verb="plan")[HOST]["changed"]
    assert planned == ["/etc/unbound/unbound.conf", "unbound.service"]
    assert apply(HOST)[HOST]["changed"] == planned
    assert started(sh, "unbound") != before
    assert "qname-minimisation: yes" in sh(HOST, "cat /etc/unbound/unbound.conf")


def test_an_upgraded_program_is_restarted(lab: Lab, sh: Shell) -> None:
    """The package's own restart is held back, as it is when an upgrade breaks off."""
    apply(HOST)
    before = started(sh, "unbound")
    sh(
        HOST,
        "printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d; "
        "NEEDRESTART_SUSPEND=1 DEBIAN_FRONTEND=noninteractive apt-get -q -y install --reinstall unbound",
    )
    assert started(sh, "unbound") == before
    assert apply(HOST)[HOST]["changed"] == ["no /usr/sbin/policy-rc.d", "unbound.service"]
    assert started(sh, "unbound") != before


def test_a_stopped_and_a_masked_service_come_back(lab: Lab, sh: Shell) -> None:
    apply(HOST)
    sh(HOST, "systemctl mask --now unbound")
    apply(HOST)
    assert sh(HOST, "systemctl is-active unbound; systemctl is-enabled unbound").split() == [
        "active",
        "enabled",
    ]


def test_a_bad_file_never_takes_its_place(lab: Lab, sh: Shell) -> None:
    """Validation is the program's own: what it refuses is not installed, and the old one stays."""
    sh(HOST, "mv /usr/sbin/nft /usr/sbin/nft.away; echo '# edited' >> /etc/nftables.conf")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "postvakt.cli", "apply", HOST],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert f"{HOST}: /etc/nftables.conf:" in done.stderr
        assert "# edited" in sh(HOST, "cat /etc/nftables.conf")
        assert sh(HOST, "ls -A /etc | grep postvakt || true") == ""
    finally:
        sh(HOST, "mv /usr/sbin/nft.away /usr/sbin/nft")
    assert apply(HOST)[HOST]["changed"][0] == "/etc/nftables.conf"
    assert apply(HOST)[HOST]["changed"] == []


@pytest.mark.parametrize("seconds", [1.2, 2.0, 3.5])
def test_an_apply_that_was_killed_is_finished_by_the_next(lab: Lab, sh: Shell, seconds: float) -> None:
    """Killed while packages are being installed; what it left on the host is put right."""
    sh(HOST, "DEBIAN_FRONTEND=noninteractive apt-get -q -y purge chrony dns-root-data unbound")
    argv = [sys.executable, "-m", "postvakt.cli", "apply", HOST]
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(seconds)
    child.kill()
    child.wait()
    apply(HOST)
    assert apply(HOST)[HOST]["changed"] == []
    assert sh(HOST, "systemctl is-active unbound; systemctl is-system-running").split() == [
        "active",
        "running",
    ]


def test_an_operator_whose_time_is_over_is_shut_out(lab: Lab, sh: Shell) -> None:
    sh(
        HOST,
        "useradd --create-home gammel; usermod -aG operators gammel; "
        "cp /etc/ssh/authorized_keys/kari /etc/ssh/authorized_keys/gammel",
    )
    try:
        assert apply(HOST)[HOST]["changed"] == ["no other operators"]
        assert "gammel" not in sh(HOST, "getent group operators; ls /etc/ssh/authorized_keys")
        assert sh(HOST, "getent shadow gammel | cut -d: -f8") == "1"
    finally:
        sh(HOST, "userdel --remove gammel")


def test_an_operator_whose_time_is_prolonged_gets_in_again(lab: Lab, sh: Shell) -> None:
    apply(HOST)
    sh(HOST, "usermod --expiredate 1 kari; gpasswd --delete kari operators")
    assert apply(HOST)[HOST]["changed"] == ["operator kari"]
    assert sh(HOST, "getent shadow kari | cut -d: -f8") == ""
    assert "kari" in sh(HOST, "getent group operators")
    assert apply(HOST)[HOST]["changed"] == []


@pytest.mark.parametrize("unit", ["unbound", "nftables"])
def test_the_service_is_one_that_starts_at_boot(lab: Lab, sh: Shell, unit: str) -> None:
    assert sh(HOST, f"systemctl is-enabled {unit}") == "enabled"
