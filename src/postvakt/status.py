"""What is known of a promise, from best to worst, and what a pipeline hears of it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Status(StrEnum):
    """In the order of how bad it is. ``attested`` is a person's word where no host can be asked.

    ``not-tested`` is worse than what a person has accepted (``waived``): nobody knows anything.
    """

    SATISFIED = "satisfied"
    ATTESTED = "attested"
    NOT_APPLICABLE = "not-applicable"
    WAIVED = "waived"
    ATTESTATION_EXPIRED = "attestation-expired"
    NOT_TESTED = "not-tested"
    ERROR = "error"
    VIOLATED = "violated"

    @property
    def rank(self) -> int:
        return list(Status).index(self)


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of them; of nothing, nothing is known."""
    return max(statuses, key=lambda one: one.rank, default=Status.NOT_TESTED)


EXIT_CODES = {
    Status.SATISFIED: 0,
    Status.ATTESTED: 0,
    Status.NOT_APPLICABLE: 0,
    Status.VIOLATED: 1,
    Status.NOT_TESTED: 2,
    Status.ERROR: 2,
    Status.WAIVED: 3,
    Status.ATTESTATION_EXPIRED: 3,
}
"""0 all is well; 1 a promise is broken; 2 something is not known; 3 something is accepted or run out."""
