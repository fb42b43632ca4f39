"""What ``postvakt policy`` shows: every promise, where it binds, where it is set, and what is known of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory

from inventories.hosts import OBLIGATIONS
from postvakt.console import console, table
from postvakt.inventory import Host
from postvakt.policy import Clause, ClauseKind, PolicyError, catalog
from postvakt.records import ATTESTATIONS, WAIVERS, Attestation, Waiver, attestations, waivers
from postvakt.results import Check, Result, Verdict, judge, read
from postvakt.sentences import digest, sentences
from postvakt.status import EXIT_CODES, Status, worst
from postvakt.target import LAB, ROOT, Target


@dataclass(frozen=True)
class Setting:
    """A line that a role writes on a host, by which a promise is kept there."""

    host: str
    path: str
    line: str


def checks() -> tuple[Check, ...]:
    """What proves which clause where, asked of pytest, which alone knows. No host is asked."""
    with TemporaryDirectory() as folder:
        listing = Path(folder) / "checks.json"
        command = [sys.executable, "-m", "pytest", "tests/hosts", "-q", "--collect-only"]
        done = subprocess.run(
            [*command, f"--list-checks={listing}"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if not listing.exists():
            said = (done.stderr or done.stdout).strip().splitlines()
            raise PolicyError(f"the checks cannot be listed: {said[-1] if said else 'pytest says nothing'}")
        return tuple(Check(**one) for one in json.loads(listing.read_text()))


def require_checks(names: Sequence[str]) -> None:
    """Raise PolicyError for a clause that is not there, and for one that no check proves."""
    known = {one.clause for one in checks()} if names else set()
    for name in names:
        if catalog()[name].id not in known:
            raise PolicyError(f"{name}: no check proves it yet; ./postvakt policy shows which have one")


def records(today: date) -> tuple[tuple[Waiver, ...], Mapping[str, Attestation]]:
    """The waivers and the attestations of this checkout. Raises PolicyError."""
    bound = {(one.clause.id, one.host.name) for one in OBLIGATIONS}
    return waivers(WAIVERS.read_text(), catalog(), bound), attestations(ATTESTATIONS.read_text(), catalog())


def verdicts(target: Target, today: date, known: Sequence[Check] | None = None) -> tuple[Verdict, ...]:
    """What is known today of every promise on every host that it binds."""
    waived, attested = records(today)
    found = checks() if known is None else known
    return judge(catalog(), OBLIGATIONS, found, read(target.results), waived, attested, today)


def exit_code(found: Sequence[Verdict]) -> int:
    """Of the worst that is known (postvakt.status)."""
    return EXIT_CODES[worst(one.status for one in found)]


def by_clause(found: Sequence[Verdict]) -> dict[str, Status]:
    """The worst of a clause over all hosts."""
    names = dict.fromkeys(one.clause for one in found)
    return {name: worst(one.status for one in found if one.clause == name) for name in names}


def counts(found: Sequence[Verdict]) -> str:
    """One line a kind of clause: how many of each status."""
    status = by_clause(found)
    lines = []
    for title, technical in (("technical", True), ("organisational", False)):
        some = [status[one.id] for one in catalog() if one.technical is technical and one.id in status]
        count = Counter(some)
        said = ", ".join(f"{count[one]} {one}" for one in Status if count[one])
        lines += [f"{len(some)} {title} clauses: {said}"] if some else []
    return "\n".join(lines)


def settings(clause: Clause, host: Host) -> tuple[Setting, ...]:
    """Where a host is told to keep a promise, as its roles write it."""
    from deploy.converge import resources_of
    from deploy.kinds import roles_of
    from deploy.ops import File

    files = {one.path: one.content for one in resources_of(host, roles_of(host)) if isinstance(one, File)}
    wanted = [one.split(" ", 1) for one in clause.settings]
    return tuple(
        Setting(host.name, path, line.strip())
        for path, key in wanted
        for line in files.get(path, "").splitlines()
        if line.strip().startswith(key)
    )


def by_hand(target: Target, host: Host, command: str) -> str:
    """The shell line that repeats a check's command."""
    command, _, source = command.partition(" < src/")
    words = quote(f"sudo sh -c {quote(command)}")
    stdin = f" < src/{source}" if source else ""
    way = f"./postvakt lab exec {host.name} --" if target == LAB else f"ssh {host.fqdn}"
    return f"{way} {words}{stdin}"


