"""The pytest plugin, tried on checks of a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from postvakt.results import Result, read
from postvakt.status import Status

CONFTEST = """
from pathlib import Path
from types import SimpleNamespace
import pytest
from postvakt.clauses import MARK, Clauses, recorder

def pytest_addoption(parser):
    parser.addoption("--clause", action="append", default=[])

def pytest_configure(config):
    config.addinivalue_line("markers", MARK)
    path = Path(__file__).with_name("results.jsonl")
    config.pluginmanager.register(Clauses(config.getoption("--clause"), None, path), "clauses")

def pytest_generate_tests(metafunc):
    names = ("mail1.no", "world")
    metafunc.parametrize("declared", [SimpleNamespace(name=one) for one in names], ids=names)

@pytest.fixture
def observe(request):
    return recorder(request.node)
"""


def run(folder: Path, body: str, *argv: str, mark: str = "LOG-02") -> tuple[int, str, tuple[Result, ...]]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(
        f"import pytest\n@pytest.mark.clause({mark!r})\ndef test_it(declared, observe):\n    {body}\n"
        "def test_other(declared):\n    pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *argv, str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr, read(folder / "results.jsonl")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("observe('7 d', '6 d')", Status.SATISFIED),
        ("observe(7, 8); assert 8 < 7", Status.VIOLATED),
        ("raise OSError('lost')", Status.ERROR),
        ("pass", Status.ERROR),
        ("observe(1, 1); pytest.skip('later')", Status.NOT_TESTED),
    ],
)
def test_what_becomes_of_a_check(tmp_path: Path, body: str, status: Status) -> None:
    code, said, results = run(tmp_path, body)
    assert code == (0 if status is Status.SATISFIED else 1), said
    # The outside world is bound by no promise: nothing is recorded of it.
    assert [(one.clause, one.host, one.status) for one in results] == [("LOG-02", "mail1.no", status)]
    assert "skipped" not in said.splitlines()[-1]


def test_workers_tell_the_one_who_keeps_the_results(tmp_path: Path) -> None:
    code, said, results = run(tmp_path, "observe(7, 8); assert 8 < 7", "-n", "2")
    assert code == 1, said
    assert [(one.host, one.status) for one in results] == [("mail1.no", Status.VIOLATED)]


def test_a_failure_is_recorded_without_its_words(tmp_path: Path) -> None:
    """Words of an assertion may hold an address or a line of a log (DER-03)."""
    _, said, (one,) = run(tmp_path, "assert 'ola@postvakt.example' == ''")
    assert "ola@postvakt.example" in said
    assert one.reason == "AssertionError in test_it.py, test_it"
    assert "ola@" not in (tmp_path / "results.jsonl").read_text()


@pytest.mark.parametrize(("mark", "said"), [("LOG-99", "no clause LOG-99"), ("ORG-01", "organisational")])
def test_a_mark_that_proves_nothing_stops_the_run(tmp_path: Path, mark: str, said: str) -> None:
    code, text, results = run(tmp_path, "observe(1, 1)", mark=mark)
    assert (code, results) == (4, ())
    assert said in text


def test_a_run_can_be_narrowed_to_a_clause(tmp_path: Path) -> None:
    code, said, _ = run(tmp_path, "observe(1, 1)", "--clause=LOG-02")
    assert (code, "2 passed, 2 deselected" in said) == (0, True)
    code, said, _ = run(tmp_path, "observe(1, 1)", "--clause=LOG-03")
    assert code == 4
    assert "no check is marked with the clause LOG-03" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["policy", "show", "NOPE"], "the catalog has no clause NOPE"),
        (["policy", "compare", "not-there.md"], "not-there.md cannot be read"),
        (["check", "--clause", "NOPE"], "the catalog has no clause NOPE"),
        (["check", "--clause", "ORG-01"], "ORG-01: no check proves it yet"),
    ],
)
def test_what_cannot_be_shown_is_one_line(words: list[str], said: str) -> None:
    command = [sys.executable, "-m", "postvakt.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert said in done.stderr
