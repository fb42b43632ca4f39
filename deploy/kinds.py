"""What runs where: the one entry point of a deploy. Read it from top to bottom.

pyinfra inventories/norway/hosts.py deploy/site.py
"""

from __future__ import annotations

from deploy.ops import Role
from inventories.hosts import HOSTS
from postvakt.inventory import Host, Kind
from roles import (
    accounts,
    apt,
    certbot,
    chrony,
    clamav,
    dkim,
    dovecot,
    journald,
    junk,
    knot,
    nftables,
    postfix,
    postgresql,
    retired,
    rspamd,
    ssh,
    sysctl,
    trust,
    unattended_upgrades,
    unbound,
    users,
    valkey,
)
from roles.knot import estate_zone

BASE = (
    trust.ROLE,
    users.ROLE,
    ssh.ROLE,
    sysctl.ROLE,
    journald.ROLE,
    chrony.ROLE,
    unbound.ROLE,
    unattended_upgrades.ROLE,
)
"""On every host, after its packages and its firewall."""

KINDS: dict[str, tuple[Role, ...]] = {
    Kind.DNS: (knot.serving(estate_zone(HOSTS)),),
    Kind.MAIL: (
        postgresql.ROLE,
        certbot.ROLE,
        accounts.ROLE,
        valkey.ROLE,
        clamav.ROLE,
        dkim.ROLE,
        rspamd.ROLE,
        junk.ROLE,
        dovecot.ROLE,
        postfix.ROLE,
    ),
    Kind.SUPPORT: (),
    Kind.BACKUP: (),
    Kind.WEB: (),
}
"""On top of that, in this order. Hosts are deployed side by side; where one needs another, its role
waits for what it needs (the certificate for the name in DNS) and for nothing else."""


def roles_of(host: Host) -> tuple[Role, ...]:
    """The roles of a host, in the order in which they are deployed."""
    own = (*BASE, *KINDS[host.kind])
    return (apt.ROLE, nftables.guarding((apt.ROLE, *own)), *own, retired.ROLE)
