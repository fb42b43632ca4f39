"""The account store: who has a mailbox, and exactly what the policy says is known of a subscriber."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, config, directory, ensure, packages, program
from postvakt.inventory import Host

STATE = ("/var/vmail",)
MIGRATIONS = ("001-accounts", "002-mailboxes", "003-sending", "004-forwards")
ROLE_ADDRESSES = (
    "abuse",
    "dmarc-reports",
    "dpo",
    "hostmaster",
    "security",
    "tls-reports",
    "webmaster",
)
"""Addresses that must be answered (RFC 2142), and where others report what they saw of our mail (RFC
7489, RFC 8460); they lead to the postmaster's mailbox."""
FOLDER = "/usr/share/postvakt/accounts"
ASK = "runuser -u postgres -- psql -XqtA -v ON_ERROR_STOP=1"


def declare(host: Host) -> Iterator[Resource]:
    yield packages("python3-argon2", "python3-psycopg")
    yield config("accounts/usr/lib/sysusers.d/postvakt-accounts.conf")
    yield ensure(
        "users accounts and vmail",
        unless="id accounts && id vmail",
        run="systemd-sysusers postvakt-accounts.conf",
    )
    # Below it, Dovecot makes each account's own directory (mode 0700) with its first message.
    yield directory("/var/vmail", owner="vmail", group="vmail", mode=0o750)
    yield ensure(
        "database accounts",
        unless=f"{ASK} -c \"SELECT 'found' FROM pg_database WHERE datname = 'accounts'\" | grep -q found",
        run="runuser -u postgres -- createdb --template template0 --encoding UTF8 --locale C.UTF-8 accounts",
    )
    for name in MIGRATIONS:
        yield config(f"accounts{FOLDER}/{name}.sql")
        yield ensure(
            f"schema {name}",
            unless=f"{ASK} accounts -c \"SELECT 'found' FROM migration WHERE name = '{name}'\" "
            "| grep -q found",
            run=f"{ASK} -1 accounts < {FOLDER}/{name}.sql",
        )
    yield program("accounts.py", "/usr/lib/postvakt/accounts")
    domain = host.estate.domain
    yield ensure(
        f"domain {domain} and its role addresses",
        unless=f"/usr/lib/postvakt/accounts hosts {domain} {' '.join(ROLE_ADDRESSES)}",
        run=f"/usr/lib/postvakt/accounts host {domain} {' '.join(ROLE_ADDRESSES)}",
    )


ROLE = Role("accounts", declare, state=STATE)
