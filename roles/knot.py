"""Authoritative DNS: Knot signs the provider's zones by itself, keys and rollovers included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.ops import Port, Resource, Role, config, directory, ensure, packages, program, service
from postvakt.inventory import Host, Kind

PORTS = (Port(53, "udp"), Port(53, "tcp"))
STATE = ("/var/lib/knot",)
PUBLISHED = "/var/lib/knot/published"
CHECK = "knotc -c %s conf-check"


@dataclass(frozen=True)
class Zone:
    """A zone as data: ``records`` are lines of a zone file without TTL.

    ``negative``: for how many seconds resolvers may remember that a name is not there. ``published``:
    records that other hosts know, their public keys, are brought here by the operator's program.
    """

    name: str
    records: tuple[str, ...]
    negative: int = 300
    published: bool = False


def estate_zone(hosts: tuple[Host, ...]) -> Zone:
    """The provider's own zone: every host's addresses, the way to its mail, and who may speak for it."""
    estate = hosts[0].estate
    records = [f"@ NS {one.fqdn}." for one in hosts if one.kind == Kind.DNS]
    for one in hosts:
        records += [f"{one.fqdn}. A {one.ipv4.ip}", f"{one.fqdn}. AAAA {one.ipv6.ip}"]
    records += [f"@ MX 10 {one.fqdn}." for one in hosts if one.kind == Kind.MAIL]
    records += [
        '@ TXT "v=spf1 mx -all"',
        '_dmarc TXT "v=DMARC1; p=reject; adkim=s; aspf=s"',
        f'@ CAA 0 iodef "mailto:{estate.contact}"',
    ]
    # A host that is no mail host accepts no mail and sends none (RFC 7505, RFC 7208).
    records += [f'{one.fqdn}. TXT "v=spf1 {"a -all" if one.kind == Kind.MAIL else "-all"}"' for one in hosts]
    return Zone(f"{estate.domain}.", tuple(records), published=True)


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
            if zone.published:
                yield directory(PUBLISHED, owner="knot", group="knot", mode=0o750)
                place = f"{PUBLISHED}/{zone.name}zone"
                yield ensure(
                    place, unless=f"[ -f {place} ]", run=f"install -o knot -g knot -m 640 /dev/null {place}"
                )
                yield program("published.py", "/usr/lib/postvakt/published")
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
