"""The keys with which mail is signed and sealed: born on the host, exchanged by a timer.

The public keys are among the records that a host publishes of itself (``roles/records.py``); the next
pair is published long before it signs.
"""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, config, directory, ensure, packages, program, service
from postvakt.inventory import Host
from roles.records import published

STATE = ("/var/lib/postvakt/dkim",)
UNITS = ("/etc/systemd/system/postvakt-dkim.service", "/etc/systemd/system/postvakt-dkim.timer")
KEY_DAYS = 150
"""The promise is half a year; this leaves a month to mend what keeps the timer from it."""


def declare(host: Host) -> Iterator[Resource]:
    yield packages("rspamd", "python3-dnspython")
    yield directory("/var/lib/postvakt")
    yield directory("/var/lib/postvakt/dkim", group="_rspamd", mode=0o750)
    yield program("dkim.py", "/usr/lib/postvakt/dkim")
    domains = f"{host.estate.domain} {host.fqdn}"
    yield ensure(
        "DKIM keys",
        unless=f"/usr/lib/postvakt/dkim made {domains}",
        run=f"/usr/lib/postvakt/dkim make {domains}",
    )
    for unit in UNITS:
        yield config(f"dkim{unit}", days=KEY_DAYS)
    yield service("postvakt-dkim.timer", reads=UNITS)
    yield published("dkim", "/usr/lib/postvakt/dkim records")


ROLE = Role("dkim", declare, state=STATE)
