"""The words in which a role says what must be so on a host.

Each word returns plain data; nothing here connects to anything. ``deploy/converge.py`` asks the host
once, compares, and acts on the differences, in the order in which a role yields them.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from deploy.render import ROOT, render
from postvakt.inventory import Host


@dataclass(frozen=True)
class Packages:
    """Debian packages. All packages of a host are installed in one apt transaction."""

    names: tuple[str, ...]

    @property
    def title(self) -> str:
        return "packages"


@dataclass(frozen=True)
class File:
    """A file with this content. ``validate`` is a shell command in which ``%s`` is the staged file."""

    path: str
    content: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644
    validate: str | None = None

    @property
    def title(self) -> str:
        return self.path


@dataclass(frozen=True)
class Directory:
    """A directory with this owner and mode."""

    path: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o755

    @property
    def title(self) -> str:
        return self.path + "/"


@dataclass(frozen=True)
class Secret:
    """A file born on the host: the output of ``make``, once. Its content never leaves the host."""

    path: str
    make: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o600

    @property
    def title(self) -> str:
        return f"{self.path} (secret)"


@dataclass(frozen=True)
class Ensure:
    """A state that only a command can tell (``unless`` exits 0) and only a command can reach (``run``).

    Both are shell scripts run as root. ``unless`` must only read, must be quick, and fails where the
    program that it asks is not installed yet. ``seconds`` bounds ``run``.
    """

    title: str
    unless: str
    run: str
    seconds: int = 120


@dataclass(frozen=True)
class Service:
    """A systemd unit that is enabled, runs, and started later than everything that it reads.

    ``reads`` names files and directories beside the unit's own files and programs. With ``reload``
    the unit is reloaded where it would be restarted. With ``conditional`` it may also be down
    because its own conditions (systemd.unit(5)) say that it is not for this host.
    """

    unit: str
    reads: tuple[str, ...] = ()
    reload: bool = False
    conditional: bool = False

    @property
    def title(self) -> str:
        return self.unit


@dataclass(frozen=True)
class Absent:
    """A path, or a unit (a name without a slash), that must not be there. Units are masked."""

    name: str

    @property
    def title(self) -> str:
        return f"no {self.name}"


Resource = Packages | File | Directory | Secret | Ensure | Service | Absent


@dataclass(frozen=True, order=True)
class Port:
    """A port on which a role answers, from anywhere."""

    number: int
    protocol: str = "tcp"


@dataclass(frozen=True, order=True)
class Egress:
    """Where a role's user may connect to outside the host, and why."""

    user: str
    port: int
    protocol: str
    purpose: str


@dataclass(frozen=True)
class Role:
    """A service: what it opens, what it connects to, what it keeps, and what must be so.

    ``state`` are the paths that hold what cannot be made again; the backup copies them.
    """

    name: str
    declare: Callable[[Host], Iterator[Resource]]
    ports: tuple[Port, ...] = ()
    egress: Callable[[Host], tuple[Egress, ...]] = lambda host: ()
    state: tuple[str, ...] = ()


def packages(*names: str) -> Packages:
    return Packages(names)


def config(
    template: str,
    /,
    *,
    to: str | None = None,
    owner: str = "root",
    group: str = "root",
    mode: int = 0o644,
    validate: str | None = None,
    **values: object,
) -> File:
    """The file that a template renders. The template's path is its name: ``<role>/<path on the host>``.

    ``to`` is for the few templates that make several files. Raises jinja2.UndefinedError for a name
    that the template uses and the role does not give.
    """
    path = to or "/" + template.split("/", 1)[1]
    return File(path, render(template, **values), owner, group, mode, validate)


def text(template: str, /, **values: object) -> str:
    """What a template renders, for a role that hands it on instead of writing it to the host."""
    return render(template, **values)


def program(source: str, path: str) -> File:
    """A program of ours that runs on the host (``postvakt/onhost/``), as it is."""
    text = (ROOT / "src" / "postvakt" / "onhost" / source).read_text()
    return File(path, text, mode=0o755)


def directory(path: str, *, owner: str = "root", group: str = "root", mode: int = 0o755) -> Directory:
    return Directory(path, owner, group, mode)


def secret(path: str, *, make: str, owner: str = "root", group: str = "root", mode: int = 0o600) -> Secret:
    return Secret(path, make, owner, group, mode)


def ensure(title: str, *, unless: str, run: str, seconds: int = 120) -> Ensure:
    return Ensure(title, unless, run, seconds)


def service(
    unit: str, *, reads: tuple[str, ...] = (), reload: bool = False, conditional: bool = False
) -> Service:
    return Service(unit if "." in unit else unit + ".service", reads, reload, conditional)


def absent(name: str) -> Absent:
    return Absent(name if "/" in name or "." in name else name + ".service")


def quote(text: object) -> str:
    """A word that the shell takes as it is."""
    return shlex.quote(str(text))
