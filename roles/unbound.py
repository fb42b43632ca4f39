"""The resolver: local, recursive, DNSSEC-validating. Nobody else's resolver sees a query."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Egress, Port, Resource, Role, absent, config, packages, service
from postvakt.inventory import Host

PORTS = (Port(53, "udp"), Port(53, "tcp"))


def serving(*networks: str) -> Role:
    """A resolver for the host itself, and for these networks beside it."""

    def declare(host: Host) -> Iterator[Resource]:
        yield packages("unbound", "dns-root-data")
        if host.outside.root_hints is not None:
            yield config("unbound/etc/unbound/outside.hints", hints=host.outside.root_hints)
        else:
            yield absent("/etc/unbound/outside.hints")
        yield config(
            "unbound/etc/unbound/unbound.conf",
            validate="unbound-checkconf %s",
            host=host,
            networks=networks,
        )
        yield absent("systemd-resolved")
        yield service("unbound", reads=("/etc/unbound",))
        yield config("unbound/etc/resolv.conf")

    return Role("unbound", declare, ports=PORTS if networks else (), egress=egress)


def egress(host: Host) -> tuple[Egress, ...]:
    return (
        Egress("unbound", 53, "udp", "names, asked of the servers that own them"),
        Egress("unbound", 53, "tcp", "names, asked of the servers that own them"),
    )


ROLE = serving()
