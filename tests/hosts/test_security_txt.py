from __future__ import annotations

from datetime import UTC, datetime, timedelta

from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}


def test_it_is_not_out_of_date(host: Nouns, declared: Host) -> None:
    """RFC 9116: less than a year ahead, and not over."""
    path = f"/var/www/{declared.estate.domain}/.well-known/security.txt"
    lines = host.file(path).content_string.splitlines()
    fields = dict(line.split(": ", 1) for line in lines if not line.startswith("#"))
    assert fields["Contact"] == f"mailto:security@{declared.estate.domain}"
    expires = datetime.fromisoformat(fields["Expires"])
    assert timedelta(days=7) < expires - datetime.now(UTC) < timedelta(days=400)
