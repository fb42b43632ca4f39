"""The clock, from authenticated time servers (NTS, RFC 8915): every retention limit is counted by it."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Egress, Resource, Role, config, packages, service
from postvakt.inventory import Host

SERVERS = ("nts.netnod.se", "ptbtime1.ptb.de", "time.cloudflare.com")


def declare(host: Host) -> Iterator[Resource]:
    yield packages("chrony")
    yield config("chrony/etc/chrony/chrony.conf", servers=SERVERS)
    yield config("chrony/etc/default/chrony")
    # Not in a container, whose clock is the machine's: there the unit refuses by itself.
    reads = ("/etc/chrony/chrony.conf", "/etc/default/chrony")
    yield service("chrony", reads=reads, conditional=True)


def egress(host: Host) -> tuple[Egress, ...]:
    return (
        Egress("_chrony", 123, "udp", "time"),
        Egress("_chrony", 4460, "tcp", "key exchange for authenticated time"),
    )


ROLE = Role("chrony", declare, egress=egress)
