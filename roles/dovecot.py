"""Mailboxes: Dovecot gives them over IMAP, takes mail by LMTP, and says to Postfix who may send."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Port, Resource, Role, config, packages, service
from postvakt.inventory import Host
from roles.tls_keys import pem

PORTS = (Port(993),)


def declare(host: Host) -> Iterator[Resource]:
    yield packages("dovecot-imapd", "dovecot-lmtpd", "dovecot-pgsql")
    yield config("dovecot/etc/dovecot/dovecot.conf", validate="doveconf -n -c %s", host=host, pem=pem(host))
    yield service("dovecot", reads=("/etc/dovecot", pem(host)))


ROLE = Role("dovecot", declare, ports=PORTS)
