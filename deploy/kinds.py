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
    autoconfig,
    certbot,
    chrony,
    clamav,
    dkim,
    dovecot,
    forward,
    journald,
    junk,
    knot,
    mta_sts,
    nftables,
    nginx,
    postfix,
    postgresql,
    records,
    retired,
    rspamd,
    security_txt,
    sending,
    ssh,
    sysctl,
    tls_keys,
    trust,
    unattended_upgrades,
    unbound,
    users,
    valkey,
)
from roles.knot import estate_zone, reverse_zones
from roles.nginx import Site

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


def sites(mail: Host) -> tuple[Site, ...]:
    """What the mail host serves by HTTPS."""
    return (mta_sts.site(HOSTS), *autoconfig.sites(mail), security_txt.site(mail.estate))


def web_names(mail: Host) -> tuple[str, ...]:
    return tuple(name for site in sites(mail) for name in site.names)


def estate_names() -> tuple[str, ...]:
    return tuple(name for one in HOSTS if one.kind == Kind.MAIL for name in web_names(one))


KINDS: dict[str, tuple[Role, ...]] = {
    Kind.DNS: (
        records.receiving(HOSTS),
        knot.serving(estate_zone(HOSTS, estate_names()), *reverse_zones(HOSTS)),
        records.RELOADING,
    ),
    Kind.MAIL: (
        postgresql.ROLE,
        records.publishing(HOSTS),
        nginx.serving(sites),
        certbot.obtaining(tls_keys.lineages, lambda host: (host.fqdn, *web_names(host)), nginx.CHALLENGES),
        tls_keys.ROLE,
        accounts.ROLE,
        valkey.ROLE,
        clamav.ROLE,
        dkim.ROLE,
        rspamd.ROLE,
        junk.ROLE,
        dovecot.ROLE,
        forward.ROLE,
        mta_sts.ROLE,
        postfix.ROLE,
        sending.ROLE,
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
