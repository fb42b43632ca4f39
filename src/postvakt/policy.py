"""The promises of the privacy policy, read from ``inventories/policy.toml``.

The file is data that people dispute, so the reader is strict: a key that it does not know, a value of
another type and a missing interpretation are refused with the clause's name. Roles, pages and checks
reach a promised number only through the parameters at this module's end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from postvakt.strict import PolicyError as PolicyError
from postvakt.strict import record, table_of
from postvakt.terms import Country, DataSet, Kind

CATALOG = Path(__file__).resolve().parents[2] / "inventories" / "policy.toml"


class ClauseKind(StrEnum):
    """``derived``: not in the text, but without it the others mean nothing. Derived ones are technical."""

    TECHNICAL = "technical"
    DERIVED = "derived"
    ORGANISATIONAL = "organisational"


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class LegalStatus(StrEnum):
    """How the sentence stands to the law of today. ``review``: counsel has to say."""

    CURRENT = "current"
    OUTDATED = "outdated"
    REVIEW = "review"


class Purpose(StrEnum):
    """For what data is processed (GDPR Article 5(1)(b))."""

    SERVICE = "service"
    OPERATIONS = "operations"
    SECURITY = "security"
    SUPPORT = "support"
    BACKUP = "backup"
    BILLING = "billing"
    MARKETING = "marketing"
    STATISTICS = "statistics"
    LEGAL = "legal"
    INFORMATION = "information"


@dataclass(frozen=True)
class Notice:
    """PRV-02: days between the announcement of a version and its first day."""

    min_notice_days: int


@dataclass(frozen=True)
class Registration:
    """REG-01: every field about a person that the account store may have."""

    fields: tuple[str, ...]


@dataclass(frozen=True)
class Erasure:
    """ACC-02, EML-07: hours from a request to the last copy outside backups."""

    max_hours: int


@dataclass(frozen=True)
class Months:
    """EML-03, EML-04, BAK-02, BAK-03: calendar months."""

    max_months: int


@dataclass(frozen=True)
class Hosting:
    """WEB-01: where customers' uploads may lie, and where without a choice."""

    default_country: Country
    countries: tuple[Country, ...]


@dataclass(frozen=True)
class VisitorLogs:
    """WEB-02: the longest prefix of a visitor's address that is written, in bits."""

    max_prefix_ipv4: int
    max_prefix_ipv6: int


@dataclass(frozen=True)
class Registrar:
    """Who serves a top-level domain, and in which country (ISO 3166-1 alpha-2)."""

    tld: str
    name: str
    country: str


@dataclass(frozen=True)
class Registrars:
    """DOM-01: the closed table of registrars."""

    registrars: tuple[Registrar, ...]


class CookiePurpose(StrEnum):
    SESSION = "session"
    PREFERENCE = "preference"
    TASK = "task"


@dataclass(frozen=True)
class Cookie:
    """``max_days``: how long it lasts; 0 is until the browser closes."""

    name: str
    set_by: str
    purpose: CookiePurpose
    max_days: int


@dataclass(frozen=True)
class Cookies:
    """COK-02: the closed list of cookies."""

    cookies: tuple[Cookie, ...]


@dataclass(frozen=True)
class DeliveryLogs:
    """LOG-02: how long records of mail delivery may exist, in days."""

    max_age_days: int
    rotate_days: int
    keep_days: int

    def __post_init__(self) -> None:
        if self.rotate_days + self.keep_days > self.max_age_days:
            raise PolicyError(
                f"LOG-02: a journal file of {self.rotate_days} days kept for {self.keep_days} days "
                f"outlives the promised {self.max_age_days}: lower one of them"
            )


@dataclass(frozen=True)
class WebLogs:
    """LOG-03: days of raw lines, and the fewest visitors of whom a count is kept."""

    max_raw_days: int
    min_crowd: int


@dataclass(frozen=True)
class Passwords:
    """SEC-02: the only scheme in which a password is kept."""

    scheme: str


@dataclass(frozen=True)
class TransportSecurity:
    """SEC-04. Protocols by OpenSSL's names; the days that a certificate must still last."""

    protocols: tuple[str, ...]
    min_certificate_days: int
    min_hsts_seconds: int
    min_mta_sts_seconds: int
    max_dkim_key_days: int


@dataclass(frozen=True)
class Clock:
    """DER-01: how far a clock may be off, in seconds."""

    max_offset_seconds: int


