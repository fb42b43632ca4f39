"""Where to report a weakness (RFC 9116): one text at the provider's own domain."""

from __future__ import annotations

from datetime import date

from deploy.ops import text
from postvakt.inventory import Estate
from roles.nginx import Page, Site


def expires(today: date) -> date:
    """The first of January or July, half a year away at least: the text must be looked at again by then,
    and an apply that comes after the half year has begun renews it."""
    return date(today.year + 1, 1 if today.month <= 6 else 7, 1)


def site(estate: Estate) -> Site:
    said = text("security_txt/security.txt", estate=estate, expires=expires(date.today()))
    return Site((estate.domain,), (Page("/.well-known/security.txt", "text/plain", said),))
