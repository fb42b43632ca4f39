"""Copies of a subscriber's mail to other addresses, from an address of ours that leads back (SRS)."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, config, ensure, packages, program, secret, service
from postvakt.inventory import Host

SECRET = "/etc/postsrsd.secret"


def declare(host: Host) -> Iterator[Resource]:
    yield packages("postsrsd", "python3-psycopg")
    yield config("forward/usr/lib/sysusers.d/postvakt-forward.conf")
    yield ensure("user forward", unless="id forward", run="systemd-sysusers postvakt-forward.conf")
    yield program("forward.py", "/usr/lib/postvakt/forward")
    yield secret(SECRET, make="head -c 24 /dev/urandom | base64")
    yield config("forward/etc/default/postsrsd", host=host)
    yield service("postsrsd", reads=("/etc/default/postsrsd", SECRET))


ROLE = Role("forward", declare, state=(SECRET,))
