"""mypy, ruff and shell syntax, as tests: warnings are errors and nothing is exempted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "argv",
    [
        ["-m", "ruff", "check", "--no-cache", "."],
        ["-m", "ruff", "format", "--no-cache", "--check", "."],
        ["-m", "mypy"],
    ],
    ids=["ruff check", "ruff format", "mypy"],
)
def test_python(argv: list[str]) -> None:
    done = subprocess.run([sys.executable, *argv], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["postvakt", ".ci/run"])
def test_shell(name: str) -> None:
    done = subprocess.run(["sh", "-n", name], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_is_exempted() -> None:
    """No comment switches a linter off; what is wrong is put right."""
    marks = ("type: " + "ignore", "no" + "qa", "xf" + "ail")
    tracked = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert tracked
    for name in tracked:
        path = ROOT / name
        text = path.read_text() if path.exists() else ""
        assert not any(mark in text for mark in marks), name


def test_the_lock_file_names_no_host_and_every_hash() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "http" not in text
    assert "index-url" not in text.replace("--no-emit-index-url", "")
    pins = [line for line in text.splitlines() if line and line[0] not in " #"]
    assert pins
    assert all("==" in line and line.endswith("\\") for line in pins)
