"""PostgreSQL: on a unix socket only, where the kernel says who calls. There is no password to lose."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, config, packages, service
from postvakt.inventory import Host

CLUSTER = "/etc/postgresql/17/main"
DATA = "/var/lib/postgresql/17/main"
UNIT = "/etc/systemd/system/postgresql@17-main.service.d/postvakt.conf"
STATE = ("/var/lib/postgresql",)
CHECK = f"runuser -u postgres -- /usr/lib/postgresql/17/bin/postgres -D {DATA} -C port -c config_file=%s"
"""The server judges the settings, without their values being used and without starting."""


def declare(host: Host) -> Iterator[Resource]:
    # The package makes the cluster 17/main, which the held service does not start yet.
    yield packages("postgresql", "postgresql-17")
    for name, check in (
        ("pg_hba.conf", None),
        ("pg_ident.conf", None),
        ("conf.d/postvakt.conf", CHECK),
    ):
        yield config(
            f"postgresql{CLUSTER}/{name}",
            owner="postgres",
            group="postgres",
            mode=0o640,
            validate=check,
        )
    yield config(f"postgresql{UNIT}")
    yield service("postgresql@17-main", reads=(CLUSTER, UNIT))
    # Debian's unit of all clusters: what starts ours when the host boots.
    yield service("postgresql")


ROLE = Role("postgresql", declare, state=STATE)
