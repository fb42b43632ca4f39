#!/usr/bin/python3
"""The account store's own program: the one way in which accounts are made and shown.

    accounts add ADDRESS            {"password": ..., "plan": ..., "first_name": ...} on standard input
    accounts password ADDRESS       {"password": ...} on standard input
    accounts alias-add ADDRESS      {"alias": ...} on standard input
    accounts alias-remove ADDRESS   {"alias": ...}
    accounts alias-list ADDRESS
    accounts device-add ADDRESS     {"name": ..., "password": ...}: one more password, for one device
    accounts device-revoke ADDRESS  {"name": ...}
    accounts device-list ADDRESS
    accounts quota ADDRESS          {"mib": ...}; with {} it is told
    accounts forward ADDRESS        {"to": "A B ..."}: copies to these, or to none; with {} it is told
    accounts suspend ADDRESS        mail is taken and kept; nobody gets at it and nothing is sent
    accounts resume ADDRESS         open it again, and let it send again
    accounts list
    accounts show ADDRESS
    accounts host DOMAIN ROLE...    make a domain ours, with its role addresses (RFC 2142)
    accounts hosts DOMAIN ROLE...   exit 0 where that is so

Prints JSON. Exit codes: 0 done; 1 not so; 2 bad input; 3 the address is taken; 4 not found; 5 the
database does not answer. Started by root, it becomes the user ``accounts`` before it does anything;
what takes a password away then ends the account's open sessions, for which root is needed.
"""

from __future__ import annotations

import argparse
import json
import os
import pwd
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import date
from hashlib import sha256
from importlib import import_module
from typing import Any, NoReturn

USER = "accounts"
POSTMASTER = "postmaster"
FIELDS = ("first_name", "last_name", "company", "mobile", "country", "alternative_address")
PLANS = ("trial", "subscribed")
SAID = ("password", "plan", *FIELDS)
"""What is said of a new account."""
FIELD_LENGTH = 200
PASSWORD_LENGTHS = (12, 256)
RANDOM = re.compile("[a-z2-9]{5}(-[a-z2-9]{5}){4}")
"""What ``postvakt.accounts.generate_password`` makes: 125 bits."""
MOST_FORWARDS = 5
MOST_MIB = 2**20
"""1 TiB."""

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


def read_said(*names: str) -> dict[str, str]:
    """What standard input says: one JSON object of texts, with these names or some of them. It is
    personal, and arguments are there for every process of the host to read. Raises RefusalError for
    anything else."""
    try:
        said = json.load(sys.stdin.buffer)
    except ValueError:
        raise RefusalError(2, "standard input is not JSON") from None
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        raise RefusalError(2, "standard input is not a JSON object of texts")
    if unknown := said.keys() - set(names or SAID):
        raise RefusalError(2, f"standard input says what nobody asked: {', '.join(sorted(unknown))}")
    return said


def read_password(said: dict[str, str]) -> str:
    """The password that was said. Raises RefusalError for what is none."""
    password = said.get("password", "")
    least, most = PASSWORD_LENGTHS
    if not least <= len(password) <= most or not password.isprintable():
        raise RefusalError(2, f"the password has not {least} to {most} characters that can be typed")
    return password


def read_text(*names: str) -> list[str]:
    """What standard input says of these, of which none may be missing."""
    said = read_said(*names)
    if missing := [name for name in names if not said.get(name, "").strip()]:
        raise RefusalError(2, f"standard input does not say {', '.join(missing)}")
    return [said[name].strip() for name in names]


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


def take(db: Any, localpart: str, domain: str) -> None:
    """See to it that an address of ours is free, and stays so until this transaction ends."""
    if not db.execute("SELECT 1 FROM domain WHERE name = %s", [domain]).fetchone():
        raise RefusalError(2, f"{domain} is not a domain of this host")
    lock(db)
    if db.execute(
        "SELECT 1 FROM account WHERE (localpart, domain) = (%(localpart)s, %(domain)s) UNION ALL"
        " SELECT 1 FROM alias WHERE (localpart, domain) = (%(localpart)s, %(domain)s)",
        {"localpart": localpart, "domain": domain},
    ).fetchone():
        raise RefusalError(3, f"{localpart}@{domain} is taken")


