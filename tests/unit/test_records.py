"""Waivers, attestations and what follows from results: pure rules, no host."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventories.hosts import OBLIGATIONS
from postvakt.policy import PolicyError, catalog
from postvakt.promises import by_clause, counts, exit_code
from postvakt.records import ATTESTATIONS, WAIVERS, attestations, waivers
from postvakt.results import Check, Observation, Result, Verdict, judge, merge, read
from postvakt.status import EXIT_CODES, Status, worst

TODAY = date(2026, 11, 24)
BOUND = {(one.clause.id, one.host.name) for one in OBLIGATIONS}

WAIVER = """[[waiver]]
id = "W-1"
clause = "SEC-01"
hosts = ["web1.us"]
reason = "the supplier's kernel"
risk = "a local user sees kernel addresses"
owner = "Ola"
approver = "Kari"
created = 2026-11-01
expires = 2027-01-15
compensating = "no local users"
ticket = "T-12"
"""

ATTESTATION = f"""[[attestation]]
clause = "ORG-11"
statement = "All nine have signed."
by = "Kari"
role = "managing director"
made = 2026-10-01
expires = 2027-10-01
document = "{"0123456789abcdef" * 4}"
method = "examine"
"""


def test_the_files_of_this_checkout_are_read() -> None:
    waivers(WAIVERS.read_text(), catalog(), BOUND)
    attestations(ATTESTATIONS.read_text(), catalog())


def test_a_waiver_says_everything() -> None:
    (one,) = waivers(WAIVER, catalog(), BOUND)
    assert (one.clause, one.hosts, one.approver) == ("SEC-01", ("web1.us",), "Kari")
    assert [one.holds(date(2026, 11, 1)), one.holds(date(2027, 1, 15))] == [True, False]
    for line in WAIVER.splitlines()[1:]:
        name = line.split(" ")[0]
        with pytest.raises(PolicyError, match=f"{name} is missing"):
            waivers(WAIVER.replace(line + "\n", ""), catalog(), BOUND)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('approver = "Kari"', 'approver = "ola "', "waiver W-1 of SEC-01: its owner Ola cannot approve it"),
        ("2027-01-15", "2027-02-01", "is not between 1 and 90 days"),
        ("2027-01-15", "2026-11-01", "is not between 1 and 90 days"),
        ("2027-01-15", '"soon"', "W-1: expires: 'soon' is not of type date"),
        ("SEC-01", "SEC-99", "no clause SEC-99"),
        ("SEC-01", "ACC-01", "waiver W-1 of ACC-01: this clause cannot be waived"),
        ("SEC-01", "ORG-11", "binds no host"),
        ("web1.us", "web9.us", "matches nothing: the clause binds no host web9"),
        ("web1.us", "*", "matches nothing"),
        ('["web1.us"]', "[]", "hosts is empty"),
        ('["web1.us"]', '["web1.us", "web1.us"]', "names something twice"),
        ('"no local users"', '""', "compensating is empty"),
        ("risk =", "danger =", "unknown key danger"),
        ("[[waiver]]", "[[waivers]]", "unknown key waivers"),
        ('ticket = "T-12"', 'ticket = "T-12"\nticket = "T-13"', r"waivers\.toml: Cannot overwrite"),
    ],
)
def test_a_waiver_is_refused(old: str, new: str, said: str) -> None:
    assert old in WAIVER
    with pytest.raises(PolicyError, match=said) as refused:
        waivers(WAIVER.replace(old, new, 1), catalog(), BOUND)
    assert len(str(refused.value).splitlines()) == 1


def test_a_thing_is_waived_once() -> None:
    with pytest.raises(PolicyError, match="the id W-1 is there 2 times"):
        waivers(WAIVER + WAIVER, catalog(), BOUND)
    with pytest.raises(PolicyError, match=r"SEC-01 web1\.us is there 2 times"):
        waivers(WAIVER + WAIVER.replace("W-1", "W-2"), catalog(), BOUND)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ORG-11", "SEC-01", "hosts can be asked"),
        ("ORG-11", "ORG-99", "no clause ORG-99"),
        ("2027-10-01", "2028-01-01", "is not between 1 and 366 days"),
        ("0123456789abcdef", "0123456789abcdeg", "not a SHA-256"),
        ('"examine"', '"guess"', "'guess' is none of examine, interview"),
        ('by = "Kari"', 'by = ""', "by is empty"),
        ("statement", "statment", "unknown key statment"),
    ],
)
def test_an_attestation_is_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        attestations(ATTESTATION.replace(old, new, 1), catalog())
    with pytest.raises(PolicyError, match="twice"):
        attestations(ATTESTATION + ATTESTATION, catalog())


def test_an_attestation_runs_out() -> None:
    found = attestations(ATTESTATION, catalog())["ORG-11"]
    assert found.status(date(2026, 10, 1)) is Status.ATTESTED
    assert found.status(date(2027, 10, 1)) is Status.ATTESTATION_EXPIRED
    assert not found.ends_soon(date(2027, 8, 31))
    assert found.ends_soon(date(2027, 9, 1))
    assert not found.ends_soon(date(2027, 10, 1))


statuses = st.sampled_from(Status)


@given(st.lists(statuses, min_size=1))
def test_the_worst_is_one_of_them_and_none_is_worse(some: list[Status]) -> None:
    assert worst(some) in some
    assert all(one.rank <= worst(some).rank for one in some)


@given(st.lists(statuses), st.lists(statuses), statuses)
def test_the_lattice(some: list[Status], more: list[Status], one: Status) -> None:
    assert worst([*some, *more]) == worst([*more, *some])
    assert worst([one, one]) == worst([one]) == one
    if some and more:
        assert worst([worst(some), worst(more)]) == worst([*some, *more])
        assert worst([*some, *more]).rank >= worst(some).rank


def test_of_nothing_nothing_is_known() -> None:
    assert worst([]) is Status.NOT_TESTED
    assert set(EXIT_CODES) == set(Status)
    # A person's word never hides what a host showed, and a waiver never what nobody looked at.
    for better, worse in itertools.pairwise(
        (Status.SATISFIED, Status.ATTESTED, Status.WAIVED, Status.NOT_TESTED, Status.ERROR, Status.VIOLATED)
    ):
        assert worst([better, worse]) is worse


def result(check: Check, status: Status, started: str = "2026-11-24T10:00:00+00:00") -> Result:
    seen = (Observation("1", "1"),)
    return Result(
        check.clause, check.host, check.name, status, "host", seen, ("true",), started, 0.1, started, "c", ""
    )


CHECK = Check("SEC-01", "web1.us", "tests/hosts/test_x.py::test_y[web1.us]")


def judged(results: list[Result], waiver: str = "", checks: tuple[Check, ...] = (CHECK,)) -> Verdict:
    found = judge(
        catalog(), OBLIGATIONS, checks, results, waivers(waiver, catalog(), BOUND), {}, TODAY
    )  # fmt: skip
    assert len(found) == len(OBLIGATIONS) + 22
    return next(one for one in found if (one.clause, one.host) == ("SEC-01", "web1.us"))


def test_what_nobody_looked_at_is_not_tested() -> None:
    assert judged([], checks=()).status is Status.NOT_TESTED
    assert judged([]).status is Status.NOT_TESTED
    other = Check("SEC-01", "web1.us", "another")
    both = judged([result(CHECK, Status.SATISFIED)], checks=(CHECK, other))
    assert (both.status, both.reason) == (Status.NOT_TESTED, "1 of 2 checks have not been run")
    # A result of a check that is gone proves nothing.
    assert judged([result(other, Status.SATISFIED)]).status is Status.NOT_TESTED


def test_what_is_looked_at_in_part_is_not_satisfied() -> None:
    part = next(one for one in OBLIGATIONS if one.clause.unchecked)
    check = Check(part.clause.id, part.host.name, "one")
    for status, expected in (
        (Status.SATISFIED, Status.NOT_TESTED),
        (Status.VIOLATED, Status.VIOLATED),
        (Status.ERROR, Status.ERROR),
    ):
        found = judge(catalog(), [part], [check], [result(check, status)], (), {}, TODAY)[0]
        assert found.status is expected
        assert (part.clause.unchecked in found.reason) == (status is Status.SATISFIED)


def test_a_waiver_covers_a_broken_promise_and_nothing_else() -> None:
    broken, kept = result(CHECK, Status.VIOLATED), result(CHECK, Status.SATISFIED)
    assert judged([broken]).status is Status.VIOLATED
    waived = judged([broken], WAIVER)
    assert (waived.status, waived.reason[:35]) == (Status.WAIVED, "violated (waived until 2027-01-15 b")
    stale = judged([kept], WAIVER)
    assert (stale.status, "remove it" in stale.reason) == (Status.ERROR, True)
    assert judged([result(CHECK, Status.ERROR)], WAIVER).status is Status.ERROR
    assert judged([], WAIVER).status is Status.NOT_TESTED
    over = WAIVER.replace("2026-11-01", "2026-09-01").replace("2027-01-15", "2026-11-20")
    assert judged([broken], over).status is Status.VIOLATED
    assert "does not hold today" in judged([broken], over).reason


def test_a_clause_takes_the_worst_of_its_hosts() -> None:
    some = [Verdict("SEC-01", "a", Status.SATISFIED, ""), Verdict("SEC-01", "b", Status.VIOLATED, "")]
    assert by_clause(some) == {"SEC-01": Status.VIOLATED}
    assert exit_code(some) == 1
    assert exit_code([some[0]]) == 0
    everything = judge(catalog(), OBLIGATIONS, (), (), (), attestations(ATTESTATION, catalog()), TODAY)
    assert counts(everything).splitlines() == [
        "62 technical clauses: 62 not-tested",
        "22 organisational clauses: 1 attested, 21 not-tested",
    ]


def test_newer_results_take_the_place_of_older_ones(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "results.jsonl"
    assert read(path) == ()
    other = Check("SEC-01", "web1.no", "other")
    merge(path, [result(CHECK, Status.VIOLATED), result(other, Status.SATISFIED)])
    merge(path, [result(CHECK, Status.SATISFIED, "2026-11-24T11:00:00+00:00")])
    assert [(one.of, one.status) for one in read(path)] == [
        (CHECK, Status.SATISFIED),
        (other, Status.SATISFIED),
    ]
