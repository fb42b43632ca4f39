"""What each verb of the command line does: a thin call of the thing that does it."""

from __future__ import annotations

import argparse
import csv
import getpass
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from inventories.hosts import HOSTS
from postvakt import account_verbs, accounts, dkim, dnscheck, mail_verbs, policy, promises
from postvakt.console import Board, console, fail, table
from postvakt.errors import PostvaktError
from postvakt.evidence import audit, changes, seal
from postvakt.evidence.found import Found
from postvakt.inventory import Host, Kind, select
from postvakt.lab import lab as the_lab
from postvakt.lab.lab import State, quiet
from postvakt.lab.system import LabError
from postvakt.status import Status
from postvakt.target import LAB, PRODUCTION, ROOT, Target

if TYPE_CHECKING:
    # Not before gevent has patched what it imports.
    from postvakt.deployment import Outcome, Progress

FAILED = 1
WOULD_CHANGE = 2
NOTHING_KNOWN = 2
SLOWEST = 5
MIB = 2**20
NOT_BEGUN = "not begun, because a host before it failed"
TESTS_LAB = ".lab-tests"


def run(options: argparse.Namespace) -> int:
    """Run the verb that was asked for. Raises PostvaktError for foreseen errors."""
    verb: Callable[[argparse.Namespace], int] = globals()[f"_{options.verb}"]
    # A catalogue of promises that contradicts itself is refused before anything is done.
    policy.catalog()
    return verb(options)


def _again_inside(options: argparse.Namespace) -> None:
    """For a verb that needs the lab's network: begin again in there, unless it is there."""
    if getattr(options, "production", False):
        return
    lab = the_lab()
    lab.require_up()
    if not lab.network.joined():
        argv = lab.inside([sys.executable, "-m", "postvakt.cli", *sys.argv[1:]])
        os.execvp(argv[0], argv)


def _target(options: argparse.Namespace) -> Target:
    return PRODUCTION if options.production else LAB


def _up(options: argparse.Namespace) -> int:
    if code := _raise_lab():
        return code
    for verb in ("check", "deliver"):
        step = the_lab().inside([sys.executable, "-m", "postvakt.cli", verb])
        if code := subprocess.run(step, check=False).returncode:
            return code
    _closing()
    return 0


def _down(options: argparse.Namespace) -> int:
    lab = the_lab()
    names = [lab.find(word) for word in options.hosts]
    if options.dry_run:
        for one in lab.status():
            if one.name in (names or [one.name]) and one.state is not State.ABSENT:
                gone = ", its disk thrown away" if options.discard else ""
                stopped = "stopped" if one.state is State.RUNNING else "stopped already"
                console.print(f"{one.name}: {stopped}{gone}")
        return 0
    if options.discard and not options.yes:
        if not sys.stdin.isatty():
            raise LabError("--discard throws the hosts' disks away: add --yes to mean it")
        which = ", ".join(names) or "all lab hosts"
        if input(f"Throw the disks of {which} away? [y/N] ").strip().lower() != "y":
            return FAILED
    with Board("The lab") as board:
        if names:
            lab.stop(names, discard=options.discard, progress=board)
        else:
            lab.down(discard=options.discard, progress=board)
    return 0


def _status(options: argparse.Namespace) -> int:
    rows = the_lab().status()
    table(
        "The lab",
        ("host", "address", "state", "memory"),
        [
            (one.name, one.address, one.state, f"{one.memory / MIB:.0f} MiB" if one.memory else "")
            for one in rows
        ],
    )
    console.print(f"{sum(one.memory for one in rows) / MIB:.0f} MiB in all")
    return 0 if all(one.state is State.RUNNING for one in rows) else FAILED


def _deployment(
    mode: str, groups: Iterable[Sequence[Host]], target: Target, *, world: bool = False, as_json: bool = False
) -> int:
    """Plan or apply, live, and a table (or JSON) of what became of each host. The hosts of a group go
    side by side; no group is begun after one in which a host failed."""
    from postvakt import deployment
    from postvakt.lab.world.hosts import HOSTS as WORLD

    def deploy(progress: Progress) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for group in groups:
            if any(one.error for one in outcomes):
                outcomes += [deployment.Outcome(one.name, error=NOT_BEGUN) for one in group]
                continue
            parts = [deployment.Deployment(tuple(group), ROOT / "deploy" / "site.py", target.data)]
            if world:
                site = ROOT / "src" / "postvakt" / "lab" / "world" / "site.py"
                parts.insert(0, deployment.Deployment(WORLD, site, target.data))
            outcomes += deployment.run(parts, deployment.Mode(mode), progress)
        return outcomes

    if as_json:
        outcomes = deploy(quiet)
        print(json.dumps([asdict(one) for one in outcomes]))
    else:
        with Board(mode.capitalize()) as board:
            outcomes = deploy(board)
        _show(mode, outcomes)
    if any(one.error for one in outcomes):
        return FAILED
    return WOULD_CHANGE if mode == "plan" and any(one.changed for one in outcomes) else 0


