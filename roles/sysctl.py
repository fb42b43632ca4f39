"""Kernel settings: a host that routes nothing, answers no tricks and shows its memory to nobody."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, config, packages, service
from postvakt.inventory import Host


def declare(host: Host) -> Iterator[Resource]:
    yield packages("procps")
    yield config("sysctl/etc/sysctl.d/60-postvakt.conf")
    yield service("systemd-sysctl", reads=("/etc/sysctl.d/60-postvakt.conf",))


ROLE = Role("sysctl", declare)
