"""The other provider's mail transfer agent. It verifies what it receives as any good neighbour does."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Egress, File, Port, Resource, Role, config, packages, service
from postvakt.inventory import Host
from postvakt.lab.outside import Keys
from postvakt.lab.world.people import ELLEN

PORTS = (Port(25), Port(465))


def serving(keys: Keys) -> Role:
    def declare(host: Host) -> Iterator[Resource]:
        yield packages("postfix")
        yield config("provider_postfix/etc/postfix/main.cf", host=host)
        yield config("provider_postfix/etc/postfix/master.cf")
        yield config("provider_postfix/etc/postfix/mailboxes", person=ELLEN)
        # What other providers see: a certificate of an authority that they trust.
        yield File("/etc/postfix/mx.pem", keys.mx_key + keys.mx_certificate, mode=0o600)
        # Beside it one that has run out, for the journey that shows it.
        yield File("/etc/postfix/mx-expired.pem", keys.mx_key + keys.mx_expired, mode=0o600)
        yield service("postfix", reads=("/etc/postfix", f"/etc/letsencrypt/live/{host.fqdn}"))

    return Role("provider_postfix", declare, ports=PORTS, egress=egress)


def egress(host: Host) -> tuple[Egress, ...]:
    return (Egress("postfix", 25, "tcp", "mail to other providers"),)