def _show(mode: str, outcomes: Sequence[Outcome]) -> None:
    columns = ["host", "resources", "would change" if mode == "plan" else "changed"]
    rows = [[one.host, str(one.resources), str(len(one.changed))] for one in outcomes]
    table("", columns, rows)
    for one in outcomes:
        for name in one.changed if mode == "plan" else []:
            console.print(f"{one.host}: {name}", markup=False)
    for one in outcomes:
        if one.error:
            fail(f"{one.host}: {one.error}")


def _plan(options: argparse.Namespace) -> int:
    hosts = select(HOSTS, options.hosts)
    _again_inside(options)
    return _deployment("plan", [hosts], _target(options), as_json=options.json)


def _apply(options: argparse.Namespace) -> int:
    hosts = select(HOSTS, options.hosts)
    _again_inside(options)
    groups: Iterable[Sequence[Host]] = [hosts]
    if options.production or options.kind_by_kind:
        from deploy.kinds import KINDS

        of_kind = ([one for one in hosts if one.kind == kind] for kind in KINDS)
        groups = [group for group in of_kind if group]
    return _deployment("apply", groups, _target(options), as_json=options.json)


def _check(options: argparse.Namespace) -> int:
    hosts = select(HOSTS, options.hosts)
    # What people ask for and answer for is read before a host is: a mistake must not wait for the end.
    promises.records(date.today())
    promises.require_checks(options.clause)
    _again_inside(options)
    argv = [f"--host={one.name}" for one in hosts] if options.hosts else []
    argv += ["--production"] if options.production else []
    argv += ["-k", options.k] if options.k else []
    argv += [f"--clause={name}" for name in options.clause]
    workers = str(min(len(hosts), os.cpu_count() or 1))
    code = _pytest("tests/hosts", "-q", "-n", workers, "--dist", "loadgroup", *argv)
    verdicts = promises.verdicts(_target(options), date.today())
    console.print(promises.counts(verdicts))
    return code or (promises.exit_code(verdicts) if options.strict else 0)


def _policy(options: argparse.Namespace) -> int:
    """The catalog with what is known of it; one promise; or a text compared with it."""
    target = _target(options)
    match options.policy_verb:
        case "show":
            promises.show(options.clause, target, date.today())
        case "compare":
            return promises.compare(Path(options.file))
        case _:
            promises.overview(target, date.today(), as_json=options.json)
    return 0


def _audit(options: argparse.Namespace) -> int:
    """Exit codes are those of postvakt.status; an audit that could not be made knows nothing, so 2."""
    match options.audit_verb:
        case "verify":
            return _audit_verify(options)
        case "diff":
            return _audit_diff(Path(options.before), Path(options.after))
        case "signers":
            sys.stdout.write(seal.allowed_signers(audit.operators(_target(options))))
            return 0
    try:
        if not options.production:
            the_lab().require_up()
        plan = audit.prepare(
            _target(options),
            options.clause,
            select(HOSTS, options.host),
            Path(options.key) if options.key else None,
            Path(options.into) if options.into else audit.EVIDENCE,
            signed=not options.unsigned,
        )
        _again_inside(options)
        found = audit.run(plan)
        place = audit.write(found)
    except PostvaktError as error:
        fail(str(error))
        return NOTHING_KNOWN
    for one in found.seen.values():
        if not one.reached:
            fail(f"{one.host} was not reached: {one.reason}")
    if found.trouble:
        fail(found.trouble)
    for verdict in found.verdicts:
        if verdict.status in (Status.VIOLATED, Status.ERROR):
            where = verdict.host or "the provider"
            console.print(f"{verdict.clause} {where}: {verdict.status} ({verdict.reason})", markup=False)
    console.print(promises.counts(found.verdicts))
    if options.timings:
        _timings(found)
    console.print(f"evidence: {place}", markup=False, soft_wrap=True)
    return promises.exit_code(found.verdicts)


def _timings(found: Found) -> None:
    rows = [(name, f"{seconds:.1f}") for name, seconds in found.seconds.items()]
    # A check that proves several clauses ran once.
    once = {(one.check, one.host): one for one in found.results}.values()
    spent = {host: sum(one.seconds for one in once if one.host == host) for host in found.seen}
    rows += [(f"checks of {host}", f"{seconds:.1f}") for host, seconds in spent.items()]
    slowest = sorted(once, key=lambda one: one.seconds, reverse=True)[:SLOWEST]
    rows += [(one.check.split("::")[-1], f"{one.seconds:.1f}") for one in slowest]
    table("Where the time goes", ("what", "seconds"), rows)


