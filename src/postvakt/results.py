"""What checks found out: the newest result of each, as lines of JSON, and what follows for each promise.

A result holds counts, times and digests, and the commands that were run: never a line of a log, an
address or a secret (DER-03).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from postvakt.obligations import Obligation
from postvakt.policy import Catalog
from postvakt.records import Attestation, Waiver
from postvakt.status import Status, worst


@dataclass(frozen=True)
class Check:
    """A test that can prove a clause on a host. ``name`` is what pytest takes to run it alone."""

    clause: str
    host: str
    name: str


@dataclass(frozen=True)
class Observation:
    expected: str
    observed: str


@dataclass(frozen=True)
class Result:
    """What one check found. ``started`` is ISO 8601 in UTC; ``run`` is when its run began; ``commit`` is
    the code that looked, with a plus sign where it was changed since; ``reason`` is where it went wrong."""

    clause: str
    host: str
    check: str
    status: Status
    method: str
    observations: tuple[Observation, ...]
    commands: tuple[str, ...]
    started: str
    seconds: float
    run: str
    commit: str
    reason: str

    @property
    def of(self) -> Check:
        return Check(self.clause, self.host, self.check)


def read(path: Path) -> tuple[Result, ...]:
    """The results of a file; a file that is not there holds none."""
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    return tuple(
        Result(
            **{
                **row,
                "status": Status(row["status"]),
                "observations": tuple(Observation(**one) for one in row["observations"]),
                "commands": tuple(row["commands"]),
            }
        )
        for row in rows
    )


def merge(path: Path, new: Iterable[Result]) -> None:
    """Put new results in the place of older ones of the same checks, all at once."""
    kept = {one.of: one for one in (*read(path), *new)}
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(".new")
    staged.write_text("".join(json.dumps(asdict(one), sort_keys=True) + "\n" for one in kept.values()))
    staged.replace(path)


@dataclass(frozen=True)
class Verdict:
    """What is known of a clause on a host; ``host`` is empty for organisational clauses."""

    clause: str
    host: str
    status: Status
    reason: str
    results: tuple[Result, ...] = ()


def judge(
    catalog: Catalog,
    obligations: Sequence[Obligation],
    checks: Iterable[Check],
    results: Iterable[Result],
    waivers: Iterable[Waiver],
    attestations: Mapping[str, Attestation],
    today: date,
) -> tuple[Verdict, ...]:
    """One verdict for each obligation and each organisational clause; nothing is left out."""
    known: dict[tuple[str, str], list[Check]] = defaultdict(list)
    for check in checks:
        known[check.clause, check.host].append(check)
    newest = {one.of: one for one in results}
    waived = {(one.clause, host): one for one in waivers for host in one.hosts}
    verdicts = []
    for duty in obligations:
        pair = (duty.clause.id, duty.host.name)
        found = [newest.get(check) for check in known[pair]]
        verdict = _of_host(*pair, found, waived.get(pair), today)
        if verdict.status is Status.SATISFIED and duty.clause.unchecked:
            reason = f"its checks pass; not looked at yet: {duty.clause.unchecked}"
            verdict = replace(verdict, status=Status.NOT_TESTED, reason=reason)
        verdicts.append(verdict)
    words = [_of_word(one.id, attestations.get(one.id), today) for one in catalog if not one.technical]
    return (*verdicts, *words)


def _of_host(
    clause: str, host: str, found: Sequence[Result | None], waiver: Waiver | None, today: date
) -> Verdict:
    results = tuple(one for one in found if one is not None)
    if not found:
        status, reason = Status.NOT_TESTED, "no check looks at this host yet"
    elif len(results) < len(found):
        missing = len(found) - len(results)
        status = worst((Status.NOT_TESTED, *(one.status for one in results)))
        reason = f"{missing} of {len(found)} checks have not been run"
    else:
        status = worst(one.status for one in results)
        reason = "; ".join(dict.fromkeys(one.reason for one in results if one.reason))
    if waiver is not None and not waiver.holds(today):
        reason = f"{reason}; waiver {waiver.id} does not hold today".lstrip("; ")
    elif waiver is not None and status is Status.VIOLATED:
        status = Status.WAIVED
        reason = f"violated (waived until {waiver.expires} by {waiver.approver}, {waiver.id}): {reason}"
    elif waiver is not None and status is Status.SATISFIED:
        status, reason = Status.ERROR, f"waiver {waiver.id} is stale: the promise is kept; remove it"
    return Verdict(clause, host, status, reason, results)


def _of_word(clause: str, found: Attestation | None, today: date) -> Verdict:
    if found is None:
        return Verdict(clause, "", Status.NOT_TESTED, "nobody has attested it")
    soon = ", which is soon" if found.ends_soon(today) else ""
    return Verdict(clause, "", found.status(today), f"by {found.by}, ends {found.expires}{soon}")
