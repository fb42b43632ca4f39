"""The keys with which mail is signed, from the operator's side: published in the zone, exchanged."""

from __future__ import annotations

import json
from dataclasses import dataclass

from inventories.hosts import HOSTS
from postvakt.errors import PostvaktError
from postvakt.inventory import Host, Kind
from postvakt.ssh import Connection
from postvakt.target import Target

PROGRAM = "/usr/lib/postvakt/dkim"
PUBLISH = "/usr/lib/postvakt/published"


class DkimError(PostvaktError):
    """Keys cannot be published or exchanged. One line: which host, what it said."""


@dataclass(frozen=True)
class Keys:
    """What the mail host says of its keys: pairs by number; ``since`` is ISO 8601 with zone."""

    domains: tuple[str, ...]
    current: int
    since: str
    published: tuple[int, ...]


def _ask(connection: Connection, *words: str, stdin: str = "") -> str:
    done = connection.run(words, stdin=stdin, sudo=True)
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


def publish(target: Target) -> bool:
    """Bring the public keys of the mail host into the zone; True where that changed it."""
    mail, name_server = of_kind(Kind.MAIL), of_kind(Kind.DNS)
    records = _ask(target.connect(mail), PROGRAM, "records")
    said = _ask(target.connect(name_server), PUBLISH, f"{mail.estate.domain}.", stdin=records)
    return said.strip() == "changed"


def rotate(target: Target, *, dry: bool) -> str:
    """Sign with the next pair. The world sees it before, and the old one after."""
    if dry:
        return _ask(target.connect(of_kind(Kind.MAIL)), PROGRAM, "rotate", "--dry-run").strip()
    publish(target)
    said = _ask(target.connect(of_kind(Kind.MAIL)), PROGRAM, "rotate").strip()
    publish(target)
    return said