def _audit_verify(options: argparse.Namespace) -> int:
    folder = Path(options.bundle)
    try:
        signers = Path(options.signers).read_text() if options.signers else None
    except OSError as error:
        raise seal.EvidenceError(f"{options.signers} cannot be read: {error.strerror}") from error
    if signers is None:
        signers = seal.allowed_signers(audit.operators(_target(options)))
    name = seal.verify(folder, signers)
    said = f"signed by {name}" if name else "NOT SIGNED: anybody may have made it"
    console.print(f"{folder.name}: whole and unchanged, {said}", markup=False)
    return 0 if name else FAILED


def _audit_diff(before: Path, after: Path) -> int:
    around = changes.circumstances(changes.manifest_of(before), changes.manifest_of(after))
    found = changes.changes(changes.verdicts_of(before), changes.verdicts_of(after))
    for line in around:
        console.print(line, markup=False)
    for one in found:
        where = one.host or "the provider"
        console.print(f"{one.clause} {where}: {one.before} -> {one.after}", markup=False)
    console.print(f"{len(found)} verdicts are different")
    return FAILED if found or around else 0


def _pytest(*argv: str) -> int:
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", *argv]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _test(options: argparse.Namespace) -> int:
    """All tests, on a lab of their own: they break hosts and throw one away. Those of a lab's coming and
    going run in the machine's own network, those that look at hosts or use them run inside the lab's."""
    if "POSTVAKT_LAB" not in os.environ:
        argv = [sys.executable, "-m", "postvakt.cli", *sys.argv[1:]]
        os.execve(sys.executable, argv, os.environ | {"POSTVAKT_LAB": TESTS_LAB})
    words = ["-k", options.k] if options.k else []
    codes = [_pytest("tests/unit", "tests/lab", *words)]
    for tests in (["tests/molecule"], ["tests/hosts", "tests/journeys"]):
        if _raise_lab():
            return FAILED
        command = [sys.executable, "-m", "pytest", *tests, *words]
        if tests != ["tests/molecule"]:
            command = the_lab().inside(command)
        codes.append(subprocess.run(command, cwd=ROOT, check=False).returncode)
    # With -k, a part may hold no test of that name (pytest's exit code 5).
    if any(code not in ((0, 5) if words else (0,)) for code in codes):
        fail(f"the tests' lab stays up; look around with POSTVAKT_LAB={TESTS_LAB} ./postvakt lab shell HOST")
        return FAILED
    with Board("The tests' lab") as board:
        the_lab().down(progress=board)
    return 0


def _raise_lab() -> int:
    """Boot what is down and deploy everything that is not as declared."""
    lab = the_lab()
    with Board("The lab") as board:
        lab.up(board)
    if old := lab.outdated():
        console.print(
            f"{', '.join(old)}: on an older base image; ./postvakt down --discard makes them anew",
            markup=False,
        )
    step = lab.inside([sys.executable, "-m", "postvakt.cli", "everything"])
    return subprocess.run(step, check=False).returncode


def _account(options: argparse.Namespace) -> int:
    _again_inside(options)
    (mail,) = [one for one in HOSTS if one.kind == Kind.MAIL]
    store = accounts.Store(_target(options).connect(mail))
    match options.account_verb:
        case "add" | "set-password":
            password = accounts.generate_password()
            if options.prompt:
                password = getpass.getpass(f"Password for {options.address}: ")
            if options.account_verb == "add":
                fields = {name: getattr(options, name) for name in accounts.FIELDS}
                made = store.add(options.address, password, plan=options.plan, fields=fields)
                console.print(f"{made.address} is made, plan {made.plan}")
            else:
                made = store.set_password(options.address, password)
                console.print(f"{made.address} has a new password")
            if not options.prompt:
                console.print(f"password: {password}", markup=False)
        case "list":
            rows = [(one.address, one.plan, one.state, one.created) for one in store.all()]
            table("Accounts", ("address", "plan", "state", "created"), rows)
        case "show":
            one = store.show(options.address)
            table(one.address, ("field", "value"), list(one.fields().items()))
        case _:
            account_verbs.run(store, options)
    return 0


def _mail(options: argparse.Namespace) -> int:
    _again_inside(options)
    (mail,) = [one for one in HOSTS if one.kind == Kind.MAIL]
    mail_verbs.run(_target(options).connect(mail), mail, options)
    return 0


