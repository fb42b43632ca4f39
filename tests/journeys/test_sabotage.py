"""Every check of a clause is seen red: a host is spoilt, the check says so and no other, and it is mended."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from postvakt.lab.lab import Lab
from postvakt.results import Result, read
from postvakt.status import Status
from postvakt.strict import record, table_of
from postvakt.target import ROOT


@dataclass(frozen=True)
class Sabotage:
    """``spoil`` and ``mend`` are shell scripts, run as root; ``red`` are the checks that must see it."""

    clause: str
    host: str
    red: tuple[str, ...]
    why: str
    spoil: str
    mend: str


def _sabotages() -> list[Sabotage]:
    path = ROOT / "tests" / "sabotage.toml"
    tables: list[Any] = table_of(path.name, path.read_text(), ("sabotage",))["sabotage"]
    return [record(f"{path.name}: number {number}", Sabotage, one) for number, one in enumerate(tables, 1)]


SABOTAGES = _sabotages()


def looked(folder: Path, *argv: str) -> tuple[Result, ...]:
    """What the checks of these clauses and hosts say, asked in the way in which an auditor asks."""
    results = folder / "results.jsonl"
    results.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "tests/hosts", "-q", f"--results={results}", *argv]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = read(results)
    assert found, done.stdout + done.stderr
    assert done.returncode == (0 if all(one.status is Status.SATISFIED for one in found) else 1), done.stdout
    return found


def not_satisfied(found: tuple[Result, ...]) -> dict[str, Status]:
    """The checks that are not, by their names without the host."""
    bad = [one for one in found if one.status is not Status.SATISFIED]
    return {one.check.split("::")[1].split("[")[0]: one.status for one in bad}


@pytest.fixture(scope="module", autouse=True)
def estate(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All is well before, and after: a spoilt file that was put back is a reason to restart its service."""
    folder = tmp_path_factory.mktemp("estate")
    chosen = [f"--clause={name}" for name in sorted({one.clause for one in SABOTAGES})]
    chosen += [f"--host={name}" for name in sorted({one.host for one in SABOTAGES})]
    chosen += ["-n", "2", "--dist", "loadgroup"]
    assert not_satisfied(looked(folder, *chosen)) == {}
    yield
    done = subprocess.run(
        [sys.executable, "-m", "postvakt.cli", "apply"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not_satisfied(looked(folder, *chosen)) == {}


@pytest.mark.parametrize("one", SABOTAGES, ids=lambda one: f"{one.clause}: {one.why}")
def test_a_broken_promise_is_seen(one: Sabotage, tmp_path: Path, sh: Callable[[str, str], str]) -> None:
    sh(one.host, f"set -e\n{one.spoil}")
    try:
        found = looked(tmp_path, f"--clause={one.clause}", f"--host={one.host}")
    finally:
        sh(one.host, f"set -e\n{one.mend}")
    assert not_satisfied(found) == dict.fromkeys(one.red, Status.VIOLATED)
