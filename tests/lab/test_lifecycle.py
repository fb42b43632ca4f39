"""The lab itself: it comes up whole from any state, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv6Interface
from pathlib import Path

import pytest

from postvakt.lab import image
from postvakt.lab.lab import Lab, State
from postvakt.lab.machine import BOOT_ID
from postvakt.lab.process import Process, recorded, spawn, started, stop, wait_for
from postvakt.lab.system import LabError, locked
from postvakt.lab.topology import Machine, Segment

ROOT = Path(__file__).resolve().parents[2]
NORTH = Segment("br0", IPv4Interface("198.51.100.1/24"), IPv6Interface("2001:db8:47::1/64"))
SOUTH = Segment("br1", IPv4Interface("203.0.113.1/24"), IPv6Interface("2001:db8:1::1/64"))
MACHINES = (
    Machine(
        "a1.no",
        "a1.no.postvakt.example",
        IPv4Interface("198.51.100.10/24"),
        IPv6Interface("2001:db8:47::10/64"),
        NORTH,
    ),
    Machine(
        "b1.us",
        "b1.us.postvakt.example",
        IPv4Interface("203.0.113.40/24"),
        IPv6Interface("2001:db8:1::40/64"),
        SOUTH,
    ),
)
UP = """
import sys; sys.path.insert(0, {tests!r})
from pathlib import Path; from test_lifecycle import make
make(Path({root!r})).up()
"""


def make(root: Path) -> Lab:
    return Lab(root, ".lab", MACHINES, "198.51.100.1", "lab")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    found = make(tmp_path)
    yield found
    found.down(discard=True)


def output(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def processes(lab: Lab) -> set[int]:
    """Every process of a lab: by its control group, or by a path of the lab in its command line."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cgroup").read_text() + (folder / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        ours = f"/{lab.name}-" in words or str(lab.root) in words
        # One that has ended and only waits for the machine's init to notice is none any more.
        if ours and int(folder.name) != os.getpid() and started(int(folder.name)):
            found.add(int(folder.name))
    return found


def groups(lab: Lab) -> set[str]:
    """Every control group, in all hierarchies, but those of other labs, which come and go by themselves."""
    found = output("find", "/sys/fs/cgroup", "-type", "d").split()
    return {path for path in found if lab.name in path or not re.search("/pv-[0-9a-f]{6}-", path)}


def machine(lab: Lab) -> dict[str, object]:
    """What a lab could leave behind on this machine, but processes."""
    return {
        "mounts": Path("/proc/self/mountinfo").read_text(),
        "links": sorted(line.split()[1] for line in output("ip", "-o", "link").splitlines()),
        "addresses": sorted(line.split()[3] for line in output("ip", "-o", "addr").splitlines()),
        "routes": output("ip", "route", "show", "table", "all"),
        "namespace": lab.name in output("ip", "netns", "list"),
        "tables": output("nft", "list", "tables"),
        "forwarding": Path("/proc/sys/net/ipv4/ip_forward").read_text(),
        "groups": groups(lab),
    }


def test_up_makes_real_hosts_and_down_leaves_nothing(lab: Lab) -> None:
    before = machine(lab)
    assert processes(lab) == set()
    lab.up()
    assert machine(lab) != before, "the comparison must see a lab that is up"
    assert len(processes(lab)) > 2 * len(MACHINES), "and its processes"
    assert {one.state for one in lab.status()} == {State.RUNNING}
    assert lab.is_up()
    for one in MACHINES:
        said = output(*lab.ssh(one.name, ["hostname --fqdn; systemctl is-system-running"]))
        assert said.split() == [one.fqdn, "running"]
    other = MACHINES[1]
    for address in (other.ipv4.ip, other.ipv6.ip):
        script = f"exec 3<>/dev/tcp/{address}/22 && head -c 4 <&3"
        assert output(*lab.ssh("a1.no", [f"bash -c '{script}'"])) == "SSH-"
    lab.down()
    assert machine(lab) == before
    assert processes(lab) == set()


def test_a_second_up_finds_everything_there(lab: Lab) -> None:
    lab.up()
    before = [one.pid for one in lab.status()]
    lab.up()
    assert [one.pid for one in lab.status()] == before


def test_disks_outlive_down_unless_they_are_discarded(lab: Lab) -> None:
    lab.up()
    output(*lab.ssh("a1.no", ["echo kept > ~/kept"]))
    lab.down()
    assert {one.state for one in lab.status()} == {State.STOPPED}
    lab.up()
    assert output(*lab.ssh("a1.no", ["cat ~/kept"])) == "kept\n"
    lab.down(discard=True)
    assert {one.state for one in lab.status()} == {State.ABSENT}


def test_a_disk_that_the_machine_stopped_under_is_not_trusted(lab: Lab) -> None:
    """As after a crash of the machine: the hosts' marks are of another boot of it, and were not lifted."""
    lab.up()
    first, second = lab.containers.values()
    output(*lab.ssh("a1.no", ["echo lost > ~/kept"]))
    output(*lab.ssh("b1.us", ["echo kept > ~/kept"]))
    lab.down()
    assert not first.mark.exists()
    first.mark.write_text("another boot")
    told: list[tuple[str, str]] = []
    lab.up(lambda host, phase: told.append((host, phase)))
    assert [host for host, phase in told if "disk was lost" in phase] == ["a1.no"]
    assert output(*lab.ssh("a1.no", ["ls"])) == ""
    assert output(*lab.ssh("b1.us", ["cat kept"])) == "kept\n"
    assert first.mark.read_text() == second.mark.read_text() == BOOT_ID.read_text()
    assert first.disk.parent.stat().st_mode & 0o077 == 0


def test_a_disk_on_an_older_image_is_told_of(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = lab.containers.values()
    for one in lab.containers.values():
        one.disk.mkdir(parents=True)
        (one.disk / "image").write_text(image.key())
    (first.disk / "image").write_text("0123456789ab")
    assert lab.outdated() == (first.machine.name,)


def test_a_host_that_is_down_is_named(lab: Lab) -> None:
    lab.up()
    lab.stop(["b1.us"])
    with pytest.raises(LabError, match=r"^b1\.us of the lab is down: \./postvakt lab up"):
        lab.require_up()


def test_up_goes_on_wherever_it_was_killed(lab: Lab) -> None:
    script = UP.format(tests=str(Path(__file__).parent), root=str(lab.root))
    for delay in (0.05, 0.3, 0.6, 0.9, 1.5, 2.5):
        child = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
        try:
            child.wait(delay)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    lab.up()
    assert {one.state for one in lab.status()} == {State.RUNNING}
    for one in MACHINES:
        assert output(*lab.ssh(one.name, ["systemctl is-system-running"])) == "running\n"


def test_a_killed_host_is_booted_again(lab: Lab) -> None:
    lab.up()
    (first, second) = lab.status()
    assert first.pid
    os.kill(first.pid, signal.SIGKILL)
    assert wait_for(lambda: lab.status()[0].state is State.STOPPED, 10)
    assert not lab.is_up()
    lab.up()
    assert lab.is_up()
    assert lab.status()[1].pid == second.pid


def test_up_mends_a_down_that_was_killed(lab: Lab) -> None:
    lab.up()
    for one in lab.status():
        assert one.pid
        os.kill(one.pid, signal.SIGTERM)
    lab.up()
    assert lab.is_up()


def test_a_killed_image_build_leaves_nothing_that_could_do_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the builder's parent is killed, as by hand. What the build mounts (the machine's own /dev/shm
    among it) must be gone before anybody removes the unfinished tree."""
    monkeypatch.setenv("POSTVAKT_CACHE", str(tmp_path / "cache"))
    stage = image.path(f"{image.key()}.new")
    script = (
        "from pathlib import Path; from postvakt.lab import image; "
        f"image.build(Path({str(tmp_path / 'image.log')!r}))"
    )
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as canary:
        child = subprocess.Popen([sys.executable, "-c", script])
        assert wait_for((stage / "usr" / "bin").exists, 60), "the build must be under way"
        child.kill()
        child.wait()

        def gone() -> bool:
            return (
                str(stage) not in output("ps", "-e", "-o", "args=") + Path("/proc/self/mountinfo").read_text()
            )

        assert wait_for(gone, 10)
        assert stage.exists()
        image.build(tmp_path / "image.log")
        assert Path(canary.name).exists()
    assert not stage.exists()
    assert (image.path(image.key()) / "usr" / "bin").exists()


def test_a_file_where_the_namespace_was_is_no_hindrance(lab: Lab) -> None:
    lab.network.mark.parent.mkdir(parents=True)
    lab.network.mark.touch()
    lab.network.path.touch()
    lab.up()
    assert lab.is_up()


def test_two_at_once_is_one_too_many(tmp_path: Path) -> None:
    lab = make(tmp_path)
    with (
        locked(tmp_path / ".lab" / "lock"),
        pytest.raises(LabError, match=f"another ./postvakt works on this lab .process {os.getpid()}"),
    ):
        lab.up()


def test_a_foreign_namespace_of_our_name_is_left_alone(tmp_path: Path) -> None:
    lab = make(tmp_path)
    output("ip", "netns", "add", lab.name)
    try:
        with pytest.raises(LabError, match="this lab did not make"):
            lab.up()
    finally:
        output("ip", "netns", "delete", lab.name)
        lab.down()


def test_without_room_nothing_is_begun(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postvakt.lab.system.FREE_GIB", 10**6)
    with pytest.raises(LabError, match="GiB free and the lab needs"):
        lab.up()
    assert not lab.network.exists()


def test_a_person_who_is_not_root_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ROOT / "postvakt", "lab", "up"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "run it as root, or with sudo" in done.stderr


def test_verbs_that_need_the_lab_say_that_it_is_down(tmp_path: Path) -> None:
    lab = make(tmp_path)
    with pytest.raises(LabError, match=r"the lab is down: \./postvakt lab up"):
        lab.require_up()


def test_a_recycled_pid_is_never_signalled(tmp_path: Path) -> None:
    record = tmp_path / "pid"
    spawn(["sleep", "30"], record, tmp_path / "log")
    assert wait_for(lambda: recorded(record) is not None, 5)
    found = recorded(record)
    assert found is not None
    stranger = Process(found.pid, found.started - 1)
    stranger.signal(signal.SIGKILL)
    assert found.alive()
    stop(record, 5)
    assert not found.alive()
    assert not record.exists()
