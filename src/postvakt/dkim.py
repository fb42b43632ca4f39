"""The keys with which mail is signed, from the operator's side."""

from __future__ import annotations

import json
from dataclasses import dataclass

from inventories.hosts import HOSTS
from postvakt.errors import PostvaktError
from postvakt.inventory import Host, Kind
from postvakt.ssh import Connection
from postvakt.target import Target

PROGRAM = "/usr/lib/postvakt/dkim"


class DkimError(PostvaktError):
    """Keys cannot be shown or exchanged. One line: which host, what it said."""


@dataclass(frozen=True)
class Keys:
    """What the mail host says of its keys: pairs by number; ``since`` is ISO 8601 with zone."""

    domains: tuple[str, ...]
    current: int
    since: str
    published: tuple[int, ...]


def _ask(connection: Connection, *words: str) -> str:
    done = connection.run(words, sudo=True)
    if done.code:
        said = (done.err or done.out).strip().splitlines() or ["it said nothing"]
        raise DkimError(f"{connection.name}: {said[-1]}")
    return done.out


def of_kind(kind: Kind) -> Host:
    (found,) = [one for one in HOSTS if one.kind == kind]
    return found


def show(target: Target) -> Keys:
    said = json.loads(_ask(target.connect(of_kind(Kind.MAIL)), PROGRAM, "show"))
    return Keys(tuple(said["domains"]), said["current"], said["since"], tuple(said["published"]))


def rotate(target: Target, *, dry: bool) -> str:
    """Sign with the next pair. The world sees it before, and the old one after."""
    words = ["rotate", "--dry-run"] if dry else ["rotate"]
    return _ask(target.connect(of_kind(Kind.MAIL)), PROGRAM, *words).strip()
