"""The firewall: nothing comes in and nothing goes out that no role has declared."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, config, packages, service
from postvakt.inventory import Host

CHECK = "nft -c -f %s"


def guarding(roles: tuple[Role, ...]) -> Role:
    """The firewall of a host that runs these roles."""

    def declare(host: Host) -> Iterator[Resource]:
        yield packages("nftables")
        yield config(
            "nftables/etc/nftables.conf",
            mode=0o600,
            validate=CHECK,
            ports=sorted({(port.protocol, port.number, role.name) for role in roles for port in role.ports}),
            egress=sorted({rule for role in roles for rule in role.egress(host)}),
        )
        yield service("nftables", reads=("/etc/nftables.conf",), reload=True)

    return Role("nftables", declare)
