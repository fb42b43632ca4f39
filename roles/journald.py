"""The journal: files of one day, kept for less than the promised week (LOG-02), on this host alone."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, config, directory, service
from postvakt.inventory import Host
from postvakt.policy import DELIVERY_LOGS


def declare(host: Host) -> Iterator[Resource]:
    yield directory("/var/log/journal", group="systemd-journal", mode=0o2755)
    # The last name wins, and Debian's own syslog.conf would open the way that this closes.
    yield config("journald/etc/systemd/journald.conf.d/zz-postvakt.conf", logs=DELIVERY_LOGS)
    yield service("systemd-journald", reads=("/etc/systemd/journald.conf.d",))


ROLE = Role("journald", declare)
