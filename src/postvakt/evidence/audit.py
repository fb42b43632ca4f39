"""One audit: every host is asked, every promise is judged, and what was found becomes a signed bundle.

What can be known to be wrong before a host is touched is refused before (``prepare``). A host that cannot
be reached is an error of every promise that binds it, never left out.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from inventories.estate import ESTATE
from inventories.hosts import HOSTS, OBLIGATIONS
from postvakt import promises
from postvakt.evidence import formats, oscal, report, tables
from postvakt.evidence.found import Found, Plan
from postvakt.evidence.minimal import personal
from postvakt.evidence.seal import (
    MANIFEST,
    SIGNATURE,
    SUMS,
    EvidenceError,
    Json,
    canonical,
    digest,
    sign,
    sums,
    who_signs,
)
from postvakt.evidence.tables import Seen
from postvakt.evidence.words import FILES, Language
from postvakt.inventory import Host, Operator
from postvakt.policy import CATALOG, catalog
from postvakt.records import ATTESTATIONS, WAIVERS
from postvakt.results import Check, Result, judge, merge, read
from postvakt.ssh import SshError
from postvakt.status import Status
from postvakt.target import LAB, ROOT, Target

FORMAT = "postvakt-evidence-1"
EVIDENCE = ROOT / "evidence"
RUN_SECONDS = 900
"""When the checks are stopped; what had no turn until then is not tested."""
ASK = "cat /etc/debian_version; uname -r; date +%s%3N"
PASSED_OR_FAILED = (0, 1)
NOTHING_TO_RUN = 5
TOOLS = ("paramiko", "pytest", "pytest-testinfra", "pytest-xdist", "cryptography", "jinja2")


def operators(target: Target) -> tuple[Operator, ...]:
    """Who may sign: the estate's operators and, of a lab that was raised, the lab's own."""
    raised = target.overlay is not None and (target.overlay / "ssh" / "id_ed25519").exists()
    own = target.data(HOSTS[0])["outside"].operator if raised else None
    return (*ESTATE.operators, *([own] if own else []))


def prepare(
    target: Target,
    clauses: Sequence[str],
    hosts: Sequence[Host],
    key: Path | None,
    into: Path,
    *,
    signed: bool,
) -> Plan:
    """Everything that can be wrong before a host is touched. Raises PostvaktError."""
    for name in clauses:
        catalog()[name]
    today = date.today()
    waived, attested = promises.records(today)
    if signed and key is None:
        if target.overlay is None:
            raise EvidenceError("no key to sign with: name yours with --key, or say --unsigned")
        key = target.overlay / "ssh" / "id_ed25519"
    name = who_signs(key, operators(target), today) if signed and key is not None else ""
    try:
        into.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=into, prefix=".writable-"):
            pass
    except OSError as error:
        raise EvidenceError(
            f"evidence cannot be written to {into}: {error.strerror}: make it writable or name another "
            "place with --into"
        ) from error
    return Plan(
        target=target,
        clauses=tuple(clauses),
        hosts=tuple(hosts),
        narrowed=len(hosts) < len(HOSTS),
        key=key if signed else None,
        signed_by=name,
        into=into,
        waivers=waived,
        attestations=attested,
    )


def run(plan: Plan) -> Found:
    """Ask every host and judge every promise of the plan."""
    found = Found(plan, catalog(), datetime.now(UTC))
    start = time.monotonic()
    with ThreadPoolExecutor(len(plan.hosts) + 1) as pool:
        listing = pool.submit(promises.checks)
        answers = [pool.submit(_ask, plan.target, one) for one in plan.hosts]
        found.seen = {one.host: one for one in (each.result() for each in answers)}
        checks = [one for one in listing.result() if plan.binds(one.clause, one.host)]
    found.seconds["reach the hosts, list the checks"] = time.monotonic() - start
    start = time.monotonic()
    looked, found.trouble = _check(plan, checks, found.seen)
    lost = tuple(_lost(one, found) for one in checks if not found.seen[one.host].reached)
    found.results = (*looked, *lost)
    found.seconds["check the hosts"] = time.monotonic() - start
    found.ended = datetime.now(UTC)
    every = judge(
        found.catalog,
        found.obligations,
        checks,
        found.results,
        plan.waivers,
        plan.attestations,
        found.ended.date(),
    )
    found.verdicts = tuple(one for one in every if plan.binds(one.clause, one.host))
    merge(plan.target.results, found.results)
    return found


def _ask(target: Target, host: Host) -> Seen:
    try:
        connection = target.connect(host)
        try:
            # The first answer brings the connection about; the second shows the clock without that.
            connection.run("true")
            before = time.time()
            done = connection.run(ASK)
            after = time.time()
        finally:
            connection.close()
        debian, kernel, clock = done.out.split()
        return Seen(host.name, "", debian, kernel, round(int(clock) - (before + after) * 500))
    except (SshError, ValueError) as error:
        return Seen(host.name, str(error).replace(f"{ROOT}/", ""))


def _check(plan: Plan, checks: Sequence[Check], seen: Mapping[str, Seen]) -> tuple[tuple[Result, ...], str]:
    """The results of the checks of all hosts that were reached, side by side; and what went wrong with the
    run as a whole."""
    names = list(dict.fromkeys(one.host for one in checks if seen[one.host].reached))
    if not names:
        return (), ""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "results.jsonl"
        argv = ["tests/hosts", "-q", "-m", "clause", "--dist", "loadgroup", f"--results={path}"]
        # A worker mostly waits for its host: more of them than processors is well.
        argv += ["-n", str(min(len(names), 2 * (os.cpu_count() or 1)))]
        argv += [f"--host={name}" for name in names] + [f"--clause={name}" for name in plan.clauses]
        argv += [] if plan.target == LAB else ["--production"]
        trouble = _pytest(argv)
        wanted = {(one.clause, one.host) for one in checks}
        return tuple(one for one in read(path) if (one.clause, one.host) in wanted), trouble


def _pytest(argv: Sequence[str]) -> str:
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *argv],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        try:
            out, _ = running.communicate(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired:
            # As from the keyboard: pytest still writes the results that it has.
            running.send_signal(signal.SIGINT)
            try:
                running.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                running.kill()
            return f"the checks had no end within {RUN_SECONDS} s and were stopped"
    if running.returncode in (*PASSED_OR_FAILED, NOTHING_TO_RUN):
        return ""
    last = [line for line in out.strip().splitlines() if line.strip()] or ["it says nothing"]
    raise EvidenceError(f"the checks could not be run: {last[-1][:200]}")


def _lost(check: Check, found: Found) -> Result:
    return Result(
        clause=check.clause,
        host=check.host,
        check=check.name,
        status=Status.ERROR,
        method="host",
        observations=(),
        commands=(),
        started=found.began.isoformat(timespec="seconds"),
        seconds=0.0,
        run=found.began.isoformat(timespec="seconds"),
        commit=_commit(),
        reason=f"the host was not reached: {found.seen[check.host].reason}",
    )


def _commit() -> str:
    """The code that looked, with a plus sign where it was changed since."""
    words = ("git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*")
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def bundles(into: Path, estate: str) -> list[Path]:
    """The bundles of an estate in a folder, oldest first: their names begin with their times."""
    return sorted(path for path in into.glob(f"*Z-{estate}") if (path / MANIFEST).is_file())


def _lines(rows: Sequence[object]) -> bytes:
    return "".join(json.dumps(one, sort_keys=True, ensure_ascii=False) + "\n" for one in rows).encode()


def files(found: Found) -> dict[str, bytes]:
    """Everything of a bundle but its manifest and its seal."""
    plan = found.plan
    status = promises.by_clause(found.verdicts)
    verdicts = [
        {"clause": one.clause, "host": one.host, "status": one.status, "reason": one.reason}
        for one in found.verdicts
    ]
    controller = f"{ESTATE.name} ({ESTATE.domain})"
    reports = {FILES[one]: report.render(found, one, _commit()) for one in Language}
    return reports | {
        "results.jsonl": _lines([asdict(one) for one in sorted(found.results, key=lambda one: str(one.of))]),
        "verdicts.jsonl": _lines(verdicts),
        "clauses.csv": tables.clauses(found.catalog, status),
        "inventory.csv": tables.inventory(HOSTS, found.seen, found.verdicts),
        "processing.csv": tables.processing(controller, HOSTS, OBLIGATIONS),
        "egress.csv": tables.egress(HOSTS),
        "cookies.csv": tables.cookies(),
        "waivers.csv": tables.waivers(plan.waivers),
        "attestations.csv": tables.attestations(plan.attestations.values()),
        "junit.xml": formats.junit(found.verdicts, found.began, plan.estate),
        oscal.CATALOG_FILE: oscal.catalog(found),
        "component-definition.oscal.json": oscal.components(found),
        "assessment-results.oscal.json": oscal.results(found),
        "metrics.prom": formats.metrics(found.verdicts, found.results, found.ended),
    }


def manifest(found: Found, content: Mapping[str, bytes]) -> bytes:
    plan = found.plan
    counts = Counter(str(one.status) for one in found.verdicts)
    asked: dict[str, Json] = {
        one.host: {
            "reached": one.reached,
            "reason": one.reason,
            "debian": one.debian,
            "kernel": one.kernel,
            "clock_ahead_ms": one.offset_ms,
        }
        for one in found.seen.values()
    }
    previous: Json = None
    if found.previous is not None:
        before = (found.previous / MANIFEST).read_bytes()
        previous = {"bundle": found.previous.name, "manifest_sha256": digest(before)}
    inventory_files = sorted((ROOT / "inventories").rglob("*.py"))
    openssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False).stderr.strip()
    tools: dict[str, Json] = {name: version(name) for name in TOOLS}
    said: dict[str, Json] = {
        "format": FORMAT,
        "estate": plan.estate,
        "began": found.began.isoformat(timespec="seconds"),
        "ended": found.ended.isoformat(timespec="seconds"),
        "commit": _commit(),
        "tools": tools | {"python": sys.version.split()[0], "openssh": openssh},
        "policy": {
            "version": found.catalog.version.id,
            "effective": str(found.catalog.version.effective),
            "catalog_sha256": digest(CATALOG.read_bytes()),
            "inventories_sha256": digest(b"".join(path.read_bytes() for path in inventory_files)),
            "waivers_sha256": digest(WAIVERS.read_bytes()),
            "attestations_sha256": digest(ATTESTATIONS.read_bytes()),
        },
        "only_clauses": plan.clauses,
        "hosts": asked,
        "hosts_not_reached": [one.host for one in found.seen.values() if not one.reached],
        "hosts_not_asked": [one.name for one in HOSTS if one.name not in found.seen],
        "trouble": found.trouble,
        "verdicts": dict(counts),
        "exit_code": promises.exit_code(found.verdicts),
        "signed_by": plan.signed_by,
        "previous": previous,
        "files": {name: {"bytes": len(one), "sha256": digest(one)} for name, one in sorted(content.items())},
    }
    return canonical(said)


def write(found: Found) -> Path:
    """The bundle, in its place only when it is whole. Raises EvidenceError where a file holds what
    evidence may not hold; then nothing is left of it."""
    plan = found.plan
    start = time.monotonic()
    before = bundles(plan.into, plan.estate)
    found.previous = before[-1] if before else None
    content = files(found)
    content[MANIFEST] = manifest(found, content)
    addresses = [address for one in HOSTS for address in one.addresses]
    if findings := personal(content, addresses):
        raise EvidenceError(
            f"the bundle is refused (DER-03): {findings[0]}"
            + (f", and {len(findings) - 1} more places" if len(findings) > 1 else "")
            + ": correct the check that recorded it"
        )
    content[SUMS] = sums(content)
    if plan.key is not None:
        content[SIGNATURE] = sign(content[SUMS], plan.key)
    place = plan.into / f"{found.began:%Y%m%dT%H%M%SZ}-{plan.estate}"
    staged = place.with_name(f".{place.name}.partial")
    try:
        staged.mkdir()
        for name, one in content.items():
            (staged / name).write_bytes(one)
        staged.rename(place)
    except OSError as error:
        shutil.rmtree(staged, ignore_errors=True)
        raise EvidenceError(f"{place} cannot be written: {error.strerror}") from error
    found.seconds["write the bundle"] = time.monotonic() - start
    return place
