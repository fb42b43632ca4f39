"""What people answer for: waivers (a broken promise, accepted for a while) and attestations.

Both are reviewed in git and read strictly before a host is touched. A waiver does not switch a check off.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from postvakt.policy import Catalog, ClauseKind
from postvakt.status import Status
from postvakt.strict import PolicyError, record, table_of

ROOT = Path(__file__).resolve().parents[2]
WAIVERS = ROOT / "tests" / "waivers.toml"
ATTESTATIONS = ROOT / "inventories" / "attestations.toml"
WAIVED_AT_MOST = timedelta(days=90)
ATTESTED_AT_MOST = timedelta(days=366)
SOON = timedelta(days=30)


@dataclass(frozen=True)
class Waiver:
    """``hosts`` are names, each said; ``compensating``: what is done instead, until ``expires``."""

    id: str
    clause: str
    hosts: tuple[str, ...]
    reason: str
    risk: str
    owner: str
    approver: str
    created: date
    expires: date
    compensating: str
    ticket: str

    def holds(self, today: date) -> bool:
        """The last day is the day before ``expires``."""
        return self.created <= today < self.expires


class Method(StrEnum):
    """How the one who attests came to know (NIST SP 800-53A)."""

    EXAMINE = "examine"
    INTERVIEW = "interview"


@dataclass(frozen=True)
class Attestation:
    """``document`` is the SHA-256 of the paper, which stays where it is."""

    clause: str
    statement: str
    by: str
    role: str
    made: date
    expires: date
    document: str
    method: Method

    def status(self, today: date) -> Status:
        return Status.ATTESTED if self.made <= today < self.expires else Status.ATTESTATION_EXPIRED

    def ends_soon(self, today: date) -> bool:
        """True in the last thirty days."""
        return self.status(today) is Status.ATTESTED and self.expires - today <= SOON


def _words(where: str, one: Any, *names: str) -> None:
    for name in names:
        if not getattr(one, name):
            raise PolicyError(f"{where}: {name} is empty: it must be said")


def _span(where: str, first: date, last: date, at_most: timedelta) -> None:
    if not first < last <= first + at_most:
        raise PolicyError(f"{where}: from {first} to {last} is not between 1 and {at_most.days} days")


def waivers(text: str, catalog: Catalog, bound: Collection[tuple[str, str]]) -> tuple[Waiver, ...]:
    """The waivers of a file. ``bound`` are the pairs of clause and host that there are.

    Raises PolicyError: unknown key, clause or host; a clause that nobody may waive; one person as owner
    and approver; more than 90 days; two waivers of one thing.
    """
    tables = table_of(WAIVERS.name, text, ("waiver",)).get("waiver", [])
    found: list[Waiver] = [record(f"{WAIVERS.name}: {_name(one)}", Waiver, one) for one in tables]
    for one in found:
        where = f"waiver {one.id} of {one.clause}"
        _words(where, one, "id", "hosts", "reason", "risk", "owner", "approver", "compensating", "ticket")
        if not catalog[one.clause].waivable:
            raise PolicyError(f"{where}: this clause cannot be waived: keep it")
        if one.owner.strip().casefold() == one.approver.strip().casefold():
            raise PolicyError(f"{where}: its owner {one.owner} cannot approve it: somebody else must")
        _span(where, one.created, one.expires, WAIVED_AT_MOST)
        for host in one.hosts:
            if (one.clause, host) not in bound:
                raise PolicyError(f"{where}: it matches nothing: the clause binds no host {host}")
    for what, values in (
        ("id", [one.id for one in found]),
        ("clause and host", [f"{one.clause} {host}" for one in found for host in one.hosts]),
    ):
        for value, count in Counter(values).items():
            if count > 1:
                raise PolicyError(f"{WAIVERS.name}: the {what} {value} is there {count} times")
    return tuple(found)


def _name(table: Any) -> str:
    return f"waiver {table.get('id', '?')}" if isinstance(table, dict) else "waiver"


def attestations(text: str, catalog: Catalog) -> dict[str, Attestation]:
    """The attestations of a file by clause. Raises PolicyError: unknown key or clause, a clause that
    hosts can be asked about, no digest, more than a year, a clause attested twice."""
    tables = table_of(ATTESTATIONS.name, text, ("attestation",)).get("attestation", [])
    found: dict[str, Attestation] = {}
    for table in tables:
        named = table.get("clause", "?") if isinstance(table, dict) else "?"
        one: Attestation = record(f"attestation of {named}", Attestation, table)
        where = f"attestation of {one.clause}"
        _words(where, one, "statement", "by", "role")
        if catalog[one.clause].kind is not ClauseKind.ORGANISATIONAL:
            raise PolicyError(f"{where}: hosts can be asked about it, so a word is not enough")
        if not re.fullmatch(r"[0-9a-f]{64}", one.document):
            raise PolicyError(f"{where}: document is not a SHA-256 in 64 hexadecimal digits")
        _span(where, one.made, one.expires, ATTESTED_AT_MOST)
        if one.clause in found:
            raise PolicyError(f"{where}: it is there twice")
        found[one.clause] = one
    return found
