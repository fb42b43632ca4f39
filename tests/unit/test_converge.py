"""Decisions: from what a host is like to what is done. No host is needed for these."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy import facts
from deploy.converge import decide, in_order, staged
from deploy.facts import Found, Question, Snapshot, Unit
from deploy.ops import Absent, Directory, Ensure, File, Packages, Secret, Service

FILE = File("/etc/x", "content\n", "root", "root", 0o640)
RIGHT = Found("file", "root", "root", 0o640, sha256(b"content\n").hexdigest(), 5)


PLAIN = Unit(
    load="loaded",
    active="active",
    enabled="enabled",
    stale=False,
    started=100,
    reloaded=0,
    newest=50,
    unfit=False,
)


def test_a_file_that_is_right_is_left_alone() -> None:
    assert decide(FILE, Snapshot(files={FILE.path: RIGHT})) is None


@given(
    st.sampled_from(["file", "link", "directory"]),
    st.sampled_from(["root", "www-data"]),
    st.sampled_from(["root", "adm"]),
    st.sampled_from([0o640, 0o644, 0o600]),
    st.sampled_from([RIGHT.content, "0" * 64]),
)
def test_any_difference_is_put_right(kind: str, owner: str, group: str, mode: int, content: str) -> None:
    found = Found(kind, owner, group, mode, content, 5)
    same = found == RIGHT
    assert (decide(FILE, Snapshot(files={FILE.path: found})) is None) == same


def test_a_missing_file_is_made() -> None:
    action = decide(FILE, Snapshot(files={FILE.path: None}))
    assert action is not None
    assert action.stdin == "content\n"


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (PLAIN, None),
        (replace(PLAIN, newest=101), "systemctl restart"),
        (replace(PLAIN, active="inactive"), "systemctl start"),
        (replace(PLAIN, active="failed"), "systemctl start"),
        (replace(PLAIN, enabled="disabled"), "systemctl enable"),
        (replace(PLAIN, enabled="masked", load="masked", active="inactive"), "systemctl unmask"),
        (replace(PLAIN, enabled="static"), None),
        (replace(PLAIN, stale=True), "daemon-reload"),
    ],
)
def test_a_service_is_restarted_by_what_is_so(seen: Unit, said: str | None) -> None:
    action = decide(Service("x.service"), Snapshot(units={"x.service": seen}))
    assert (action is None) == (said is None)
    if action and said:
        assert said in action.script


def test_what_a_service_reads_counts() -> None:
    wanted = Service("x.service", reads=("/etc/x",))
    units = {"x.service": PLAIN}
    assert decide(wanted, Snapshot(units=units, newest={"/etc/x": 100})) is None
    assert decide(wanted, Snapshot(units=units, newest={"/etc/x": 101})) is not None


def test_a_reload_counts_where_reloading_is_enough() -> None:
    wanted = Service("x.service", reads=("/etc/x",), reload=True)
    later = Snapshot(units={"x.service": replace(PLAIN, reloaded=200)}, newest={"/etc/x": 150})
    assert decide(wanted, later) is None
    sooner = Snapshot(units={"x.service": replace(PLAIN, reloaded=140)}, newest={"/etc/x": 150})
    action = decide(wanted, sooner)
    assert action is not None
    assert "systemctl reload" in action.script


def test_a_unit_that_is_not_for_this_host_may_stay_down() -> None:
    seen = Snapshot(units={"x.service": replace(PLAIN, active="inactive", unfit=True)})
    assert decide(Service("x.service", conditional=True), seen) is None
    assert decide(Service("x.service"), seen) is not None


def test_a_secret_is_born_once() -> None:
    wanted = Secret("/etc/key", "openssl rand -hex 32")
    assert decide(wanted, Snapshot(files={"/etc/key": None})) is not None
    other = Found("file", "root", "root", 0o600, "anything", 1)
    assert decide(wanted, Snapshot(files={"/etc/key": other})) is None


def test_only_missing_packages_are_installed() -> None:
    action = decide(Packages(("a", "b")), Snapshot(packages={"a": "1"}))
    assert action is not None
    assert "install b\n" in action.script
    assert decide(Packages(("a",)), Snapshot(packages={"a": "1"})) is None


def test_all_packages_go_in_one_transaction() -> None:
    ordered = in_order([Directory("/d"), Packages(("a",)), FILE, Packages(("b", "a"))])
    assert ordered == [Directory("/d"), Packages(("a", "b")), FILE]


def test_absent_things_and_tested_states() -> None:
    assert decide(Absent("/x"), Snapshot(files={"/x": None})) is None
    assert decide(Absent("/x"), Snapshot(files={"/x": RIGHT})) is not None
    gone = replace(PLAIN, load="not-found", active="inactive")
    assert decide(Absent("x.service"), Snapshot(units={"x.service": gone})) is None
    assert decide(Absent("x.service"), Snapshot(units={"x.service": PLAIN})) is not None
    wanted = Ensure("t", unless="test 1", run="true")
    assert decide(wanted, Snapshot(tests={"test 1": True})) is None
    assert decide(wanted, Snapshot(tests={"test 1": False})) is not None


def run(script: str, stdin: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-euc", script], input=stdin, capture_output=True, text=True, check=False)


def test_a_file_is_in_its_place_at_once_or_not_at_all(tmp_path: Path) -> None:
    """The real script, run here: what its validator refuses leaves the old file and no scrap."""
    place = tmp_path / "deep" / "file"
    owner, group = tmp_path.owner(), tmp_path.group()

    def script(validate: str | None) -> str:
        return staged(str(place), owner, group, 0o600, "cat", validate)

    assert run(script("grep -q good %s"), "good\n").returncode == 0
    assert place.read_text() == "good\n"
    assert place.stat().st_mode & 0o777 == 0o600
    assert run(script("grep -q good %s"), "bad\n").returncode != 0
    assert place.read_text() == "good\n"
    assert [path.name for path in place.parent.iterdir()] == ["file"]


def test_a_directory_in_a_files_place_is_an_error_and_not_a_success(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.mkdir()
    done = run(staged(str(place), tmp_path.owner(), tmp_path.group(), 0o600, "cat", None), "text\n")
    assert done.returncode != 0
    assert list(place.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_probe_answers_on_this_machine(tmp_path: Path) -> None:
    """The real probe, run here on files that are known."""
    (tmp_path / "file").write_text("content\n")
    (tmp_path / "link").symlink_to("file")
    question = Question(
        files=(str(tmp_path / "file"), str(tmp_path / "link"), str(tmp_path / "none")),
        reads=(str(tmp_path), str(tmp_path / "none")),
        units=(),
        tests=("true", "false", "exit 3"),
        packages=True,
    )
    command, stdin = facts.command(question)
    done = run(command, stdin)
    assert done.returncode == 0, done.stderr
    seen = facts.read(done.stdout)
    file = seen.files[str(tmp_path / "file")]
    assert file is not None
    assert (file.kind, file.content) == ("file", RIGHT.content)
    link = seen.files[str(tmp_path / "link")]
    assert link is not None
    assert (link.kind, link.content) == ("link", "file")
    assert seen.files[str(tmp_path / "none")] is None
    assert seen.newest[str(tmp_path)] == (tmp_path / "link").lstat().st_ctime_ns
    assert seen.newest[str(tmp_path / "none")] == 0
    assert seen.tests == {"true": True, "false": False, "exit 3": False}
    assert "python3" in seen.packages


@pytest.mark.parametrize("answer", ["", "{", "{}", '{"files": {}}', "null", '{"files": []}'])
def test_half_an_answer_is_an_error(answer: str) -> None:
    with pytest.raises(facts.SnapshotError):
        facts.read(answer)


def test_times_of_units_are_read_to_the_microsecond() -> None:
    assert facts.moment("Tue 2026-11-24 04:22:06.123456 UTC") == 1795494126123456000
    assert facts.moment("") == facts.moment("n/a") == 0
