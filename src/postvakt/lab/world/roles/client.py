"""A subscriber's machine: the mail programs of somebody at home."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Egress, Resource, Role, packages
from postvakt.inventory import Host


def declare(host: Host) -> Iterator[Resource]:
    yield packages("swaks", "openssl", "bind9-dnsutils", "curl")


def egress(host: Host) -> tuple[Egress, ...]:
    ports = (25, 53, 80, 443, 465, 587, 993, 995, 4190)
    return tuple(Egress("root", port, "tcp", "what a person does at home") for port in ports)


ROLE = Role("client", declare, egress=egress)
