"""The virus scanner: clamd on a unix socket, its signatures fetched from one mirror."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from deploy.ops import Egress, Resource, Role, absent, config, ensure, packages, service
from postvakt.inventory import Host

MIRROR = "https://database.clamav.net"
DROP_IN = "clamav/etc/systemd/system/clamav-daemon"
WAIT_SECONDS = 240
LARGEST_MB = 80
"""A whole message of the largest size that is taken, in its encoding."""
MOST_FILES = 5000


def declare(host: Host) -> Iterator[Resource]:
    yield packages("clamav-daemon", "clamav-freshclam")
    for name in ("clamd.conf", "freshclam.conf"):
        yield config(
            f"clamav/etc/clamav/{name}",
            mirror=urlsplit(MIRROR).netloc,
            outside=host.outside,
            largest_mb=LARGEST_MB,
            most_files=MOST_FILES,
        )
    yield config(f"{DROP_IN}.socket.d/postvakt.conf")
    yield config(f"{DROP_IN}.service.d/postvakt.conf")
    # The journal is the only log, and what packages make for others goes.
    yield absent("/etc/logrotate.d/clamav-daemon")
    yield absent("/etc/logrotate.d/clamav-freshclam")
    # clamd does not start without signatures, so the first ones come before it.
    yield ensure(
        "first signatures",
        unless="ls /var/lib/clamav | grep -qE '[.](cvd|cld|ndb)$'",
        run=(
            "systemctl stop clamav-freshclam\n"
            f"for try in $(seq {WAIT_SECONDS // 5}); do\n"
            "said=$(freshclam --quiet --no-warnings --stdout) && exit 0\nsleep 5; done\n"
            'echo "$said"; exit 1'
        ),
        seconds=3 * WAIT_SECONDS,
    )
    yield service("clamav-daemon.socket", reads=("/etc/systemd/system/clamav-daemon.socket.d",))
    yield service("clamav-daemon", reads=("/etc/clamav/clamd.conf",))
    yield service("clamav-freshclam", reads=("/etc/clamav/freshclam.conf",))


def egress(host: Host) -> tuple[Egress, ...]:
    mirror = urlsplit(host.outside.signature_mirror or MIRROR)
    return (Egress("clamav", mirror.port or 443, "tcp", "virus signatures"),)


ROLE = Role("clamav", declare, egress=egress)
