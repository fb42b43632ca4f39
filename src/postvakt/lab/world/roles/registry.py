"""The registry of the top-level domain: takes DS records over from its children's CDS (RFC 8078)."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Egress, Resource, Role, config, packages, service
from postvakt.inventory import Host

UNITS = ("/etc/systemd/system/registry.service", "/etc/systemd/system/registry.timer")


def declare(host: Host) -> Iterator[Resource]:
    yield packages("knot", "python3-dnspython")
    yield config("registry/usr/local/lib/registry", mode=0o755)
    yield config("registry/etc/systemd/system/registry.service")
    yield config("registry/etc/systemd/system/registry.timer")
    yield service("registry.timer", reads=UNITS)


def egress(host: Host) -> tuple[Egress, ...]:
    return (Egress("knot", 53, "tcp", "reading the children's CDS records"),)


ROLE = Role("registry", declare, egress=egress)