def _dns(options: argparse.Namespace) -> int:
    """A line for everything that the world must see, and exit code 1 where it does not."""
    _again_inside(options)
    import ssl

    from postvakt.lab.world.hosts import WORLD

    if options.production:
        world, trust = dnscheck.World(), ssl.create_default_context()
    else:
        outside = LAB.data(HOSTS[0])["outside"]
        world = dnscheck.World(outside.root_anchor, outside.root_hints)
        roots = LAB.connect(WORLD).run("cat /var/lib/pebble/roots.pem").out
        trust = ssl.create_default_context(cadata=roots)
    check = dnscheck.Check(world, options.domain, trust, tuple(options.selector))
    found = list(check.run())
    rows = [(one.what, "yes" if one.well else "NO", one.detail) for one in found]
    table(options.domain, ("what", "well", "what the world sees"), rows)
    return 0 if all(one.well for one in found) else FAILED


def _tls(options: argparse.Namespace) -> int:
    _again_inside(options)
    (mail,) = [one for one in HOSTS if one.kind == Kind.MAIL]
    words = [options.tls_verb]
    if options.tls_verb == "rotate" and options.dry_run:
        words.append("--dry-run")
    done = _target(options).connect(mail).run(["/usr/lib/postvakt/tls-keys", *words], sudo=True)
    if done.code:
        fail(f"{mail.name}: {(done.err.strip().splitlines() or ['it said nothing'])[-1]}")
        return FAILED
    console.print(done.out.strip(), markup=False)
    return 0


def _dkim(options: argparse.Namespace) -> int:
    _again_inside(options)
    target = _target(options)
    match options.dkim_verb:
        case "show":
            keys = dkim.show(target)
            numbers = ", ".join(map(str, keys.published))
            rows = [("domains", ", ".join(keys.domains)), ("signs", f"pair {keys.current}")]
            table(
                "DKIM", ("what", "which"), [*rows, ("since", keys.since), ("published", f"pairs {numbers}")]
            )
        case "rotate":
            console.print(dkim.rotate(target, dry=options.dry_run))
    return 0


def _inventory(options: argparse.Namespace) -> int:
    columns = (
        "host", "kind", "country", "site", "facility", "legal entity", "contract", "ipv4", "ipv6",
        "holds", "team",
    )  # fmt: skip
    rows = [
        (
            one.name, str(one.kind), str(one.site.country), one.site.name, one.site.facility,
            one.site.legal_entity, one.site.contract, str(one.ipv4.ip), str(one.ipv6.ip),
            ", ".join(one.holds), one.team,
        )
        for one in HOSTS
    ]  # fmt: skip
    if options.json:
        json.dump([dict(zip(columns, row, strict=True)) for row in rows], sys.stdout, ensure_ascii=False)
        print()
    elif options.csv:
        csv.writer(sys.stdout).writerows([columns, *rows])
    else:
        shown = [
            (
                one.name,
                str(one.kind),
                f"{one.site.country} {one.site.name}",
                f"{one.ipv4.ip}\n{one.ipv6.ip}",
                "\n".join(one.holds),
                one.team,
            )
            for one in HOSTS
        ]
        table("The estate", ("host", "kind", "where", "addresses", "holds", "team"), shown)
    return 0


def _lab(options: argparse.Namespace) -> int:
    lab = the_lab()
    match options.lab_verb:
        case "up":
            with Board("The lab") as board:
                lab.up(board)
        case "down":
            return _down(options)
        case "status":
            return _status(options)
        case "enter":
            lab.require_up()
            command = options.command or [os.environ.get("SHELL", "bash")]
            argv = lab.inside(command)
            os.execvp(argv[0], argv)
        case "shell" | "exec":
            lab.require_up()
            name = lab.find(options.host)
            argv = lab.ssh(name, getattr(options, "command", []))
            os.execvp(argv[0], argv)
    return 0


def _deliver(options: argparse.Namespace) -> int:
    _again_inside(options)
    from postvakt.lab import deliver

    deliver.both_ways(LAB, console.print)
    return 0


def _closing() -> None:
    from postvakt.lab.world.people import ELLEN, KARI

    _status(argparse.Namespace())
    table(
        "\nLogins",
        ("who", "password", "where"),
        [
            (KARI.address, KARI.password, "IMAP 993, SMTP 465/587 at mail1.no.postvakt.example"),
            (ELLEN.address, ELLEN.password, "IMAP 993, SMTP 465 at world.elsewhere.example"),
        ],
    )
    table(
        "\nTry next",
        ("command", "what it does"),
        [
            ("./postvakt inventory", "where each host stands, and what it holds"),
            ("./postvakt plan", "what an apply would change: nothing"),
            ("./postvakt lab shell mail1", "a shell on the mail host"),
            ("./postvakt account add ola@postvakt.example", "one more mailbox"),
            ("./postvakt down", "stop everything"),
        ],
    )


def _everything(options: argparse.Namespace) -> int:
    """Deploy the outside world and the estate together; where one needs the other, it waits."""
    _again_inside(options)
    return _deployment("apply", [HOSTS], LAB, world=True)
