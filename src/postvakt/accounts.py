"""Subscribers' mailboxes, from the operator's side: the host's own program, called by SSH."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from postvakt.errors import PostvaktError
from postvakt.ssh import Done

PROGRAM = "/usr/lib/postvakt/accounts"
FIELDS = ("first_name", "last_name", "company", "mobile", "country", "alternative_address")
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without what is easily taken for something else (l 1 o 0): 32 signs, 5 bits each."""


class AccountError(PostvaktError):
    """The account store refuses. One line: which address, what is wrong."""


@dataclass(frozen=True)
class Account:
    """A mailbox. ``created`` is the store's own time stamp, ISO 8601 with zone."""

    id: str
    address: str
    plan: str
    state: str
    created: str
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    mobile: str | None = None
    country: str | None = None
    alternative_address: str | None = None

    def fields(self) -> dict[str, str]:
        return {name: value or "" for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Device:
    """What has a password of its own. ``created`` and ``used`` are days, ISO 8601; None: never used."""

    name: str
    created: str
    used: str | None


def generate_password() -> str:
    """A password of 125 bits in five groups that can be read out loud."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(5))
    return "-".join(groups)


class Caller(Protocol):
    """What the store needs of ``postvakt.ssh.Connection``."""

    def run(self, command: Sequence[str], *, stdin: str, sudo: bool) -> Done: ...


class Store:
    """The account store of one mail host. Every method raises AccountError where the store refuses,
    and SshError where the host cannot be reached."""

    def __init__(self, connection: Caller) -> None:
        self.connection = connection

    def add(self, address: str, password: str, *, plan: str, fields: Mapping[str, str | None]) -> Account:
        """Make a mailbox. What is personal goes through standard input: no process list shows it."""
        _check(password)
        known = {name: value for name, value in fields.items() if value is not None}
        return _account(self._call("add", address, said={"password": password, "plan": plan, **known}))

    def set_password(self, address: str, password: str) -> Account:
        """Give a mailbox a new password; the postmaster's has none before its first."""
        _check(password)
        return _account(self._call("password", address, said={"password": password}))

    def all(self) -> list[Account]:
        rows = self._call("list")
        if not isinstance(rows, list):
            raise AccountError("the account store's answer is no list of accounts")
        return [_account(row) for row in rows]

    def show(self, address: str) -> Account:
        return _account(self._call("show", address))

    def aliases(self, address: str) -> list[str]:
        return [str(one) for one in self._call("alias-list", address)]

    def add_alias(self, address: str, alias: str) -> None:
        self._say("alias-add", address, alias=alias)

    def remove_alias(self, address: str, alias: str) -> None:
        self._say("alias-remove", address, alias=alias)

    def devices(self, address: str) -> list[Device]:
        return [Device(**row) for row in self._call("device-list", address)]

    def add_device(self, address: str, name: str) -> str:
        """One more password, for one device; it is made here and shown once."""
        password = generate_password()
        self._say("device-add", address, name=name, password=password)
        return password

    def revoke_device(self, address: str, name: str) -> None:
        """Take a device's password away, and end the account's open sessions."""
        self._say("device-revoke", address, name=name)

    def quota(self, address: str, mib: int | None = None) -> int:
        """How much an account may hold, in MiB; with ``mib``, from now on."""
        values = {} if mib is None else {"mib": str(mib)}
        return int(self._say("quota", address, **values)["mib"])

    def forward(self, address: str, to: Sequence[str] | None = None) -> list[str]:
        """Where copies of an account's mail go; with ``to``, from now on."""
        values = {} if to is None else {"to": " ".join(to)}
        return [str(one) for one in self._say("forward", address, **values)]

    def suspend(self, address: str) -> Account:
        """Refuse the account everywhere and end its sessions; mail to it is taken and kept."""
        return _account(self._call("suspend", address))

    def resume(self, address: str) -> Account:
        return _account(self._call("resume", address))

    def _say(self, verb: str, address: str, **values: str) -> Any:
        """Values go through standard input: no process list shows them."""
        return self._call(verb, address, said=values)

    def _call(self, *words: str, said: Mapping[str, str] | None = None) -> Any:
        stdin = json.dumps(said) if said is not None else ""
        done = self.connection.run([PROGRAM, *words], stdin=stdin, sudo=True)
        if done.code:
            raise AccountError((done.err.strip().splitlines() or ["it said nothing"])[-1])
        try:
            return json.loads(done.out)
        except ValueError as error:
            raise AccountError(f"the account store's answer is no JSON: {error}") from error


def _account(row: Any) -> Account:
    try:
        return Account(**row)
    except TypeError as error:
        raise AccountError(f"the account store's answer is no account: {error}") from error


def _check(password: str) -> None:
    """Refuse what no keyboard writes before it goes anywhere."""
    if not password.isprintable():
        raise AccountError("the password has a sign in it that cannot be typed")
