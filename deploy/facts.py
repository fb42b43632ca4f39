"""What a host is like: one look, taken with one remote command, that every decision uses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from deploy.ops import (
    Absent,
    Directory,
    Ensure,
    File,
    Packages,
    Resource,
    Secret,
    Service,
)


class SnapshotError(Exception):
    """A host could not be looked at. One line: what the host said instead of an answer."""


@dataclass(frozen=True)
class Found:
    """What stands at a path. ``content`` is a file's SHA-256 in hex, a link's target, or empty."""

    kind: str
    owner: str
    group: str
    mode: int
    content: str
    changed: int


@dataclass(frozen=True)
class Unit:
    """A systemd unit. Times are nanoseconds since 1970; 0 means never. ``unfit``: its own conditions
    kept it from starting."""

    load: str
    active: str
    enabled: str
    stale: bool
    started: int
    reloaded: int
    newest: int
    unfit: bool


@dataclass(frozen=True)
class Question:
    """Everything about a host that its resources will be compared with."""

    files: tuple[str, ...]
    reads: tuple[str, ...]
    units: tuple[str, ...]
    tests: tuple[str, ...]
    packages: bool

    @staticmethod
    def about(resources: Iterable[Resource]) -> Question:
        files: dict[str, None] = {}
        reads: dict[str, None] = {}
        units: dict[str, None] = {}
        tests: dict[str, None] = {}
        packages = False
        for resource in resources:
            match resource:
                case File() | Directory() | Secret():
                    files[resource.path] = None
                case Ensure():
                    tests[resource.unless] = None
                case Service():
                    units[resource.unit] = None
                    reads.update(dict.fromkeys(resource.reads))
                case Absent():
                    (files if "/" in resource.name else units)[resource.name] = None
                case Packages():
                    packages = True
        return Question(tuple(files), tuple(reads), tuple(units), tuple(tests), packages)

    def document(self) -> str:
        return json.dumps(
            {
                "files": self.files,
                "reads": self.reads,
                "units": self.units,
                "tests": self.tests,
                "packages": self.packages,
            }
        )


@dataclass
class Snapshot:
    """The answer to a question. ``plan`` writes into it what would have happened."""

    files: dict[str, Found | None] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    tests: dict[str, bool] = field(default_factory=dict)


def moment(text: str) -> int:
    """Nanoseconds since 1970 of a time as ``systemctl show --timestamp=us+utc`` prints it."""
    if not text or text == "n/a":
        return 0
    when = datetime.strptime(text, "%a %Y-%m-%d %H:%M:%S.%f %Z").replace(tzinfo=UTC)
    return round(when.timestamp() * 1_000_000) * 1000


def read_unit(shown: dict[str, Any]) -> Unit:
    return Unit(
        load=shown["LoadState"],
        active=shown["ActiveState"],
        enabled=shown["UnitFileState"],
        stale=shown["NeedDaemonReload"] == "yes",
        started=moment(shown["ActiveEnterTimestamp"]),
        # A reload that failed leaves the unit as old as its start.
        reloaded=moment(shown["StateChangeTimestamp"])
        if shown.get("ReloadResult", "success") == "success"
        else 0,
        newest=shown["newest"],
        unfit=shown["ConditionResult"] == "no" and moment(shown["ConditionTimestamp"]) > 0,
    )


def read(answer: str) -> Snapshot:
    """Parse what the probe printed. Raises SnapshotError for half an answer."""
    try:
        said = json.loads(answer)
        return Snapshot(
            files={path: None if found is None else Found(*found) for path, found in said["files"].items()},
            newest=said["newest"],
            units={name: read_unit(shown) for name, shown in said["units"].items()},
            packages=said["packages"],
            tests=said["tests"],
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SnapshotError(f"its answer cannot be read ({type(error).__name__}: {error})") from error


@cache
def probe() -> str:
    return (Path(__file__).parent / "probe.py").read_text()


def command(question: Question) -> tuple[str, str]:
    """The remote command that answers a question, and its standard input.

    The program and the question both go through standard input: an argument list is bounded at
    128 KiB a word, and ten thousand managed paths are more.
    """
    program = probe().encode()
    read_both = f"import sys;exec(sys.stdin.buffer.read({len(program)}).decode())"
    return f"python3 -I -c '{read_both}'", program.decode() + question.document()


def newest_of(snapshot: Snapshot, paths: Sequence[str]) -> int:
    return max((snapshot.newest.get(path, 0) for path in paths), default=0)
