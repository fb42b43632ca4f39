"""The web server: sites are data of other roles. Strict TLS, and nobody's visit is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from deploy.ops import File, Port, Resource, Role, config, directory, packages, service
from postvakt.inventory import Host
from roles.tls_keys import pem, placeholder

PORTS = (Port(80), Port(443))
CHALLENGES = "/var/lib/postvakt/acme"
CHECK = "nginx -t -q -c %s"


@dataclass(frozen=True)
class Page:
    """One text at one path. ``type`` is its media type."""

    path: str
    type: str
    text: str


@dataclass(frozen=True)
class Site:
    """What is served by HTTPS under these names; over HTTP there is nothing but the way there."""

    names: tuple[str, ...]
    pages: tuple[Page, ...]

    @property
    def folder(self) -> str:
        return f"/var/www/{self.names[0]}"


Sites = Callable[[Host], tuple[Site, ...]]


def serving(sites: Sites) -> Role:
    """The web server of a host with these sites. The host's certificate must be for all their names."""

    def declare(host: Host) -> Iterator[Resource]:
        yield packages("nginx")
        yield directory(CHALLENGES)
        yield from placeholder(host)
        for site in sites(host):
            yield directory(site.folder)
            for page in site.pages:
                yield File(f"{site.folder}{page.path}", page.text)
        yield config(
            "nginx/etc/nginx/nginx.conf",
            validate=CHECK,
            sites=sites(host),
            challenges=CHALLENGES,
            pem=pem(host),
        )
        yield service("nginx", reads=("/etc/nginx/nginx.conf", pem(host)), reload=True)

    return Role("nginx", declare, ports=PORTS)
