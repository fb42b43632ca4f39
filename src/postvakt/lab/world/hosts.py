"""The hosts of the outside world. They stand in the lab only."""

from enum import StrEnum
from ipaddress import IPv4Interface, IPv6Interface

from postvakt.inventory import Country, Estate, Host, Site


class WorldKind(StrEnum):
    WORLD = "world"
    CLIENT = "client"


ELSEWHERE = Estate(
    name="Elsewhere",
    domain="elsewhere.example",
    operators=(),
    contact="hostmaster@elsewhere.example",
)
NOWHERE = Site(
    name="nowhere",
    country=Country.NOWHERE,
    facility="the lab",
    legal_entity="none",
    contract="none",
)


def _host(kind: WorldKind, ipv4: str, ipv6: str) -> Host:
    return Host(
        name=kind.value,
        kind=kind,
        site=NOWHERE,
        estate=ELSEWHERE,
        ipv4=IPv4Interface(ipv4),
        ipv6=IPv6Interface(ipv6),
        holds=(),
        team="lab",
    )


WORLD = _host(WorldKind.WORLD, "198.18.0.2/24", "2001:db8:18::2/64")
CLIENT = _host(WorldKind.CLIENT, "198.18.0.100/24", "2001:db8:18::100/64")
HOSTS = (WORLD, CLIENT)
