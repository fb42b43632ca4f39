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

    def _call(self, *words: str, said: Mapping[str, str] | None = None) -> Any:
        stdin = json.dumps(said) if said else ""
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
