"""The zones of the outside world: the root, the top-level domain, the other provider's own."""

from inventories.hosts import HOSTS
from postvakt.inventory import Kind
from postvakt.lab.outside import AUTHORITY, POLICY_HOST
from postvakt.lab.world.hosts import CLIENT, WORLD
from roles.knot import Zone, reverse_zones

NEGATIVE_SECONDS = 5
"""How long resolvers remember that a name is not there: short, since in the lab names come and go."""


def _addresses(name: str) -> tuple[str, ...]:
    return (f"{name} A {WORLD.ipv4.ip}", f"{name} AAAA {WORLD.ipv6.ip}")


_domain = HOSTS[0].estate.domain
_servers = [one for one in HOSTS if one.kind == Kind.DNS]

ROOT = Zone(
    ".",
    (
        "@ NS a.root-servers.elsewhere.example.",
        "example. NS ns.elsewhere.example.",
        *_addresses("a.root-servers.elsewhere.example."),
        *_addresses("ns.elsewhere.example."),
        *(f"{zone.name} NS {one.fqdn}." for zone in reverse_zones(HOSTS) for one in _servers),
        *(f"{one.fqdn}. A {one.ipv4.ip}" for one in _servers),
        *(f"{one.fqdn}. AAAA {one.ipv6.ip}" for one in _servers),
    ),
    negative=NEGATIVE_SECONDS,
)

TOP = Zone(
    "example.",
    (
        "@ NS ns.elsewhere.example.",
        "elsewhere NS ns.elsewhere.example.",
        *_addresses("ns.elsewhere.example."),
        *(f"{_domain}. NS {one.fqdn}." for one in _servers),
        *(f"{one.fqdn}. A {one.ipv4.ip}" for one in _servers),
        *(f"{one.fqdn}. AAAA {one.ipv6.ip}" for one in _servers),
    ),
    negative=NEGATIVE_SECONDS,
)

ELSEWHERE = Zone(
    "elsewhere.example.",
    (
        "@ NS ns",
        *_addresses("ns"),
        *_addresses("a.root-servers"),
        *_addresses("world"),
        *_addresses(AUTHORITY.split(".", maxsplit=1)[0]),
        f"client A {CLIENT.ipv4.ip}",
        f"client AAAA {CLIENT.ipv6.ip}",
        "@ MX 10 world",
        *_addresses(POLICY_HOST.split(".", maxsplit=1)[0]),
        '_mta-sts TXT "v=STSv1; id=1"',
        '@ TXT "v=spf1 mx -all"',
        '_dmarc TXT "v=DMARC1; p=reject"',
    ),
    negative=NEGATIVE_SECONDS,
)

ZONES = (ROOT, TOP, ELSEWHERE)
