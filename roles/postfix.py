"""The MTA: takes mail for subscribers, and mail from subscribers for the world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.ops import Egress, Port, Resource, Role, config, directory, packages, program, service
from postvakt.inventory import Host, Settings
from roles.mta_sts import DANE_FIRST, MTA_STS
from roles.tls_keys import pem

PORTS = (Port(25), Port(465), Port(587))
MAPS = (
    "mailboxes", "aliases", "domains", "senders", "revoked", "sending", "sending_as", "strangers",
)  # fmt: skip
CHECK = (
    "d=$(mktemp -d) && cp -a /etc/postfix/. $d/ && cp %s $d/{name} && postfix -c $d check && "
    "! postconf -c $d -nf 2>&1 >/dev/null | grep .; e=$?; rm -r $d; [ $e = 0 ]"
)
"""Postfix judges a configuration as a whole, so the staged file is looked at among the others; a
setting that it does not know it only warns of."""


@dataclass(frozen=True)
class Postfix(Settings):
    """What an inventory may say of mail in transit.

    ``message_size_mb``: the largest message that is taken. ``queue_hours`` and ``bounce_hours``: how
    long mail, and news of mail, that cannot be delivered waits; the queue is a mail store too, so
    not for long. ``warn_hours``: when its sender hears that it waits. ``trial_hour``, ``trial_day``,
    ``hour``, ``day``: how many recipients an account may name, on trial and subscribed;
    ``address_hour``: how many from one of its addresses.
    """

    message_size_mb: int = 50
    queue_hours: int = 48
    bounce_hours: int = 24
    warn_hours: int = 3
    trial_hour: int = 50
    trial_day: int = 150
    hour: int = 500
    day: int = 2000
    address_hour: int = 400


def declare(host: Host) -> Iterator[Resource]:
    settings = host.setting(Postfix)
    yield packages("postfix", "postfix-pcre", "postfix-pgsql")
    yield program("trace.py", "/usr/lib/postvakt/trace")
    yield directory("/etc/postfix/pgsql")
    for name in MAPS:
        yield config(
            "postfix/etc/postfix/pgsql/map.cf",
            to=f"/etc/postfix/pgsql/{name}.cf",
            map=name,
            settings=settings,
        )
    yield config("postfix/etc/postfix/submission_headers", host=host)
    yield config("postfix/etc/postfix/local_aliases", host=host)
    for name in ("main.cf", "master.cf"):
        yield config(
            f"postfix/etc/postfix/{name}",
            validate=CHECK.replace("{name}", name),
            host=host,
            settings=settings,
            pem=pem(host),
            dane_first=DANE_FIRST,
            mta_sts=MTA_STS,
            maps=MAPS,
        )
    yield service("postfix", reads=("/etc/postfix", pem(host)))


def egress(host: Host) -> tuple[Egress, ...]:
    return (Egress("postfix", 25, "tcp", "mail to other providers"),)


ROLE = Role("postfix", declare, ports=PORTS, egress=egress)
