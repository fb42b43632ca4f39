"""The promises of the privacy policy, read from ``inventories/policy.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from postvakt.errors import PostvaktError

CATALOG = Path(__file__).resolve().parents[2] / "inventories" / "policy.toml"


class PolicyError(PostvaktError):
    """The catalog of promises cannot be used. One line: which clause, what is wrong."""


@dataclass(frozen=True)
class DeliveryLogs:
    """Clause LOG-02: how long records of mail delivery may exist, in days."""

    max_age_days: int
    rotate_days: int
    keep_days: int

    def __post_init__(self) -> None:
        if self.rotate_days + self.keep_days > self.max_age_days:
            raise PolicyError(
                f"LOG-02: a journal file of {self.rotate_days} days kept for {self.keep_days} days "
                f"outlives the promised {self.max_age_days}: lower one of them"
            )


@cache
def catalog() -> dict[str, dict[str, Any]]:
    """The clauses by id. Raises PolicyError where the file is not TOML or names a key twice."""
    try:
        return tomllib.loads(CATALOG.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(f"{CATALOG.name}: {error}") from error


def clause(name: str) -> dict[str, Any]:
    if name not in catalog():
        raise PolicyError(f"{CATALOG.name} has no clause {name}")
    return catalog()[name]


def _delivery_logs() -> DeliveryLogs:
    row = clause("LOG-02")
    return DeliveryLogs(row["max_age_days"], row["rotate_days"], row["keep_days"])


DELIVERY_LOGS = _delivery_logs()