PARAMETERS: Mapping[str, type[Any]] = {
    "PRV-02": Notice,
    "REG-01": Registration,
    "ACC-02": Erasure,
    "EML-03": Months,
    "EML-04": Months,
    "EML-07": Erasure,
    "BAK-02": Months,
    "BAK-03": Months,
    "WEB-01": Hosting,
    "WEB-02": VisitorLogs,
    "DOM-01": Registrars,
    "COK-02": Cookies,
    "LOG-02": DeliveryLogs,
    "LOG-03": WebLogs,
    "SEC-02": Passwords,
    "SEC-04": TransportSecurity,
    "DER-01": Clock,
}
"""Which clauses have parameters, and of which type."""


@dataclass(frozen=True)
class Clause:
    """One promise. ``sentences`` are the numbers of what it restates in the version in force.

    ``machines`` are the kinds whose hosts it binds; ``data`` are the sets that it is about;
    ``locations`` are the only countries in which those may lie. ``settings`` are ``PATH KEY``: a file
    that a role writes and the beginning of the line in it by which the promise is kept. ``nist`` are
    identifiers of SP 800-53 revision 5, ``iso27001`` controls of Annex A of the edition of 2022.
    ``unchecked`` is what no check looks at yet: as long as it is said, the clause is not satisfied.
    """

    id: str
    section: str
    sentences: tuple[int, ...]
    kind: ClauseKind
    english: str
    norwegian: str
    gdpr: tuple[str, ...]
    nist: tuple[str, ...]
    iso27001: tuple[str, ...]
    severity: Severity
    legal: LegalStatus
    interpretation: str = ""
    data: tuple[DataSet, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    machines: tuple[Kind, ...] = ()
    locations: tuple[Country, ...] = ()
    settings: tuple[str, ...] = ()
    rfc: tuple[str, ...] = ()
    unchecked: str = ""
    waivable: bool = True
    parameters: Any = None

    @property
    def technical(self) -> bool:
        return self.kind is not ClauseKind.ORGANISATIONAL

    def __post_init__(self) -> None:
        needed = ["section", "english", "norwegian", "gdpr", "nist", "iso27001"]
        needed += ["interpretation", "machines", "purposes"] if self.technical else []
        needed += ["interpretation"] if self.legal is not LegalStatus.CURRENT else []
        needed += ["sentences"] if self.kind is not ClauseKind.DERIVED else []
        needed += ["data"] if self.locations else []
        for name in needed:
            if not getattr(self, name):
                raise PolicyError(f"{self.id}: {name} is missing: a {self.kind} clause must have it")
        for line in self.settings:
            if not line.startswith("/") or " " not in line:
                raise PolicyError(f"{self.id}: the setting {line!r} is not a path, a space and a key")


@dataclass(frozen=True)
class Version:
    """One text of the policy: SHA-256 of its sentences in order, and the numbers that it names."""

    id: str
    announced: date
    effective: date
    sentences: tuple[str, ...]
    informative: tuple[int, ...]
    limits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Catalog:
    """Everything that is promised on one day: ``version`` is in force, ``announced`` are to come."""

    clauses: Mapping[str, Clause]
    version: Version
    announced: tuple[Version, ...]

    def __iter__(self) -> Iterator[Clause]:
        return iter(self.clauses.values())

    def __getitem__(self, name: str) -> Clause:
        if name not in self.clauses:
            raise PolicyError(f"the catalog has no clause {name}; ./postvakt policy lists them")
        return self.clauses[name]


T = TypeVar("T")


def _clause(name: str, table: Any) -> Clause:
    if not isinstance(table, dict):
        raise PolicyError(f"{name}: must be a table")
    said = dict(table)
    parameters = said.pop("parameters", None)
    if name in PARAMETERS and parameters is None:
        raise PolicyError(f"{name}: parameters are missing: {PARAMETERS[name].__name__} needs them")
    if name not in PARAMETERS and parameters is not None:
        raise PolicyError(f"{name}: unknown key parameters: this clause has none")
    if name in PARAMETERS:
        parameters = record(f"{name}: parameters", PARAMETERS[name], parameters)
    found: Clause = record(name, Clause, said, id=name, parameters=parameters)
    return found


def _mapped(version: Version, clauses: Mapping[str, Clause]) -> None:
    """Every sentence is restated by a clause or informative, and never both."""
    numbers = {number: one.id for one in clauses.values() for number in one.sentences}
    count = len(version.sentences)
    for number in sorted({*numbers, *version.informative}):
        if not 1 <= number <= count:
            who = numbers.get(number, f"version {version.id}")
            raise PolicyError(f"{who}: there is no sentence {number}: version {version.id} has {count}")
        if number in numbers and number in version.informative:
            raise PolicyError(f"{numbers[number]}: sentence {number} is said to be informative")
    for number in range(1, count + 1):
        if number not in numbers and number not in version.informative:
            raise PolicyError(f"version {version.id}: no clause restates sentence {number}")


def _looser(name: str, value: int, limit: int) -> bool:
    return value > limit if name.startswith("max_") else value < limit


def _limits(catalog: Catalog) -> None:
    """No parameter is looser than the number in the text in force, whatever is announced (PRV-02)."""
    for name, limits in catalog.version.limits.items():
        if name not in catalog.clauses:
            raise PolicyError(f"{name}: version {catalog.version.id} limits a clause that is not there")
        for key, limit in limits.items():
            value = getattr(catalog[name].parameters, key, None)
            if not key.startswith(("max_", "min_")) or not isinstance(value, int):
                raise PolicyError(f"{name}: {key} cannot be limited: it is no max_ or min_ parameter")
            if _looser(key, value, limit):
                later = [one for one in catalog.announced if _allows(one, name, key, value)]
                when = (
                    f"wait until {later[0].effective}"
                    if later
                    else "announce a version of the policy that allows it"
                )
                raise PolicyError(
                    f"{name}: {key} = {value} is looser than the {limit} of the policy in force "
                    f"({catalog.version.id}): {when} (PRV-02)"
                )


def _allows(version: Version, name: str, key: str, value: int) -> bool:
    limit = version.limits.get(name, {}).get(key)
    return limit is None or not _looser(key, value, limit)


def _in_force(versions: Sequence[Version], today: date, notice_days: int) -> tuple[Version, ...]:
    """The version of today, then those to come; each was announced in time."""
    for before, one in pairwise(versions):
        if one.effective <= before.effective or one.announced < before.announced:
            raise PolicyError(f"version {one.id}: versions stand in the order of their dates")
    for one in versions:
        earliest = one.announced + timedelta(days=notice_days)
        if one.effective < earliest:
            raise PolicyError(
                f"version {one.id}: announced {one.announced}, effective {one.effective}: PRV-02 promises "
                f"{notice_days} days of notice, so not before {earliest}"
            )
    begun = [one for one in versions if one.effective <= today]
    if not begun:
        raise PolicyError(f"no version of the policy is in force on {today}")
    return (begun[-1], *(one for one in versions if one.announced <= today < one.effective))


def load(text: str, today: date) -> Catalog:
    """The catalog as it holds on this day. Raises PolicyError with one line that names the clause."""
    said = table_of(CATALOG.name, text, ("version", "clause"))
    for name in ("version", "clause"):
        if not said.get(name):
            raise PolicyError(f"{CATALOG.name}: there is no {name}")
    clauses = {name: _clause(name, table) for name, table in said["clause"].items()}
    for name in PARAMETERS:
        if name not in clauses:
            raise PolicyError(f"{name}: the clause is missing")
    versions = [record("version", Version, table) for table in said["version"]]
    notice: Notice = clauses["PRV-02"].parameters
    # An announced text may promise less notice; that, too, holds from its own first day only.
    current, *announced = _in_force(versions, today, notice.min_notice_days)
    catalog = Catalog(MappingProxyType(clauses), current, tuple(announced))
    _mapped(current, clauses)
    _limits(catalog)
    return catalog


@cache
def catalog() -> Catalog:
    """Today's catalog of this checkout."""
    try:
        text = CATALOG.read_text()
    except OSError as error:
        raise PolicyError(f"{CATALOG.name} cannot be read: {error}") from error
    return load(text, date.today())


def parameters(name: str, kind: type[T]) -> T:
    """The parameters of a clause. Raises PolicyError where they are of another type."""
    found = catalog()[name].parameters
    if not isinstance(found, kind):
        raise PolicyError(f"{name}: its parameters are no {kind.__name__}")
    return found


def kept_in(country: Country) -> dict[DataSet, str]:
    """The data sets that may lie in this country alone, each with the first clause that says so."""
    found: dict[DataSet, str] = {}
    for one in catalog():
        for data in one.data if one.locations == (country,) else ():
            found.setdefault(data, one.id)
    return found


DELIVERY_LOGS = parameters("LOG-02", DeliveryLogs)
REGISTRATION = parameters("REG-01", Registration)
PASSWORDS = parameters("SEC-02", Passwords)
TRANSPORT_SECURITY = parameters("SEC-04", TransportSecurity)
CLOCK = parameters("DER-01", Clock)
