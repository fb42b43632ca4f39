"""The key of the lab's DNS root, made beforehand so that every host trusts it from the start."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import File, Resource, Role, directory, ensure, packages
from postvakt.inventory import Host

PEM = "/etc/knot/root-ksk.pem"
KEYMGR = "runuser -u knot -- keymgr -D /var/lib/knot/keys ."
NOW = "created=+0 publish=+0 ready=+0 active=+0"


def importing(pem: str) -> Role:
    def declare(host: Host) -> Iterator[Resource]:
        yield packages("knot", "knot-dnsutils")
        yield directory("/etc/knot", group="knot", mode=0o750)
        yield File(PEM, pem, "root", "knot", 0o640)
        yield directory("/var/lib/knot/keys", owner="knot", group="knot", mode=0o770)
        # Before Knot's first start: a key of its own would be one that nobody trusts.
        yield ensure(
            "key of the DNS root",
            unless=f"{KEYMGR} list | grep -q KSK",
            run=(
                "systemctl stop knot\n"
                f"{KEYMGR} generate algorithm=ecdsap256sha256 ksk=no zsk=yes {NOW}\n"
                f"{KEYMGR} import-pem {PEM} algorithm=ecdsap256sha256 ksk=yes zsk=no {NOW}"
            ),
        )

    return Role("root_key", declare)
