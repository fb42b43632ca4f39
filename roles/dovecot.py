"""Mailboxes: Dovecot gives them over IMAP and POP3, takes mail by LMTP, sorts it by Sieve, searches it, and
says to Postfix who may send and who has no room."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Port, Resource, Role, config, packages, program, service
from postvakt.inventory import Host
from roles.tls_keys import pem

PORTS = (Port(993), Port(995), Port(4190))


def declare(host: Host) -> Iterator[Resource]:
    yield packages("dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd", "dovecot-pgsql")
    yield packages("dovecot-sieve", "dovecot-managesieved", "dovecot-flatcurve")
    yield program("quota_warning.py", "/usr/lib/postvakt/quota-warning")
    yield config("dovecot/etc/dovecot/dovecot.conf", validate="doveconf -n -c %s", host=host, pem=pem(host))
    yield service("dovecot", reads=("/etc/dovecot", pem(host)))


ROLE = Role("dovecot", declare, ports=PORTS)
