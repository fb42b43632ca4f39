"""The mirror of virus signatures: the one signature that every scanner is tried with (EICAR)."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Port, Resource, Role, config, service
from postvakt.inventory import Host

PORTS = (Port(8080),)


def declare(host: Host) -> Iterator[Resource]:
    yield config("signatures/srv/signatures/eicar.ndb")
    yield config("signatures/etc/systemd/system/signatures.service")
    yield service("signatures")


ROLE = Role("signatures", declare, ports=PORTS)
