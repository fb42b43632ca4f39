"""What the spam filter has learned: Valkey on a unix socket, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, config, packages, service
from postvakt.inventory import Host

STATE = ("/var/lib/valkey",)


def declare(host: Host) -> Iterator[Resource]:
    yield packages("valkey-server")
    yield config("valkey/etc/valkey/valkey.conf", group="valkey", mode=0o640)
    yield config("valkey/etc/systemd/system/valkey-server.service.d/postvakt.conf")
    yield service("valkey-server", reads=("/etc/valkey", "/etc/systemd/system/valkey-server.service.d"))


ROLE = Role("valkey", declare, state=STATE)
