"""The key of the lab's DNS root, made by the lab beforehand so that every host can trust it from the start."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import File, Resource, Role, directory, ensure, packages
from postvakt.inventory import Host

PEM = "/etc/knot/root-ksk.pem"


def importing(pem: str) -> Role:
    def declare(host: Host) -> Iterator[Resource]:
        yield packages("knot", "knot-dnsutils")
        yield directory("/etc/knot", group="knot", mode=0o750)
        yield File(PEM, pem, "root", "knot", 0o640)
        yield directory("/var/lib/knot", owner="knot", group="knot", mode=0o770)
        # Before Knot's first start: a key of its own would be one that nobody trusts.
        yield ensure(
            "key of the DNS root",
            unless="runuser -u knot -- keymgr -D /var/lib/knot/keys . list | grep -q .",
            run=(
                "systemctl stop knot\n"
                f"runuser -u knot -- keymgr -D /var/lib/knot/keys . import-pem {PEM} "
                "algorithm=ecdsap256sha256 ksk=yes zsk=no created=+0 publish=+0 ready=+0 active=+0"
            ),
        )

    return Role("root_key", declare)
