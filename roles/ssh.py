"""SSH: keys only, no root, modern algorithms, the host's Ed25519 key alone."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Port, Resource, Role, absent, config, packages, secret, service
from postvakt.inventory import Host

PORTS = (Port(22),)
STATE = ("/etc/ssh/ssh_host_ed25519_key",)


def declare(host: Host) -> Iterator[Resource]:
    yield packages("openssh-server")
    yield config("ssh/etc/ssh/sshd_config", mode=0o600, validate="sshd -t -f %s")
    yield secret(
        "/etc/ssh/ssh_host_ed25519_key",
        make="d=$(mktemp -d); ssh-keygen -q -t ed25519 -N '' -C '' -f $d/k; cat $d/k; rm -r $d",
    )
    for other in ("ecdsa", "rsa"):
        yield absent(f"/etc/ssh/ssh_host_{other}_key")
        yield absent(f"/etc/ssh/ssh_host_{other}_key.pub")
    # One way in: the socket unit would listen beside the service.
    yield absent("ssh.socket")
    yield service("ssh", reads=("/etc/ssh/sshd_config", "/etc/ssh/ssh_host_ed25519_key"))


ROLE = Role("ssh", declare, ports=PORTS, state=STATE)