def overview(target: Target, today: date, *, as_json: bool) -> None:
    """All clauses, as a table or as JSON."""
    known = checks()
    found = verdicts(target, today, known)
    status = by_clause(found)
    if as_json:
        rows = [
            {
                **asdict(one),
                "parameters": asdict(one.parameters) if one.parameters else {},
                "status": status[one.id],
                "checks": sorted({check.name for check in known if check.clause == one.id}),
                "verdicts": [asdict(verdict) for verdict in found if verdict.clause == one.id],
            }
            for one in catalog()
        ]
        version = catalog().version
        said = {"version": version.id, "announced": [one.id for one in catalog().announced], "clauses": rows}
        json.dump(said, sys.stdout, ensure_ascii=False)
        print()
        return
    table(
        f"The policy of {catalog().version.id}",
        ("clause", "kind", "hosts", "checked", "status", "promise"),
        [
            (
                one.id,
                one.kind,
                "\n".join(each.host.name for each in OBLIGATIONS if each.clause is one),
                _checked(one, known),
                status[one.id],
                one.english.strip(),
            )
            for one in catalog()
        ],
    )
    console.print(counts(found))


def _checked(clause: Clause, known: Sequence[Check]) -> str:
    if clause.kind is ClauseKind.ORGANISATIONAL:
        return ""
    bound = {one.host.name for one in OBLIGATIONS if one.clause is clause}
    checked = {one.host for one in known if one.clause == clause.id}
    return f"{len(checked)} of {len(bound)} hosts" if checked else "not yet"


def show(name: str, target: Target, today: date) -> None:
    """One promise, from its sentence to the command that repeats its check."""
    clause = catalog()[name]
    known = [one for one in checks() if one.clause == name]
    found = [one for one in verdicts(target, today, known) if one.clause == name]
    version = catalog().version
    say = console.out
    say(f"{clause.id}: {clause.english.strip()}")
    say(f"norsk: {clause.norwegian.strip()}")
    if clause.interpretation:
        say(f"understood as: {clause.interpretation.strip()}")
    say(f"section {clause.section}, version {version.id} (in force since {version.effective})")
    for number in clause.sentences:
        say(f"  sentence {number}: sha256 {version.sentences[number - 1]}")
    say(f"{clause.kind}, severity {clause.severity}, legal status {clause.legal}")
    maps = [f"GDPR {one}" for one in clause.gdpr] + [f"NIST {one}" for one in clause.nist]
    maps += [f"ISO 27001 A.{one}" for one in clause.iso27001]
    say("maps to: " + ", ".join((*maps, *clause.rfc)))
    for key, value in (asdict(clause.parameters) if clause.parameters else {}).items():
        say(f"parameter {key} = {value}")
    if clause.data:
        say(f"about: {', '.join(clause.data)}; for: {', '.join(clause.purposes)}")
    if clause.locations:
        say(f"may lie in: {', '.join(clause.locations)} only")
    if clause.unchecked:
        say(f"not looked at yet: {clause.unchecked}")
    for verdict in found:
        say(f"\n{verdict.host or 'the provider'}: {verdict.status}" + _because(verdict.reason))
        duty = [one for one in OBLIGATIONS if (one.clause.id, one.host.name) == (name, verdict.host)]
        if not duty:
            continue
        lines = settings(clause, duty[0].host)
        for line in lines:
            say(f"  set in {line.path}: {line.line}")
        if not lines:
            say("  set in no file of this host")
        for check in [one for one in known if one.host == verdict.host]:
            say(f"  checked by {check.name}")
        for result in verdict.results:
            _show_result(result, target, duty[0].host)
        if any(one.host == verdict.host for one in known):
            production = "" if target == LAB else " --production"
            say(f"  again: ./postvakt check {verdict.host} --clause {name}{production}")


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""


def _show_result(result: Result, target: Target, host: Host) -> None:
    say = console.out
    say(f"  last result {result.started}: {result.status}{_because(result.reason)}")
    for one in result.observations:
        say(f"    expected {one.expected}; observed {one.observed}")
    for command in result.commands:
        say(f"    by hand: {by_hand(target, host, command)}")


def compare(path: Path) -> int:
    """Compare a text with the version in force: 0 where every sentence is the one that is restated."""
    try:
        found = [digest(one) for one in sentences(path.read_text())]
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path} cannot be read: {error}") from error
    known = catalog().version.sentences
    same = sum(one in known for one in found)
    console.print(
        f"{same} of {len(found)} sentences are among the {len(known)} of version {catalog().version.id}"
    )
    for number, one in enumerate(found, 1):
        if one not in known:
            console.print(f"sentence {number} is new: {one}")
    for number, one in enumerate(known, 1):
        if one not in found:
            console.print(f"sentence {number} of the catalog is missing: {one}")
    return 0 if tuple(found) == known else 1
