"""Subscribers' mailboxes, from the operator's side: the host's own program, called by SSH."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from postvakt.ssh import Connection

PROGRAM = "/usr/lib/postvakt/accounts"
FIELDS = ("first_name", "last_name", "company", "mobile", "country", "alternative_address")
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without what is easily taken for something else (l 1 o 0): 32 signs, 5 bits each."""


class AccountError(Exception):
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


class Store:
    """The account store of one mail host."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add(self, address: str, password: str, *, plan: str, fields: Mapping[str, str | None]) -> Account:
        """Make a mailbox. The password goes through standard input: no process list shows it."""
        words = [address, "--plan", plan]
        for name, value in fields.items():
            if value is not None:
                words.append(f"--{name.replace('_', '-')}={value}")
        return Account(**self._call("add", *words, stdin=f"{password}\n"))

    def all(self) -> list[Account]:
        return [Account(**row) for row in self._call("list")]

    def show(self, address: str) -> Account:
        return Account(**self._call("show", address))

    def _call(self, *words: str, stdin: str = "") -> Any:
        done = self.connection.run([PROGRAM, *words], stdin=stdin, sudo=True)
        if done.code:
            raise AccountError((done.err.strip().splitlines() or ["it said nothing"])[-1])
        return json.loads(done.out)