def add(db: Any, options: argparse.Namespace) -> object:
    localpart, domain = split(options.address)
    said = read_said()
    plan = said.get("plan", PLANS[0])
    if plan not in PLANS:
        raise RefusalError(2, f"the plan {plan!r} is none of {', '.join(PLANS)}")
    values = read_fields(said)
    password = hashed(read_password(said))
    take(db, localpart, domain)
    db.execute(
        f"INSERT INTO account (localpart, domain, password, plan, {', '.join(FIELDS)})"
        f" VALUES (%s, %s, %s, %s, {', '.join(['%s'] * len(FIELDS))})",
        [localpart, domain, password, plan, *values],
    )
    return shown(db, localpart, domain)


def password(db: Any, options: argparse.Namespace) -> object:
    localpart, domain = split(options.address)
    db.execute(
        "UPDATE account SET password = %s, password_id = gen_random_uuid()"
        " WHERE (localpart, domain) = (%s, %s)",
        [hashed(read_password(read_said())), localpart, domain],
    )
    return shown(db, localpart, domain)


def account_of(db: Any, options: argparse.Namespace) -> str:
    """The id of the account that the command line names."""
    localpart, domain = split(options.address)
    row = db.execute(
        "SELECT id FROM account WHERE (localpart, domain) = (%s, %s)", [localpart, domain]
    ).fetchone()
    if not row:
        raise RefusalError(4, f"{localpart}@{domain} has no account here")
    return str(row["id"])


def alias_add(db: Any, options: argparse.Namespace) -> object:
    account = account_of(db, options)
    (alias,) = read_text("alias")
    localpart, domain = split(alias)
    take(db, localpart, domain)
    db.execute(
        "INSERT INTO alias (localpart, domain, account) VALUES (%s, %s, %s)", [localpart, domain, account]
    )
    return aliases(db, options)


def alias_remove(db: Any, options: argparse.Namespace) -> object:
    account = account_of(db, options)
    (alias,) = read_text("alias")
    localpart, domain = split(alias)
    gone = db.execute(
        "DELETE FROM alias WHERE (localpart, domain, account) = (%s, %s, %s)", [localpart, domain, account]
    )
    if not gone.rowcount:
        raise RefusalError(4, f"{localpart}@{domain} is no alias of {options.address}")
    return aliases(db, options)


def aliases(db: Any, options: argparse.Namespace) -> object:
    rows = db.execute(
        "SELECT localpart || '@' || domain AS alias FROM alias WHERE account = %s ORDER BY domain, localpart",
        [account_of(db, options)],
    ).fetchall()
    return [row["alias"] for row in rows]


def device_add(db: Any, options: argparse.Namespace) -> object:
    account = account_of(db, options)
    name, secret = read_text("name", "password")
    if len(name) > FIELD_LENGTH or not name.isprintable():
        raise RefusalError(2, "the name of the device is too long or is not text")
    # A plain digest is for what cannot be guessed; what a person thinks up, Argon2id is for.
    if not RANDOM.fullmatch(secret):
        raise RefusalError(2, "the password of a device is made by ./postvakt, not thought up")
    made = db.execute(
        "INSERT INTO device (account, name, digest) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [account, name, sha256(secret.encode()).hexdigest()],
    )
    if not made.rowcount:
        raise RefusalError(3, f"{options.address} has a device of that name")
    return devices(db, options)


def device_revoke(db: Any, options: argparse.Namespace) -> object:
    account = account_of(db, options)
    (name,) = read_text("name")
    gone = db.execute("DELETE FROM device WHERE (account, name) = (%s, %s)", [account, name])
    if not gone.rowcount:
        raise RefusalError(4, f"{options.address} has no device of that name")
    return devices(db, options)


def devices(db: Any, options: argparse.Namespace) -> object:
    return db.execute(
        "SELECT name, created, used FROM device WHERE account = %s ORDER BY name", [account_of(db, options)]
    ).fetchall()


def quota(db: Any, options: argparse.Namespace) -> object:
    account = account_of(db, options)
    if mib := read_said("mib").get("mib"):
        if not re.fullmatch("[0-9]{1,9}", mib) or not 0 < int(mib) <= MOST_MIB:
            raise RefusalError(2, f"a quota is 1 to {MOST_MIB} MiB")
        db.execute("UPDATE account SET quota_mib = %s WHERE id = %s", [int(mib), account])
    return db.execute("SELECT quota_mib AS mib FROM account WHERE id = %s", [account]).fetchone()


