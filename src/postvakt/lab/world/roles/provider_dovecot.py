"""The other provider's mailboxes: Dovecot with its users in a file."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Port, Resource, Role, config, ensure, packages, service
from postvakt.inventory import Host
from postvakt.lab.world.people import ELLEN

PORTS = (Port(993),)


def declare(host: Host) -> Iterator[Resource]:
    yield packages("dovecot-imapd", "dovecot-lmtpd")
    yield ensure(
        "user vmail",
        unless="id vmail",
        run="useradd --system --create-home --home-dir /var/vmail --shell /usr/sbin/nologin vmail",
    )
    yield config(
        "provider_dovecot/etc/dovecot/users",
        owner="root",
        group="dovecot",
        mode=0o640,
        person=ELLEN,
    )
    yield config("provider_dovecot/etc/dovecot/dovecot.conf", validate="doveconf -n -c %s", host=host)
    yield service("dovecot", reads=("/etc/dovecot", f"/etc/letsencrypt/live/{host.fqdn}"))


ROLE = Role("provider_dovecot", declare, ports=PORTS)
