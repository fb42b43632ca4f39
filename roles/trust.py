"""Whom a host trusts for HTTPS: Debian's list; in a lab, the lab's own authority too."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, absent, config, ensure
from postvakt.inventory import Host

ANCHOR = "/usr/local/share/ca-certificates/outside.crt"
LINK = "/etc/ssl/certs/outside.pem"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def declare(host: Host) -> Iterator[Resource]:
    if host.outside.authority is None:
        yield absent(ANCHOR)
        current = f"test ! -L {LINK}"
    else:
        yield config("trust/usr/local/share/ca-certificates/outside.crt", pem=host.outside.authority)
        current = f"test -e {LINK} && test {BUNDLE} -nt {ANCHOR}"
    yield ensure("trusted authorities", unless=current, run="update-ca-certificates --fresh")


ROLE = Role("trust", declare)
