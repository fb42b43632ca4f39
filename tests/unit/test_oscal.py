"""OSCAL, read by NIST's models as compliance-trestle has them, in a process of their own: they warn."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from inventories.hosts import HOSTS, OBLIGATIONS
from postvakt.evidence import oscal
from postvakt.evidence.found import Found, Plan
from postvakt.evidence.tables import Seen
from postvakt.policy import catalog
from postvakt.records import Waiver
from postvakt.results import Check, Observation, Result, judge
from postvakt.status import Status
from postvakt.target import LAB

READ = """
import sys
from pathlib import Path
from trestle.oscal import {module}
read = {module}.{name}.oscal_read(Path(sys.argv[1]))
assert read is not None
"""
FORMS: dict[str, tuple[Callable[[Found], bytes], str]] = {
    "catalog": (oscal.catalog, "Catalog"),
    "component": (oscal.components, "ComponentDefinition"),
    "assessment_results": (oscal.results, "AssessmentResults"),
}
WHEN = "2026-11-24T09:00:00+00:00"
TODAY = date(2026, 11, 24)


def found(began: datetime = datetime(2026, 11, 24, 9, tzinfo=UTC)) -> Found:
    """A run in which one check passed, one broke a promise that is waived, and a host was not reached."""
    waiver = Waiver(
        "W-1",
        "LOG-02",
        ("support1.no",),
        "a reason",
        "a risk",
        "kari",
        "ola",
        TODAY,
        date(2026, 12, 1),
        "x",
        "T-1",
    )
    plan = Plan(LAB, (), HOSTS, False, None, "", Path("/nowhere"), (waiver,), {})
    made = Found(plan, catalog(), began)
    made.ended = began + timedelta(minutes=1)
    made.seen = {one.name: Seen(one.name, "" if one.name != "dns1.no" else "no route") for one in HOSTS}
    kept = Result(
        clause="LOG-02",
        host="backup1.no",
        check="tests/hosts/test_x.py::test_age[backup1.no]",
        status=Status.SATISFIED,
        method="host",
        observations=(Observation("7 d ", " the\noldest 3 d"),),
        commands=("find",),
        started=WHEN,
        seconds=1.0,
        run=WHEN,
        commit="abc",
        reason="",
    )
    broken = replace(kept, host="support1.no", status=Status.VIOLATED, reason="too old")
    lost = replace(kept, host="dns1.no", status=Status.ERROR, observations=(), reason="no route")
    made.results = (kept, broken, lost)
    checks = [Check(one.clause, one.host, one.check) for one in made.results]
    made.verdicts = judge(catalog(), OBLIGATIONS, checks, made.results, (waiver,), {}, TODAY)
    return made


def read(module: str, path: Path) -> subprocess.CompletedProcess[str]:
    program = READ.format(module=module, name=FORMS[module][1])
    command = [sys.executable, "-c", program, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", FORMS)
def test_the_models_of_nist_read_it(module: str, tmp_path: Path) -> None:
    path = tmp_path / f"{module}.json"
    path.write_bytes(FORMS[module][0](found()))
    done = read(module, path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", FORMS)
def test_the_models_of_nist_refuse_another_key(module: str, tmp_path: Path) -> None:
    """Their silence above means something."""
    said = json.loads(FORMS[module][0](found()))
    said[next(iter(said))]["bogus"] = 1
    path = tmp_path / f"{module}.json"
    path.write_text(json.dumps(said))
    assert read(module, path).returncode != 0


def findings() -> dict[str, Any]:
    (result,) = json.loads(oscal.results(found()))["assessment-results"]["results"]
    return {one["title"]: one for one in result["findings"]} | {"observations": result["observations"]}


def test_what_is_not_known_is_not_satisfied() -> None:
    said = findings()
    states = {
        "LOG-02 on backup1.no": ("satisfied", "pass", "satisfied"),
        "LOG-02 on support1.no": ("not-satisfied", "fail", "waived"),
        "LOG-02 on dns1.no": ("not-satisfied", "other", "error"),
        "LOG-02 on mail1.no": ("not-satisfied", "other", "not-tested"),
        "ORG-01 on provider": ("not-satisfied", "other", "not-tested"),
    }
    for title, (state, reason, whole) in states.items():
        status = said[title]["target"]["status"]
        assert (status["state"], status["reason"]) == (state, reason), title
        assert {"name": "status", "ns": oscal.NAMESPACE, "value": whole} in said[title]["props"]
    assert len(said) - 1 == len(OBLIGATIONS) + sum(not one.technical for one in catalog())
    known = {one["uuid"] for one in said["observations"]}
    linked = said["LOG-02 on backup1.no"]["related-observations"][0]["observation-uuid"]
    assert linked in known


def test_every_promise_is_a_control() -> None:
    groups = json.loads(oscal.catalog(found()))["catalog"]["groups"]
    names = [control["id"] for group in groups for control in group["controls"]]
    assert sorted(names) == sorted(one.id.lower() for one in catalog())


def test_two_runs_of_an_unchanged_estate_differ_in_times_only() -> None:
    one, other = (oscal.components(found(datetime(2026, 11, day, tzinfo=UTC))) for day in (24, 25))
    assert one != other
    assert one.replace(b"2026-11-24T", b"2026-11-25T") == other
    first, second = findings(), findings()
    assert {title: each["uuid"] for title, each in first.items() if title != "observations"} == {
        title: each["uuid"] for title, each in second.items() if title != "observations"
    }
