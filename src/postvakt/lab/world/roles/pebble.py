"""The certificate authority: Debian's pebble, a small ACME server (RFC 8555)."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Egress, File, Port, Resource, Role, config, directory, packages, service
from postvakt.inventory import Host
from postvakt.lab.outside import Keys

PORTS = (Port(14000), Port(15000))


def serving(keys: Keys) -> Role:
    def declare(host: Host) -> Iterator[Resource]:
        yield packages("pebble", "curl")
        yield config("pebble/etc/systemd/system/pebble.service")
        yield directory("/etc/pebble", mode=0o755)
        yield File("/etc/pebble/certificate.pem", keys.acme_certificate)
        yield File("/etc/pebble/key.pem", keys.acme_key, "root", "root", 0o600)
        yield config("pebble/etc/pebble/pebble.json")
        yield service("pebble", reads=("/etc/pebble",))

    return Role("pebble", declare, ports=PORTS, egress=egress)


def egress(host: Host) -> tuple[Egress, ...]:
    return (Egress("root", 80, "tcp", "looking at the challenge (HTTP-01)"),)