def forward(db: Any, options: argparse.Namespace) -> object:
    account = account_of(db, options)
    said = read_said("to")
    if "to" in said:
        targets = {"@".join(split(one, ours=False)) for one in said["to"].split()}
        if len(targets) > MOST_FORWARDS:
            raise RefusalError(2, f"mail goes on to {MOST_FORWARDS} addresses at most")
        if options.address.strip().lower() in targets:
            raise RefusalError(2, f"{options.address} would go on to itself")
        db.execute("DELETE FROM forward WHERE account = %s", [account])
        for one in targets:
            db.execute("INSERT INTO forward (account, target) VALUES (%s, %s)", [account, one])
    rows = db.execute("SELECT target FROM forward WHERE account = %s ORDER BY target", [account]).fetchall()
    return [row["target"] for row in rows]


def suspend(db: Any, options: argparse.Namespace) -> object:
    return turned(db, options, "active", "suspended")


def resume(db: Any, options: argparse.Namespace) -> object:
    """Open again what was suspended, and let it send again if that was stopped."""
    account = account_of(db, options)
    db.execute("DELETE FROM stopped WHERE account = %s", [account])
    db.execute("DELETE FROM sent WHERE who = %s", [account])
    return turned(db, options, "suspended", "active")


def turned(db: Any, options: argparse.Namespace, old: str, new: str) -> object:
    """The account in its new state; one that is in it already is left alone."""
    account = account_of(db, options)
    db.execute("UPDATE account SET state = %s WHERE (id, state) = (%s, %s)", [new, account, old])
    row = db.execute("SELECT state FROM account WHERE id = %s", [account]).fetchone()
    if row["state"] != new:
        raise RefusalError(1, f"{options.address} is {row['state']}, not {old}")
    return show(db, options)


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


ADDRESSED = {
    "add": add,
    "password": password,
    "show": show,
    "alias-add": alias_add,
    "alias-remove": alias_remove,
    "alias-list": aliases,
    "device-add": device_add,
    "device-revoke": device_revoke,
    "device-list": devices,
    "quota": quota,
    "forward": forward,
    "suspend": suspend,
    "resume": resume,
}
"""The verbs that are about one account."""
ENDING = (password, device_revoke, suspend)
"""What takes a password away, and with it the sessions that it opened."""


class Parser(argparse.ArgumentParser):
    """argparse, but with one line for wrong usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message}\n")


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = Parser(prog="accounts", description="The account store.", allow_abbrev=False)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for name, run in ADDRESSED.items():
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
    """What JSON has no word for: a day or a moment in ISO 8601, everything else as it prints."""
    return value.isoformat() if isinstance(value, date) else str(value)


def apart(work: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """The exit code of work done by a process of its own, which may give its rights away."""
    child = os.fork()
    if not child:
        code = 5
        try:
            code = work(options)
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def end_sessions(address: str) -> None:
    """Close what is open over IMAP, POP3 and ManageSieve; Postfix asks with each recipient by itself."""
    subprocess.run(["/usr/bin/doveadm", "kick", address.strip().lower()], capture_output=True, check=False)


def main() -> int:
    options = arguments()
    if os.geteuid() or options.run not in ENDING:
        return answer(options)
    code = apart(answer, options)
    if not code:
        end_sessions(options.address)
    return code


def answer(options: argparse.Namespace) -> int:
    become(USER)
    # Debian's packages, which only the host has; the rest of this module is tested without them.
    psycopg = import_module("psycopg")
    rows = import_module("psycopg.rows").dict_row
    try:
        with psycopg.connect(f"dbname=accounts user={USER}", row_factory=rows) as db:
            db.execute("SET TIME ZONE 'UTC'")
            said = options.run(db, options)
    except RefusalError as refusal:
        print(refusal, file=sys.stderr)
        return refusal.code
    except psycopg.Error as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        print(f"the account store does not answer: {line}", file=sys.stderr)
        return 5
    print(json.dumps(said, default=plain))
    return 0


if __name__ == "__main__":
    sys.exit(main())
