"""The operators hear within a minute whose sending was stopped; Postfix and the account store stop it."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, config, packages, program, service
from postvakt.inventory import Host

UNITS = "sending/etc/systemd/system"


def declare(host: Host) -> Iterator[Resource]:
    yield packages("python3-psycopg")
    yield program("sending_alert.py", "/usr/lib/postvakt/sending-alert")
    yield config(f"{UNITS}/sending-alert.service")
    yield config(f"{UNITS}/sending-alert.timer")
    yield service("sending-alert.timer")


ROLE = Role("sending", declare)
