"""PostgreSQL: on a unix socket only, where the kernel says who calls. There is no password to lose."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, config, packages, service
from postvakt.inventory import Host

CLUSTER = "/etc/postgresql/17/main"
STATE = ("/var/lib/postgresql",)


def declare(host: Host) -> Iterator[Resource]:
    yield packages("postgresql", "postgresql-17")
    for name in ("pg_hba.conf", "pg_ident.conf", "conf.d/postvakt.conf"):
        yield config(f"postgresql{CLUSTER}/{name}", owner="postgres", group="postgres", mode=0o640)
    yield service("postgresql@17-main", reads=(CLUSTER,))


ROLE = Role("postgresql", declare, state=STATE)
