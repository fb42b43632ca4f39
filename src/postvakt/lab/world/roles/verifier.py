"""What the other provider verifies signatures with, on demand: not the program that makes them."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, config, packages
from postvakt.inventory import Host


def declare(host: Host) -> Iterator[Resource]:
    yield packages("python3-dkim", "python3-nacl", "python3-dnspython")
    yield config("verifier/usr/local/lib/verify", mode=0o755)


ROLE = Role("verifier", declare)
