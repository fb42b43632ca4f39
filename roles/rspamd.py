"""The spam filter: asked by Postfix about every message, in and out. It asks nobody but our resolver."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, config, ensure, packages, service
from postvakt.inventory import Host

CHECK = "rspamadm configtest -c %s"
SYSUSERS = "/usr/lib/sysusers.d/postvakt-rspamd.conf"


def declare(host: Host) -> Iterator[Resource]:
    yield packages("rspamd")
    # Who may teach the filter: the mailboxes, and nobody because of something else that they may.
    yield config(f"rspamd{SYSUSERS}")
    yield ensure(
        "group spam-teachers",
        unless="getent group spam-teachers",
        run="systemd-sysusers postvakt-rspamd.conf",
    )
    yield config("rspamd/etc/systemd/system/rspamd.service.d/postvakt.conf")
    yield config("rspamd/etc/rspamd/rspamd.conf", validate=CHECK, host=host)
    yield service("rspamd", reads=("/etc/rspamd", "/etc/systemd/system/rspamd.service.d"))


ROLE = Role("rspamd", declare)
