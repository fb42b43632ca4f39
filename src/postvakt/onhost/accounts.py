#!/usr/bin/python3
"""The account store's own program: the one way in which accounts are made and shown.

    accounts add ADDRESS            {"password": ..., "plan": ..., "first_name": ...} on standard input
    accounts password ADDRESS       {"password": ...} on standard input
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
from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from typing import Any, NoReturn

USER = "accounts"
POSTMASTER = "postmaster"
FIELDS = ("first_name", "last_name", "company", "mobile", "country", "alternative_address")
PLANS = ("trial", "subscribed")
FIELD_LENGTH = 200
PASSWORD_LENGTHS = (12, 256)

LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = re.compile(rf"({LABEL}\.)+(?=[a-z]){LABEL}")
ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
LOCALPART = re.compile(rf"{ATOM}(\.{ATOM})*")
"""The dot-string of RFC 5321, in lower case."""
OURS = re.compile(r"[a-z0-9_][a-z0-9_-]*(\.[a-z0-9_-]+)*")
"""The dot-strings that Postfix and Dovecot both take for a mailbox of ours. A plus sign would separate
a mark from the mailbox's name, and what begins with a hyphen would look like an option."""


class RefusalError(Exception):
    """One line for the caller, and the exit code that goes with it."""

    def __init__(self, code: int, line: str) -> None:
        super().__init__(line)
        self.code = code


def split(address: str, ours: bool = True) -> tuple[str, str]:
    """The local part and the domain of an address, in lower case, within RFC 5321 and its limits.

    ``ours``: it must be one that a mailbox here can have. Raises RefusalError for anything else.
    """
    localpart, _, domain = address.strip().lower().rpartition("@")
    if not (OURS if ours else LOCALPART).fullmatch(localpart) or len(localpart) > 64:
        raise RefusalError(2, f"{address!r}: the part before the @ is not one that a mailbox can have")
    if not DOMAIN.fullmatch(domain):
        raise RefusalError(2, f"{address!r}: the part after the @ is not a domain")
    if len(localpart) + 1 + len(domain) > 254:
        raise RefusalError(2, f"{address!r} is longer than an address may be")
    return localpart, domain


def read_said() -> dict[str, str]:
    """What standard input says: one JSON object of texts. It is personal, and arguments are there for
    every process of the host to read. Raises RefusalError for anything else."""
    try:
        said = json.load(sys.stdin.buffer)
    except ValueError:
        raise RefusalError(2, "standard input is not JSON") from None
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        raise RefusalError(2, "standard input is not a JSON object of texts")
    if unknown := said.keys() - {"password", "plan", *FIELDS}:
        raise RefusalError(2, f"standard input says what nobody asked: {', '.join(sorted(unknown))}")
    return said


def read_password(said: dict[str, str]) -> str:
    """The password that was said. Raises RefusalError for what is none."""
    password = said.get("password", "")
    least, most = PASSWORD_LENGTHS
    if not least <= len(password) <= most or not password.isprintable():
        raise RefusalError(2, f"the password has not {least} to {most} characters that can be typed")
    return password


def hashed(password: str) -> str:
    """The PHC string of a password: Argon2id as RFC 9106 has it for little memory (64 MiB, 3 passes),
    with one lane, since the verifying side computes all lanes on one core."""
    hasher = import_module("argon2").PasswordHasher(time_cost=3, memory_cost=65536, parallelism=1)
    return str(hasher.hash(password))


def read_fields(said: dict[str, str]) -> list[str | None]:
    """What is known of the subscriber, in the order of FIELDS; empty means not known."""
    values = [said.get(field, "").strip() or None for field in FIELDS]
    for field, value in zip(FIELDS, values, strict=True):
        if value and (len(value) > FIELD_LENGTH or not value.isprintable()):
            raise RefusalError(2, f"the {field.replace('_', ' ')} is too long or is not text")
        if value and field == "country" and not re.fullmatch("[A-Z]{2}", value):
            raise RefusalError(2, f"the country {value!r} is not a code of ISO 3166-1, such as NO")
        if value and field == "alternative_address":
            split(value, ours=False)
    return values


def lock(db: Any) -> None:
    """Let nobody else give out an address before this transaction ends; readers go on."""
    db.execute("LOCK TABLE account, alias IN SHARE ROW EXCLUSIVE MODE")


def add(db: Any, options: argparse.Namespace) -> object:
    localpart, domain = split(options.address)
    said = read_said()
    plan = said.get("plan", PLANS[0])
    if plan not in PLANS:
        raise RefusalError(2, f"the plan {plan!r} is none of {', '.join(PLANS)}")
    values = read_fields(said)
    password = hashed(read_password(said))
    if not db.execute("SELECT 1 FROM domain WHERE name = %s", [domain]).fetchone():
        raise RefusalError(2, f"{domain} is not a domain of this host")
    lock(db)
    if db.execute(
        "SELECT 1 FROM account WHERE (localpart, domain) = (%(localpart)s, %(domain)s) UNION ALL"
        " SELECT 1 FROM alias WHERE (localpart, domain) = (%(localpart)s, %(domain)s)",
        {"localpart": localpart, "domain": domain},
    ).fetchone():
        raise RefusalError(3, f"{localpart}@{domain} is taken")
    db.execute(
        f"INSERT INTO account (localpart, domain, password, plan, {', '.join(FIELDS)})"
        f" VALUES (%s, %s, %s, %s, {', '.join(['%s'] * len(FIELDS))})",
        [localpart, domain, password, plan, *values],
    )
    return shown(db, localpart, domain)


