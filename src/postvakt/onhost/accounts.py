#!/usr/bin/python3
"""The account store's own program: the one way in which accounts are made and shown.

    accounts add ADDRESS [--plan trial|subscribed] [--first-name ...]   password on standard input
    accounts list
    accounts show ADDRESS
    accounts host DOMAIN ROLE...    make a domain ours, with its role addresses (RFC 2142)
    accounts hosts DOMAIN ROLE...   exit 0 where that is so

Prints JSON. Exit codes: 0 done; 1 not so; 2 bad input; 3 the address is taken; 4 not found; 5 the
database does not answer. Started by root, it becomes the user ``accounts`` before it does anything.
"""

from __future__ import annotations

import argparse
import json
import os
import pwd
import re
import sys
from typing import Any

import argon2
import psycopg
from psycopg.rows import dict_row

USER = "accounts"
POSTMASTER = "postmaster"
FIELDS = ("first_name", "last_name", "company", "mobile", "country", "alternative_address")
ATOM = r"[a-z0-9!#$%&'*/=?^_`{|}~-]+"
LOCALPART = re.compile(rf"{ATOM}(\.{ATOM})*")
DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


class RefusalError(Exception):
    """One line for the caller, and the exit code that goes with it."""

    def __init__(self, code: int, line: str) -> None:
        super().__init__(line)
        self.code = code


def split(address: str) -> tuple[str, str]:
    """The local part and the domain of an address, in lower case (RFC 5321 dot-string, no plus).

    A plus sign separates a folder's name from the mailbox's, so no mailbox may have one.
    """
    localpart, _, domain = address.strip().lower().rpartition("@")
    if not LOCALPART.fullmatch(localpart) or len(localpart) > 64:
        raise RefusalError(2, f"{address}: the part before the @ is not one that a mailbox can have")
    if not DOMAIN.fullmatch(domain) or len(domain) > 253:
        raise RefusalError(2, f"{address}: the part after the @ is not a domain")
    return localpart, domain


def add(db: psycopg.Connection[Any], options: argparse.Namespace) -> object:
    localpart, domain = split(options.address)
    password = sys.stdin.readline().rstrip("\n")
    if len(password) < 12:
        raise RefusalError(2, "the password on standard input is shorter than 12 characters")
    if not db.execute("SELECT 1 FROM domain WHERE name = %s", [domain]).fetchone():
        raise RefusalError(2, f"{domain} is not a domain of this host")
    taken = db.execute(
        "SELECT 1 FROM alias WHERE (localpart, domain) = (%s, %s)", [localpart, domain]
    ).fetchone()
    values = [getattr(options, field) for field in FIELDS]
    made = None
    if not taken:
        made = db.execute(
            f"INSERT INTO account (localpart, domain, password, plan, {', '.join(FIELDS)})"
            f" VALUES (%s, %s, %s, %s, {', '.join(['%s'] * len(FIELDS))})"
            " ON CONFLICT (localpart, domain) DO NOTHING RETURNING id",
            [localpart, domain, argon2.PasswordHasher().hash(password), options.plan, *values],
        ).fetchone()
    if not made:
        raise RefusalError(3, f"{localpart}@{domain} is taken")
    return shown(db, localpart, domain)


def shown(db: psycopg.Connection[Any], localpart: str, domain: str) -> object:
    row = db.execute(
        f"SELECT id, localpart || '@' || domain AS address, plan, state, created,"
        f" {', '.join(FIELDS)} FROM account WHERE (localpart, domain) = (%s, %s)",
        [localpart, domain],
    ).fetchone()
    if not row:
        raise RefusalError(4, f"{localpart}@{domain} has no account here")
    return row


def show(db: psycopg.Connection[Any], options: argparse.Namespace) -> object:
    return shown(db, *split(options.address))


def every(db: psycopg.Connection[Any], options: argparse.Namespace) -> object:
    return db.execute(
        "SELECT id, localpart || '@' || domain AS address, plan, state, created FROM account"
        " ORDER BY domain, localpart"
    ).fetchall()


def host(db: psycopg.Connection[Any], options: argparse.Namespace) -> object:
    """A mailbox without a password (mail is kept, nobody can log in) until an operator sets one."""
    db.execute("INSERT INTO domain VALUES (%s) ON CONFLICT DO NOTHING", [options.domain])
    db.execute(
        "INSERT INTO account (localpart, domain, plan) VALUES (%s, %s, 'subscribed')"
        " ON CONFLICT (localpart, domain) DO NOTHING",
        [POSTMASTER, options.domain],
    )
    for name in options.names:
        db.execute(
            "INSERT INTO alias SELECT %s, %s, id FROM account WHERE (localpart, domain) = (%s, %s)"
            " ON CONFLICT DO NOTHING",
            [name, options.domain, POSTMASTER, options.domain],
        )
    return {"domain": options.domain}


def hosts(db: psycopg.Connection[Any], options: argparse.Namespace) -> object:
    rows = db.execute("SELECT localpart FROM alias WHERE domain = %s", [options.domain]).fetchall()
    missing = set(options.names) - {row["localpart"] for row in rows}
    if missing or not rows:
        raise RefusalError(1, f"{options.domain} lacks {', '.join(sorted(missing)) or 'everything'}")
    return {"domain": options.domain}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("add")
    verb.add_argument("address")
    verb.add_argument("--plan", choices=("trial", "subscribed"), default="trial")
    for field in FIELDS:
        verb.add_argument(f"--{field.replace('_', '-')}")
    verb.set_defaults(run=add)
    verb = verbs.add_parser("list")
    verb.set_defaults(run=every)
    verb = verbs.add_parser("show")
    verb.add_argument("address")
    verb.set_defaults(run=show)
    for name, run in (("host", host), ("hosts", hosts)):
        verb = verbs.add_parser(name)
        verb.add_argument("domain")
        verb.add_argument("names", nargs="+")
        verb.set_defaults(run=run)
    return parser.parse_args()


def become(user: str) -> None:
    """Give root away: the database knows this program by its user."""
    if os.geteuid() == 0:
        found = pwd.getpwnam(user)
        os.setgroups([])
        os.setresgid(found.pw_gid, found.pw_gid, found.pw_gid)
        os.setresuid(found.pw_uid, found.pw_uid, found.pw_uid)


def main() -> int:
    options = arguments()
    become(USER)
    try:
        with psycopg.connect("dbname=accounts user=accounts", row_factory=dict_row) as db:
            json.dump(options.run(db, options), sys.stdout, default=str, ensure_ascii=False)
    except RefusalError as refusal:
        print(refusal, file=sys.stderr)
        return refusal.code
    except psycopg.OperationalError as error:
        print(f"the account store does not answer: {error}".splitlines()[0], file=sys.stderr)
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
