"""What the lab builds: which hosts stand on which network. Addresses are the inventories' own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface

from postvakt.inventory import Host


@dataclass(frozen=True)
class Segment:
    """One network: a bridge in the lab's namespace, which is the router of its hosts."""

    bridge: str
    gateway4: IPv4Interface
    gateway6: IPv6Interface


@dataclass(frozen=True)
class Machine:
    name: str
    fqdn: str
    ipv4: IPv4Interface
    ipv6: IPv6Interface
    segment: Segment


def machines(hosts: Iterable[Host]) -> tuple[Machine, ...]:
    """Every host on the segment of its network; the first address of a network is its router."""
    segments: dict[str, Segment] = {}
    built = []
    for host in hosts:
        network4, network6 = host.ipv4.network, host.ipv6.network
        segment = segments.setdefault(
            str(network4),
            Segment(
                f"br{len(segments)}",
                IPv4Interface(f"{network4[1]}/{network4.prefixlen}"),
                IPv6Interface(f"{network6[1]}/{network6.prefixlen}"),
            ),
        )
        built.append(Machine(host.name, host.fqdn, host.ipv4, host.ipv6, segment))
    return tuple(built)
