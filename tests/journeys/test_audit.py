"""``postvakt audit`` on the lab, as a person runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inventories.hosts import HOSTS
from postvakt.target import LAB, ROOT

HOST = "dns1.no"
CLAUSE = "DER-01"


def audit(*argv: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "postvakt.cli", "audit", *argv]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def only(into: Path) -> Path:
    (made,) = [path for path in into.iterdir() if path.is_dir()]
    return made


@pytest.fixture
def severed() -> Iterator[str]:
    """A host whose SSH port takes no packet from the machine, for a while."""
    (one,) = [each for each in HOSTS if each.name == HOST]
    rule = f"add rule ip severed output ip daddr {one.ipv4.ip} tcp dport 22 reject"
    table = "add table ip severed; add chain ip severed output { type filter hook output priority 0; }; "
    subprocess.run(["nft", table + rule], check=True)
    yield one.name
    subprocess.run(["nft", "delete table ip severed"], check=True)


def test_an_audit_of_one_promise(tmp_path: Path) -> None:
    done = audit("--clause", CLAUSE, "--host", HOST, "--into", str(tmp_path), "--timings")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "check the hosts" in done.stdout
    made = only(tmp_path)
    manifest = json.loads((made / "manifest.json").read_text())
    assert manifest["signed_by"] == "lab"
    assert manifest["hosts"][HOST]["reached"] is True
    assert abs(manifest["hosts"][HOST]["clock_ahead_ms"]) < 1000
    assert set(manifest["hosts_not_asked"]) == {one.name for one in HOSTS} - {HOST}
    verdicts = [json.loads(line) for line in (made / "verdicts.jsonl").read_text().splitlines()]
    assert [(one["clause"], one["host"], one["status"]) for one in verdicts] == [(CLAUSE, HOST, "satisfied")]
    results = [json.loads(line) for line in (made / "results.jsonl").read_text().splitlines()]
    assert results
    assert all(one["observations"] for one in results)
    assert CLAUSE in (made / "report.html").read_text()
    assert CLAUSE in (made / "rapport.html").read_text()
    whole = audit("verify", str(made))
    assert whole.returncode == 0, whole.stderr
    assert "signed by lab" in whole.stdout
    again = audit("--clause", CLAUSE, "--host", HOST, "--into", str(tmp_path), "--unsigned")
    assert again.returncode == 0, again.stdout + again.stderr
    newer = max(path for path in tmp_path.iterdir() if path.is_dir())
    assert json.loads((newer / "manifest.json").read_text())["previous"]["bundle"] == made.name
    unsigned = audit("verify", str(newer))
    assert (unsigned.returncode, "NOT SIGNED" in unsigned.stdout) == (1, True)
    difference = audit("diff", str(made), str(newer))
    assert "signed_by: lab -> " in difference.stdout
    assert "0 verdicts are different" in difference.stdout


def test_a_host_that_is_not_there_is_in_the_bundle(tmp_path: Path, severed: str) -> None:
    done = audit("--clause", CLAUSE, "--host", severed, "--host", "web1.us", "--into", str(tmp_path))
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"{severed} was not reached" in done.stderr
    made = only(tmp_path)
    assert json.loads((made / "manifest.json").read_text())["hosts_not_reached"] == [severed]
    verdicts = [json.loads(line) for line in (made / "verdicts.jsonl").read_text().splitlines()]
    assert {one["host"]: one["status"] for one in verdicts} == {severed: "error", "web1.us": "satisfied"}
    assert audit("verify", str(made)).returncode == 0


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--clause", "LOG-99"), "no clause LOG-99"),
        (("--host", "nowhere9"), "no host or kind is called nowhere9"),
        (("--key", "/nonexistent"), "there is no key /nonexistent"),
        (("--production",), "no key to sign with"),
        (("--into", "/proc/evidence"), "evidence cannot be written to /proc/evidence"),
    ],
)
def test_what_is_wrong_is_one_line_before_a_host_is_touched(argv: tuple[str, ...], said: str) -> None:
    log = LAB.results.stat().st_mtime_ns
    done = audit(*argv)
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert LAB.results.stat().st_mtime_ns == log
