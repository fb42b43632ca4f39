"""MTA-STS (RFC 8461), both ways: what senders to us are held to, and what Postfix holds others to.

Postfix takes the first answer of its maps. A receiver with DANE is held to that and not to MTA-STS,
which must not weaken it (RFC 8461, section 2): so the first map finds out whether there is DANE.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from deploy.ops import Egress, Resource, Role, config, packages, program, service
from postvakt.inventory import Host, Kind
from postvakt.policy import TRANSPORT_SECURITY
from roles.nginx import Page, Site

DANE_FIRST = "/run/dane-first/socket"
MTA_STS = "/run/mta-sts/socket"
UNITS = "/etc/systemd/system"
CACHED_SECONDS = TRANSPORT_SECURITY.min_mta_sts_seconds * 2


def policy(hosts: tuple[Host, ...]) -> str:
    """Whoever sends to us does so encrypted, to these hosts, or keeps the mail."""
    lines = ["version: STSv1", "mode: enforce"]
    lines += [f"mx: {one.fqdn}" for one in hosts if one.kind == Kind.MAIL]
    return "".join(f"{line}\r\n" for line in [*lines, f"max_age: {CACHED_SECONDS}"])


def site(hosts: tuple[Host, ...]) -> Site:
    pages = (Page("/.well-known/mta-sts.txt", "text/plain", policy(hosts)),)
    return Site((f"mta-sts.{hosts[0].estate.domain}",), pages)


def record(hosts: tuple[Host, ...]) -> str:
    """The id changes with the text and with nothing else: senders fetch the text when it changes."""
    return f'_mta-sts TXT "v=STSv1; id={sha256(policy(hosts).encode()).hexdigest()[:32]}"'


def declare(host: Host) -> Iterator[Resource]:
    yield packages("postfix-mta-sts-resolver", "python3-dnspython")
    yield program("dane_first.py", "/usr/lib/postvakt/dane-first")
    yield config(f"mta_sts{UNITS}/dane-first.service", socket=DANE_FIRST)
    yield service("dane-first", reads=("/usr/lib/postvakt/dane-first",))
    yield config("mta_sts/etc/mta-sts-daemon.yml", socket=MTA_STS)
    drop_in = f"{UNITS}/postfix-mta-sts-resolver.service.d/postvakt.conf"
    yield config(f"mta_sts{drop_in}")
    yield service("postfix-mta-sts-resolver", reads=("/etc/mta-sts-daemon.yml",))


def egress(host: Host) -> tuple[Egress, ...]:
    return (Egress("_mta-sts", 443, "tcp", "what other providers promise (MTA-STS)"),)


ROLE = Role("mta_sts", declare, egress=egress)
