"""The other provider's MTA-STS policy (RFC 8461), by HTTPS."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import File, Port, Resource, Role, config, packages, service
from postvakt.inventory import Host
from postvakt.lab.outside import POLICY_HOST, Keys

PORTS = (Port(443),)


def serving(keys: Keys) -> Role:
    def declare(host: Host) -> Iterator[Resource]:
        yield packages("nginx")
        yield File("/etc/nginx/policy.pem", keys.mx_key + keys.mx_certificate, mode=0o600)
        yield config("provider_sts/var/www/policy/.well-known/mta-sts.txt", host=host, seconds=86400)
        yield config("provider_sts/etc/nginx/nginx.conf", name=POLICY_HOST)
        yield service("nginx", reads=("/etc/nginx/nginx.conf", "/etc/nginx/policy.pem"))

    return Role("provider_sts", declare, ports=PORTS)
