"""The lab's parts that need neither root nor a host: addresses, keys, records of processes, mirrors."""

from __future__ import annotations

import os
import platform
import re
import signal
import subprocess
from ipaddress import IPv4Interface, IPv6Interface
from pathlib import Path

import pytest

from inventories.hosts import HOSTS
from postvakt.lab import image
from postvakt.lab.mirror import mirrors
from postvakt.lab.process import Process, recorded, spawn, started, stop, wait_for
from postvakt.lab.ssh import Keys
from postvakt.lab.system import LabError, locked, run
from postvakt.lab.topology import machines
from postvakt.lab.world.hosts import HOSTS as WORLD

SUITE = platform.freedesktop_os_release()["VERSION_CODENAME"]
DEB822 = f"""Types: deb
# http://elsewhere.example/debian
URIs: http://mirror.example/debian
Suites: {SUITE} {SUITE}-updates
Components: main

Types: deb
URIs: http://mirror.example/debian-security/
Suites: {SUITE}-security
Components: main
"""
ONE_LINE = f"""deb [arch=amd64] http://mirror.example/debian/ {SUITE} main
# deb http://elsewhere.example/debian {SUITE} main
deb http://mirror.example/debian-security {SUITE}-security main
"""


def test_a_network_is_one_segment_with_its_first_address_as_router() -> None:
    built = {one.name: one for one in machines((*HOSTS, *WORLD))}
    assert built["mail1.no"].segment is built["dns1.no"].segment
    assert built["mail1.no"].segment is not built["web1.us"].segment
    for one in built.values():
        assert one.segment.gateway4.network == one.ipv4.network
        assert one.segment.gateway6.network == one.ipv6.network
        assert (one.segment.gateway4, one.segment.gateway6) != (one.ipv4, one.ipv6)
    assert built["mail1.no"].segment.gateway4 == IPv4Interface("198.51.100.1/24")
    assert built["mail1.no"].segment.gateway6 == IPv6Interface("2001:db8:47::1/64")


def test_ssh_knows_every_host_before_the_first_connection(tmp_path: Path) -> None:
    every = machines((*HOSTS, *WORLD))
    keys = Keys(tmp_path, "ola")
    keys.up(every)
    assert keys.key.stat().st_mode & 0o077 == 0
    for one in every:
        for name in (one.name, one.fqdn):
            said = run(["ssh", "-G", "-F", str(keys.config), name]).lower().splitlines()
            assert f"hostname {one.ipv4.ip}" in said
            assert "user ola" in said
            assert "identitiesonly yes" in said
            assert "stricthostkeychecking true" in said
        for address in (one.fqdn, str(one.ipv4.ip), str(one.ipv6.ip)):
            found = run(["ssh-keygen", "-F", address, "-f", str(keys.known_hosts)])
            public = keys.host_key(one.name).with_name(f"{one.name}.pub").read_text().split()[1]
            assert public in found
    assert len({keys.host_key(one.name).read_text() for one in every}) == len(every)


def test_keys_are_made_once(tmp_path: Path) -> None:
    keys = Keys(tmp_path, "ola")
    keys.up(machines(WORLD))
    before = keys.key.read_text(), keys.known_hosts.read_text()
    keys.up(machines(WORLD))
    assert (keys.key.read_text(), keys.known_hosts.read_text()) == before


def test_a_number_used_again_is_another_process(tmp_path: Path) -> None:
    now = started(os.getpid())
    assert now is not None
    assert Process(os.getpid(), now).alive()
    assert not Process(os.getpid(), now - 1).alive()
    record = tmp_path / "one.pid"
    record.write_text(f"{os.getpid()} {now - 1}\n")
    assert recorded(record) is None
    stop(record, 1, signal.SIGKILL)
    assert not record.exists()


@pytest.mark.parametrize("text", ["", "12", "twelve 1 2"])
def test_a_torn_record_is_none(tmp_path: Path, text: str) -> None:
    record = tmp_path / "one.pid"
    record.write_text(text)
    assert recorded(record) is None
    assert recorded(tmp_path / "absent.pid") is None


def test_a_process_that_ended_is_not_alive() -> None:
    child = subprocess.Popen(["true"])
    assert wait_for(lambda: started(child.pid) is None, 10), "it waits to be reaped and is no process"
    child.wait()
    assert started(child.pid) is None


def test_a_spawned_process_is_recorded_logged_and_stopped(tmp_path: Path) -> None:
    record, log = tmp_path / "run" / "one.pid", tmp_path / "log" / "one.log"
    spawn(["sh", "-c", "echo said; exec sleep 60"], record, log)
    assert wait_for(lambda: log.read_text() == "said\n", 10)
    process = recorded(record)
    assert process is not None
    assert os.getsid(process.pid) != os.getsid(0)
    stop(record, 10)
    assert not process.alive()
    assert not record.exists()


def test_a_process_that_ignores_the_question_is_killed(tmp_path: Path) -> None:
    record, log = tmp_path / "one.pid", tmp_path / "one.log"
    spawn(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"], record, log)
    assert wait_for(lambda: log.read_text() == "ready\n", 10)
    process = recorded(record)
    assert process is not None
    stop(record, 0.3)
    assert not process.alive()


def test_a_lock_names_its_holder(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with (
        locked(lock),
        pytest.raises(LabError, match=f"busy .process {os.getpid()}"),
        locked(lock, "busy"),
    ):
        pass
    with locked(lock, "busy"):
        assert lock.read_text() == str(os.getpid())


@pytest.mark.parametrize(("name", "text"), [("sources.list.d/a.sources", DEB822), ("sources.list", ONE_LINE)])
def test_the_mirror_is_the_machines_own(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / name).write_text(text)
    (tmp_path / "sources.list.d" / "b.sources.disabled").write_text("URIs: http://off.example/debian\n")
    assert mirrors(tmp_path) == ("http://mirror.example/debian", "http://mirror.example/debian-security")


def test_without_a_mirror_of_debian_the_lab_says_so(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="set POSTVAKT_MIRROR"):
        mirrors(tmp_path, fallback=tmp_path / "absent")


def test_an_image_of_other_packages_is_another_image(monkeypatch: pytest.MonkeyPatch) -> None:
    before = image.key()
    assert re.fullmatch("[0-9a-f]{12}", before)
    assert image.key() == before
    monkeypatch.setattr(image, "PACKAGES", (*image.PACKAGES, "hello"))
    assert image.key() != before
