"""A pytest plugin: checks say which clauses they prove, and what they expected and observed.

``@pytest.mark.clause("LOG-02")`` names the clauses. A marked check takes the fixture ``observe`` and
tells it at least one observation: a pass without one is a failure, for nothing was looked at. A marked
check that is skipped is a failure too. Results go into a file that ``postvakt policy`` reads.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inventories.hosts import OBLIGATIONS
from postvakt.policy import PolicyError, catalog
from postvakt.results import Check, Observation, Result, merge
from postvakt.status import Status

ROOT = Path(__file__).resolve().parents[2]
PROPERTY = "postvakt results"
MARK = "clause(*ids): the clauses of the policy that this check proves on its host"


class Recorder:
    """What a check saw. Call it with the expected and the observed: counts, times, digests, settings."""

    def __init__(self) -> None:
        self.observations: list[Observation] = []
        self.commands: list[str] = []

    def __call__(self, expected: object, observed: object) -> None:
        self.observations.append(Observation(str(expected), str(observed)))


RECORDER = pytest.StashKey[Recorder]()


def recorder(item: pytest.Item) -> Recorder:
    return item.stash.setdefault(RECORDER, Recorder())


def clauses_of(item: pytest.Item) -> tuple[str, ...]:
    """The ids with which a check is marked. Raises pytest.UsageError for one that hosts cannot prove."""
    ids = tuple(dict.fromkeys(name for mark in item.iter_markers("clause") for name in mark.args))
    for name in ids:
        try:
            clause = catalog()[name]
        except PolicyError as error:
            raise pytest.UsageError(f"{item.nodeid}: {error}") from error
        if not clause.technical:
            raise pytest.UsageError(f"{item.nodeid}: {name} is organisational: no check proves it")
    return ids


def host_of(item: pytest.Item) -> str:
    if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
        return str(getattr(item.callspec.params.get("declared"), "name", ""))
    return ""


BOUND = {(one.clause.id, one.host.name) for one in OBLIGATIONS}


def checks_of(items: Iterable[pytest.Item]) -> list[Check]:
    """The checks of these items: only those of hosts that the clause binds prove something."""
    pairs = [(name, host_of(item), item.nodeid) for item in items for name in clauses_of(item)]
    return [Check(*one) for one in pairs if one[:2] in BOUND]


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


class Clauses:
    """``only``: clauses to which a run is narrowed; ``listing``: a file for the checks that there are;
    ``results``: the file into which results go."""

    def __init__(self, only: Sequence[str], listing: Path | None, results: Path | None) -> None:
        self.only = set(only)
        self.listing = listing
        self.path = results
        self.began = datetime.now(UTC).isoformat(timespec="seconds")
        self.commit = _commit()
        self.results: list[Result] = []

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        # Asked of every item, so that an id that is not there stops the run.
        proving = {item.nodeid: set(clauses_of(item)) for item in items}
        for name in self.only:
            if not any(name in ids for ids in proving.values()):
                raise pytest.UsageError(f"no check is marked with the clause {name}")
        if self.only:
            config.hook.pytest_deselected(items=[one for one in items if not proving[one.nodeid] & self.only])
            items[:] = [one for one in items if proving[one.nodeid] & self.only]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if self.listing is not None:
            self.listing.write_text(json.dumps([asdict(one) for one in checks_of(session.items)]))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        ids = clauses_of(item)
        if not ids or (report.passed and report.when != "call"):
            return report
        seen = recorder(item)
        reason = ""
        if report.skipped:
            status, reason = Status.NOT_TESTED, "the check was skipped, which proves nothing"
        elif report.failed:
            broken = call.excinfo is not None and issubclass(call.excinfo.type, AssertionError)
            status = Status.VIOLATED if broken and report.when == "call" else Status.ERROR
            kind = call.excinfo.typename if call.excinfo else "failure"
            reason = f"{kind} in {item.location[0]}, {item.name.split('[')[0]}"
        elif not seen.observations:
            status, reason = Status.ERROR, "the check passes but recorded no observation"
        else:
            status = Status.SATISFIED
        if not report.failed and status is not Status.SATISFIED:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid}: {reason}"
        report.user_properties.append(
            (PROPERTY, json.dumps(self._rows(item, ids, seen, status, call, reason)))
        )
        return report

    def _rows(
        self,
        item: pytest.Item,
        ids: Sequence[str],
        seen: Recorder,
        status: Status,
        call: pytest.CallInfo[None],
        reason: str,
    ) -> list[dict[str, object]]:
        started = datetime.fromtimestamp(call.start, UTC).isoformat(timespec="seconds")
        return [
            {
                "clause": name,
                "host": host_of(item),
                "check": item.nodeid,
                "status": status,
                "method": "host",
                "observations": [asdict(one) for one in seen.observations],
                "commands": list(dict.fromkeys(seen.commands)),
                "started": started,
                "seconds": round(call.duration, 3),
                "reason": reason,
            }
            for name in ids
            if (name, host_of(item)) in BOUND
        ]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """With several workers, reports arrive at the one process that keeps the file."""
        for name, value in report.user_properties:
            if name != PROPERTY:
                continue
            for row in json.loads(str(value)):
                row["status"] = Status(row["status"])
                row["observations"] = tuple(Observation(**one) for one in row["observations"])
                row["commands"] = tuple(row["commands"])
                self.results.append(Result(**row, run=self.began, commit=self.commit))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.path is not None and self.results and not hasattr(session.config, "workerinput"):
            merge(self.path, self.results)