def password(db: Any, options: argparse.Namespace) -> object:
    localpart, domain = split(options.address)
    db.execute(
        "UPDATE account SET password = %s WHERE (localpart, domain) = (%s, %s)",
        [hashed(read_password(read_said())), localpart, domain],
    )
    return shown(db, localpart, domain)


def shown(db: Any, localpart: str, domain: str) -> object:
    row = db.execute(
        "SELECT id, localpart || '@' || domain AS address, plan, state, created,"
        f" {', '.join(FIELDS)} FROM account WHERE (localpart, domain) = (%s, %s)",
        [localpart, domain],
    ).fetchone()
    if not row:
        raise RefusalError(4, f"{localpart}@{domain} has no account here")
    return row


def show(db: Any, options: argparse.Namespace) -> object:
    return shown(db, *split(options.address))


def every(db: Any, options: argparse.Namespace) -> object:
    return db.execute(
        "SELECT id, localpart || '@' || domain AS address, plan, state, created FROM account"
        " ORDER BY domain, localpart"
    ).fetchall()


def lacking(db: Any, domain: str, names: Sequence[str]) -> list[str]:
    """The addresses that a domain of ours must have and has not."""
    rows = db.execute(
        "SELECT localpart FROM account WHERE domain = %(domain)s UNION ALL"
        " SELECT localpart FROM alias WHERE domain = %(domain)s",
        {"domain": domain},
    ).fetchall()
    there = {row["localpart"] for row in rows}
    return [name for name in (POSTMASTER, *names) if name not in there]


def host(db: Any, options: argparse.Namespace) -> object:
    """Make a domain ours. Its postmaster is a mailbox that nobody can log in to until an operator
    gives it a password; the other role addresses lead there, unless they are mailboxes themselves."""
    domain = options.domain
    for name in (POSTMASTER, *options.names):
        split(f"{name}@{domain}")
    db.execute("INSERT INTO domain (name) VALUES (%s) ON CONFLICT DO NOTHING", [domain])
    lock(db)
    for name in lacking(db, domain, options.names):
        if name == POSTMASTER:
            db.execute(
                "INSERT INTO account (localpart, domain, plan) VALUES (%s, %s, 'subscribed')",
                [name, domain],
            )
        else:
            db.execute(
                "INSERT INTO alias (localpart, domain, account)"
                " SELECT %s, domain, id FROM account WHERE (localpart, domain) = (%s, %s)",
                [name, POSTMASTER, domain],
            )
    return {"domain": domain}


def hosts(db: Any, options: argparse.Namespace) -> object:
    missing = lacking(db, options.domain, options.names)
    if missing:
        raise RefusalError(1, f"{options.domain} lacks {', '.join(missing)}")
    return {"domain": options.domain}


class Parser(argparse.ArgumentParser):
    """argparse, but with one line for wrong usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message}\n")


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = Parser(prog="accounts", description="The account store.", allow_abbrev=False)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for name, run in (("add", add), ("password", password), ("show", show)):
        verb = verbs.add_parser(name)
        verb.add_argument("address")
        verb.set_defaults(run=run)
    verbs.add_parser("list").set_defaults(run=every)
    for name, run in (("host", host), ("hosts", hosts)):
        verb = verbs.add_parser(name)
        verb.add_argument("domain")
        verb.add_argument("names", nargs="*")
        verb.set_defaults(run=run)
    return parser.parse_args(argv)


def become(user: str) -> None:
    """Give root away: the database knows this program by its user."""
    if os.geteuid() == 0:
        found = pwd.getpwnam(user)
        os.setgroups([])
        os.setresgid(found.pw_gid, found.pw_gid, found.pw_gid)
        os.setresuid(found.pw_uid, found.pw_uid, found.pw_uid)


def plain(value: object) -> str:
    """What JSON has no word for: a moment in ISO 8601, everything else as it prints."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def main() -> int:
    options = arguments()
    become(USER)
    # Debian's packages, which only the host has; the rest of this module is tested without them.
    psycopg = import_module("psycopg")
    rows = import_module("psycopg.rows").dict_row
    try:
        with psycopg.connect(f"dbname=accounts user={USER}", row_factory=rows) as db:
            db.execute("SET TIME ZONE 'UTC'")
            answer = options.run(db, options)
    except RefusalError as refusal:
        print(refusal, file=sys.stderr)
        return refusal.code
    except psycopg.Error as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        print(f"the account store does not answer: {line}", file=sys.stderr)
        return 5
    print(json.dumps(answer, default=plain))
    return 0


if __name__ == "__main__":
    sys.exit(main())
