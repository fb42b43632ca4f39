"""Authoritative DNS: Knot signs the provider's zones by itself, keys and rollovers included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.ops import Port, Resource, Role, config, directory, packages, service
from postvakt.inventory import Host, Kind
from roles import autoconfig, mta_sts
from roles.records import PUBLISHED, names_of

PORTS = (Port(53, "udp"), Port(53, "tcp"))
STATE = ("/var/lib/knot",)
DMARC = "p=reject; sp=reject; adkim=s; aspf=s"
"""Mail that claims to be ours and is not is to be refused (SEC-03)."""
CHECK = "knotc -c %s conf-check"


@dataclass(frozen=True)
class Zone:
    """A zone as data: ``records`` are lines of a zone file without TTL.

    ``negative``: for how many seconds resolvers may remember that a name is not there. ``includes``:
    files with records that hosts have published themselves (``roles/records.py``).
    """

    name: str
    records: tuple[str, ...]
    negative: int = 300
    includes: tuple[str, ...] = ()


def estate_zone(hosts: tuple[Host, ...], web: tuple[str, ...]) -> Zone:
    """The provider's own zone: every host's addresses, the way to its mail, and who may speak for it.

    ``web`` are the names under which the mail host serves pages.
    """
    estate = hosts[0].estate
    records = [f"@ NS {one.fqdn}." for one in hosts if one.kind == Kind.DNS]
    for one in hosts:
        records += [f"{one.fqdn}. A {one.ipv4.ip}", f"{one.fqdn}. AAAA {one.ipv6.ip}"]
    records += [f"@ MX 10 {one.fqdn}." for one in hosts if one.kind == Kind.MAIL]
    for mail in (one for one in hosts if one.kind == Kind.MAIL):
        for name in web:
            records += [f"{name}. A {mail.ipv4.ip}", f"{name}. AAAA {mail.ipv6.ip}"]
        records += autoconfig.records(mail)
    records += [
        '@ TXT "v=spf1 mx -all"',
        f'_dmarc TXT "v=DMARC1; {DMARC}; rua=mailto:dmarc-reports@{estate.domain}"',
        mta_sts.record(hosts),
        # Others tell us of failures; we tell nobody of theirs (LOG-06).
        f'_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls-reports@{estate.domain}"',
        '@ CAA 0 issue "letsencrypt.org; validationmethods=http-01"',
        '@ CAA 0 issuewild ";"',
        f'@ CAA 0 iodef "mailto:{estate.contact}"',
    ]
    # A host that is no mail host accepts no mail and sends none (RFC 7505, RFC 7208).
    records += [f'{one.fqdn}. TXT "v=spf1 {"a -all" if one.kind == Kind.MAIL else "-all"}"' for one in hosts]
    includes = tuple(f"{PUBLISHED}/{one.name}" for one in hosts if names_of(one))
    return Zone(f"{estate.domain}.", tuple(records), includes=includes)


def reverse_zones(hosts: tuple[Host, ...]) -> tuple[Zone, ...]:
    """The zones that tell a host's name from its address, one a network of the estate."""
    servers = tuple(f"@ NS {one.fqdn}." for one in hosts if one.kind == Kind.DNS)
    records: dict[str, list[str]] = {}
    for one in hosts:
        for address in (one.ipv4, one.ipv6):
            pointer = address.ip.reverse_pointer
            digits = address.network.prefixlen // (8 if address.version == 4 else 4)
            labels = pointer.split(".")
            zone = ".".join(labels[(4 if address.version == 4 else 32) - digits :])
            records.setdefault(f"{zone}.", []).append(f"{pointer}. PTR {one.fqdn}.")
    return tuple(Zone(name, (*servers, *rows)) for name, rows in records.items())


def serving(*zones: Zone) -> Role:
    """The name server for these zones."""

    def declare(host: Host) -> Iterator[Resource]:
        yield packages("knot", "knot-dnssecutils", "knot-dnsutils")
        yield directory("/var/lib/knot/zones", owner="knot", group="knot", mode=0o750)
        yield config(
            "knot/etc/knot/knot.conf",
            group="knot",
            mode=0o640,
            validate=CHECK,
            host=host,
            zones=zones,
        )
        for zone in zones:
            yield config(
                "knot/var/lib/knot/zones/zone",
                to=f"/var/lib/knot/zones/{zone.name}zone",
                owner="knot",
                group="knot",
                mode=0o640,
                validate=f"kzonecheck -o {zone.name} %s",
                host=host,
                zone=zone,
            )
        reads = ("/etc/knot/knot.conf", *(f"/var/lib/knot/zones/{zone.name}zone" for zone in zones))
        yield service("knot", reads=reads)

    return Role("knot", declare, ports=PORTS, state=STATE)
