"""What an audit is asked for, and what it came to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from inventories.estate import ESTATE
from inventories.hosts import OBLIGATIONS
from postvakt.evidence.tables import Seen
from postvakt.inventory import Host
from postvakt.obligations import Obligation
from postvakt.policy import Catalog
from postvakt.records import Attestation, Waiver
from postvakt.results import Result, Verdict
from postvakt.target import LAB, Target


@dataclass(frozen=True)
class Plan:
    """What is asked for, and found to be possible. ``key`` None: the bundle is not signed, and says so.
    ``clauses``: only these; none means all. ``hosts`` are all or some, then ``narrowed``."""

    target: Target
    clauses: tuple[str, ...]
    hosts: tuple[Host, ...]
    narrowed: bool
    key: Path | None
    signed_by: str
    into: Path
    waivers: tuple[Waiver, ...]
    attestations: Mapping[str, Attestation]

    @property
    def estate(self) -> str:
        return ESTATE.name.lower() + ("-lab" if self.target == LAB else "")

    def binds(self, clause: str, host: str) -> bool:
        """Whether this run is about that; ``host`` is empty for organisational clauses."""
        chosen = not self.clauses or clause in self.clauses
        return chosen and (host in {one.name for one in self.hosts} if host else not self.narrowed)


@dataclass
class Found:
    """What a run came to know. ``seconds`` are those of its steps."""

    plan: Plan
    catalog: Catalog
    began: datetime
    seen: dict[str, Seen] = field(default_factory=dict)
    results: tuple[Result, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    trouble: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    ended: datetime = datetime.min
    previous: Path | None = None

    @property
    def obligations(self) -> tuple[Obligation, ...]:
        return tuple(one for one in OBLIGATIONS if self.plan.binds(one.clause.id, one.host.name))
