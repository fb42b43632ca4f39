"""The report for people: one HTML file a language, without a script and without anything from elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from inventories.estate import ESTATE
from inventories.hosts import HOSTS
from postvakt import promises
from postvakt.evidence import changes, drawings
from postvakt.evidence.formats import oldest_days
from postvakt.evidence.found import Found
from postvakt.evidence.tables import limit
from postvakt.evidence.words import FILES, SYMBOLS, Language, countries, statuses, words
from postvakt.inventory import Host
from postvakt.policy import Clause, DeliveryLogs, Erasure, Months, WebLogs
from postvakt.results import Verdict
from postvakt.status import Status

TEMPLATE = "report.html.j2"
MONTH_DAYS = 365.25 / 12


@dataclass(frozen=True)
class Kept:
    """A promise about how long, in the page's language, and what was found of it."""

    clause: Clause
    promise: str
    drawing: Markup | None


@dataclass(frozen=True)
class Set:
    """A line of a file by which a promise is kept, and the hosts on which a role writes it."""

    path: str
    line: str
    hosts: str


def _days(clause: Clause) -> float:
    match clause.parameters:
        case Months(max_months=months):
            return months * MONTH_DAYS
        case DeliveryLogs(max_age_days=days) | WebLogs(max_raw_days=days):
            return days
        case Erasure(max_hours=hours):
            return hours / 24
        case _:
            return 0


def _kept(found: Found, said: dict[str, str]) -> list[Kept]:
    kept = []
    for clause in found.catalog:
        if not limit(clause):
            continue
        number, unit = limit(clause).split(" ", 1)
        promise = f"{number} {said[unit.split(' ')[0]]}"
        ages: dict[str, float] = {}
        for one in found.results:
            age = oldest_days(one) if one.clause == clause.id else None
            if age is not None:
                ages[one.host] = max(age, ages.get(one.host, age))
        title = f"{clause.id}: {said['promised']} {promise}"
        drawing = drawings.timeline(
            title, promise, _days(clause), [drawings.Age(*one) for one in ages.items()], said["days"]
        )
        kept.append(Kept(clause, promise, drawing if ages else None))
    # First those of which something was found.
    return sorted(kept, key=lambda one: one.drawing is None)


def _settings(found: Found) -> dict[str, list[Set]]:
    lines: dict[str, dict[tuple[str, str], list[str]]] = {}
    for duty in found.obligations:
        for one in promises.settings(duty.clause, duty.host) if duty.clause.settings else ():
            lines.setdefault(duty.clause.id, {}).setdefault((one.path, one.line), []).append(one.host)
    return {
        clause: [Set(path, line, ", ".join(hosts)) for (path, line), hosts in said.items()]
        for clause, said in lines.items()
    }


def _commands(found: Found, verdict: Verdict) -> list[str]:
    hosts: dict[str, Host] = {one.name: one for one in HOSTS}
    every = [command for one in verdict.results for command in one.commands]
    # testinfra asks every host what it is before it looks; that proves nothing.
    telling = [
        one for one in dict.fromkeys(every) if one not in ("uname -s", "uname -m", "cat /etc/os-release")
    ]
    return [promises.by_hand(found.plan.target, hosts[verdict.host], one) for one in telling]


def _counts(found: Found, *, technical: bool) -> list[tuple[Status, int]]:
    status = promises.by_clause(found.verdicts)
    some = [status[one.id] for one in found.catalog if one.technical is technical and one.id in status]
    count = Counter(some)
    return [(one, count[one]) for one in Status if count[one]]


def _since(found: Found) -> list[changes.Change]:
    if found.previous is None:
        return []
    now = {(one.clause, one.host): str(one.status) for one in found.verdicts}
    return changes.changes(changes.verdicts_of(found.previous), now)


def _maps(clause: Clause) -> str:
    maps = [f"GDPR {one}" for one in clause.gdpr] + [f"NIST SP 800-53 {one}" for one in clause.nist]
    maps += [f"ISO 27001 A.{one}" for one in clause.iso27001]
    return ", ".join((*maps, *clause.rfc))


def _parameters(clause: Clause) -> str:
    said = asdict(clause.parameters) if clause.parameters else {}
    shown = {key: ", ".join(map(str, one)) if isinstance(one, tuple) else one for key, one in said.items()}
    return "; ".join(f"{key} = {one}" for key, one in shown.items())


def _map(found: Found, names: dict[str, str]) -> list[tuple[str, Markup]]:
    lands = dict.fromkeys(one.site.country for one in HOSTS)
    hosts = {land: [one for one in HOSTS if one.site.country == land] for land in lands}
    return [(names[land], drawings.country(names[land], some)) for land, some in hosts.items()]


def render(found: Found, language: Language, commit: str) -> bytes:
    """The report of a run in one language."""
    # What a check found, an error message and a name of a host are text, never HTML.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    said = words(language)
    by_host: dict[str, dict[str, Verdict]] = {}
    for one in found.verdicts:
        by_host.setdefault(one.clause, {})[one.host] = one
    clauses: Sequence[Clause] = [one for one in found.catalog if one.id in by_host]
    text = environment.get_template(TEMPLATE).render(
        w=said,
        language=language,
        other=next((one, FILES[one]) for one in Language if one is not language),
        estate=f"{ESTATE.name} ({found.plan.estate})",
        found=found,
        plan=found.plan,
        commit=commit,
        clauses=clauses,
        hosts=[one.name for one in HOSTS if one.name in found.seen],
        every_host=HOSTS,
        status=promises.by_clause(found.verdicts),
        by_host=by_host,
        counts=[
            (key, _counts(found, technical=key == "technical")) for key in ("technical", "organisational")
        ],
        named=statuses(language),
        countries=countries(language),
        symbols=SYMBOLS,
        kept=_kept(found, said),
        map=_map(found, {str(key): one for key, one in countries(language).items()}),
        settings=_settings(found),
        commands=lambda verdict: _commands(found, verdict),
        maps=_maps,
        parameters=_parameters,
        since=_since(found),
    )
    return text.encode()
