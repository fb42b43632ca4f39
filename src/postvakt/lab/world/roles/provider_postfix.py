"""The other provider's mail transfer agent. It verifies what it receives as any good neighbour does."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Egress, Port, Resource, Role, config, packages, service
from postvakt.inventory import Host
from postvakt.lab.world.people import ELLEN

PORTS = (Port(25), Port(465))


def declare(host: Host) -> Iterator[Resource]:
    yield packages("postfix")
    yield config("provider_postfix/etc/postfix/main.cf", host=host)
    yield config("provider_postfix/etc/postfix/master.cf")
    yield config("provider_postfix/etc/postfix/mailboxes", person=ELLEN)
    yield service("postfix", reads=("/etc/postfix", f"/etc/letsencrypt/live/{host.fqdn}"))


def egress(host: Host) -> tuple[Egress, ...]:
    return (Egress("postfix", 25, "tcp", "mail to other providers"),)


ROLE = Role("provider_postfix", declare, ports=PORTS, egress=egress)
