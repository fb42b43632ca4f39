"""What must not be on a host any more: one line each, with the date on which it left."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, absent
from postvakt.inventory import Host

RETIRED: tuple[tuple[str, str], ...] = (
    # (path, or unit with its suffix; when and why it left)
    ("/etc/systemd/journald.conf.d/postvakt.conf", "2026-11-24: Debian's syslog.conf came after it"),
    # Last: the first deploy is in on these rights, and its login is older than its operators group.
    ("/etc/sudoers.d/90-cloud-init-users", "2026-11-24: the account that a host arrives with"),
)


def declare(host: Host) -> Iterator[Resource]:
    for name, _ in RETIRED:
        yield absent(name)


ROLE = Role("retired", declare)
