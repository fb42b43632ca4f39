"""From what must be so to what is so: compare with the snapshot, act on the differences, through pyinfra."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import PurePosixPath
from zlib import crc32

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.exceptions import OperationError
from pyinfra.api.host import Host as Target
from pyinfra.api.operation import operation
from pyinfra.context import host as here
from pyinfra.context import state

from deploy import facts
from deploy.facts import Question, Snapshot
from deploy.ops import (
    Absent,
    Directory,
    Ensure,
    File,
    Packages,
    Resource,
    Role,
    Secret,
    Service,
)
from deploy.render import ROOT
from postvakt.inventory import Host, Outside

LOOK_SECONDS = 120
"""A host that has not answered the snapshot in this time counts as failed."""

PACKAGES_WAIT_SECONDS = 300
"""How long a deploy waits for somebody else who installs packages on the host."""

NEVER = 1 << 62
"""Later than every time: what ``plan`` writes for a file that it would change."""


@dataclass(frozen=True)
class Action:
    """A shell script for root that makes one resource so, and what it reads on standard input."""

    script: str
    stdin: str | None = None
    seconds: int = 120


def staged(path: str, owner: str, group: str, mode: int, fill: str, validate: str | None) -> str:
    """A script that writes a file beside its place, with its final mode, and then renames it.

    Nothing ever sees half a file, or a file that its own program refuses, or a secret that is
    readable for a moment. The staged name starts with a dot and is passed over by ``*`` globs.
    """
    place = PurePosixPath(path)
    stage = str(place.parent / f".{place.name}.postvakt")
    check = f"{validate.replace('%s', shlex.quote(stage))}\n" if validate else ""
    return (
        f"umask 077\nn={shlex.quote(stage)}\n"
        "trap 'rm -f \"$n\"' EXIT\n"
        f"[ -d {shlex.quote(str(place.parent))} ] || "
        f"install -d -m 755 {shlex.quote(str(place.parent))}\n"
        f'{fill} > "$n"\n'
        f'chown {owner}:{group} "$n"\nchmod {mode:o} "$n"\n'
        f'{check}mv -fT "$n" {shlex.quote(path)}\n'
    )


def decide(resource: Resource, seen: Snapshot) -> Action | None:
    """What has to be done on a host that looks like this; None where it is so already."""
    match resource:
        case Packages():
            return decide_packages(resource, seen)
        case File():
            return decide_file(resource, seen)
        case Directory():
            return decide_directory(resource, seen)
        case Secret():
            return decide_secret(resource, seen)
        case Ensure():
            if seen.tests[resource.unless]:
                return None
            return Action(resource.run, seconds=resource.seconds)
        case Service():
            return decide_service(resource, seen)
        case Absent():
            return decide_absent(resource, seen)


def decide_packages(wanted: Packages, seen: Snapshot) -> Action | None:
    missing = [name for name in wanted.names if name not in seen.packages]
    if not missing:
        return None
    # Services are held until their configuration is in place. The hold is made and undone by the
    # same script, and an interrupted run's hold is lifted by the next one.
    hold = "/usr/sbin/policy-rc.d"
    wait = PACKAGES_WAIT_SECONDS
    script = (
        # One at a time: an interrupted run may still be at it, and must not lift the hold of this one.
        "exec 9> /run/postvakt-packages.lock\n"
        f'flock -w {wait} 9 || {{ echo "another deploy installs packages for over {wait} s" >&2; exit 1; }}\n'
        f"trap 'rm -f {hold}' EXIT\ntrap 'exit 1' HUP INT TERM\n"
        f"printf '#!/bin/sh\\nexit 101\\n' > {hold}\nchmod 755 {hold}\n"
        "export DEBIAN_FRONTEND=noninteractive\n"
        # A person's apt may be at work, or an interrupted run have left packages half configured.
        f"end=$(($(date +%s) + {wait}))\n"
        "until said=$(dpkg --configure -a --force-confold 2>&1 9>&-); do\n"
        'case "$said" in *"dpkg frontend lock"* | *"dpkg database lock"*) ;; '
        '*) echo "$said" >&2; exit 1 ;; esac\n'
        f'[ "$(date +%s)" -lt "$end" ] || {{ echo "dpkg is locked for over {wait} s: $said" >&2; exit 1; }}\n'
        "sleep 1\ndone\n"
        f"get() {{ apt-get -q -y -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout={wait} "
        '--no-install-recommends "$@" 9>&-; }\n'
        f"apt-get -q update\nget install {' '.join(missing)}\n"
    )
    return Action(script, seconds=1800)


def decide_file(wanted: File, seen: Snapshot) -> Action | None:
    found = seen.files[wanted.path]
    digest = sha256(wanted.content.encode()).hexdigest()
    if found and (found.kind, found.owner, found.group, found.mode, found.content) == (
        "file",
        wanted.owner,
        wanted.group,
        wanted.mode,
        digest,
    ):
        return None
    script = staged(wanted.path, wanted.owner, wanted.group, wanted.mode, "cat", wanted.validate)
    return Action(script, wanted.content)


def decide_directory(wanted: Directory, seen: Snapshot) -> Action | None:
    found = seen.files[wanted.path]
    if found and (found.kind, found.owner, found.group, found.mode) == (
        "directory",
        wanted.owner,
        wanted.group,
        wanted.mode,
    ):
        return None
    return Action(
        f"install -d -o {wanted.owner} -g {wanted.group} -m {wanted.mode:o} {shlex.quote(wanted.path)}"
    )


def decide_secret(wanted: Secret, seen: Snapshot) -> Action | None:
    found = seen.files[wanted.path]
    if found is None:
        fill = f"{{ {wanted.make}; }}"
        return Action(staged(wanted.path, wanted.owner, wanted.group, wanted.mode, fill, None))
    if (found.owner, found.group, found.mode) == (wanted.owner, wanted.group, wanted.mode):
        return None
    path = shlex.quote(wanted.path)
    return Action(f"chown {wanted.owner}:{wanted.group} {path}\nchmod {wanted.mode:o} {path}")


def decide_service(wanted: Service, seen: Snapshot) -> Action | None:
    unit = seen.units[wanted.unit]
    name = shlex.quote(wanted.unit)
    since = max(unit.started, unit.reloaded) if wanted.reload else unit.started
    steps = []
    if unit.stale:
        steps.append("systemctl daemon-reload")
    if unit.load != "loaded" or unit.enabled in ("disabled", "masked", "bad"):
        steps += [
            "systemctl daemon-reload",
            f"systemctl unmask --quiet {name}",
            # A static unit cannot be enabled, and needs not to be.
            f"systemctl is-enabled --quiet {name} || systemctl enable --quiet {name}",
        ]
    if wanted.conditional and unit.unfit and unit.active == "inactive":
        pass
    elif unit.active not in ("active", "reloading"):
        steps += [f"systemctl reset-failed {name} 2>/dev/null || true", f"systemctl start {name}"]
    elif max(unit.newest, facts.newest_of(seen, wanted.reads)) > since:
        verb = "reload" if wanted.reload and unit.newest <= since else "restart"
        steps.append(f"systemctl {verb} {name}")
    if not steps:
        return None
    tell = f"{{ journalctl -q -n 20 --no-pager -u {name}; exit 1; }}"
    steps[-1] += f" || {tell}"
    return Action("\n".join(steps))


def decide_absent(wanted: Absent, seen: Snapshot) -> Action | None:
    name = shlex.quote(wanted.name)
    if "/" in wanted.name:
        return Action(f"rm -rf -- {name}") if seen.files[wanted.name] else None
    unit = seen.units[wanted.name]
    if unit.load == "masked" or (unit.load == "not-found" and unit.active == "inactive"):
        return None
    # Masked rather than disabled: a package's upgrade must not bring it back.
    return Action(
        f"systemctl disable --quiet --now {name} 2>/dev/null || systemctl stop {name}\n"
        f"systemctl mask --quiet {name}"
    )


@dataclass
class Look:
    """One host's snapshot, taken anew when something was done that it cannot know of."""

    target: Target
    question: Question
    seen: Snapshot | None = None
    planned: bool = False
    dirty: bool = False
    looks: int = field(default=0)

    def snapshot(self, *, exact: bool) -> Snapshot:
        """The snapshot; ``exact`` asks for one that knows everything done so far in this run."""
        if self.planned and state.is_executing:
            self.planned, self.seen = False, None
        if self.seen is None or (exact and self.dirty):
            self.seen, self.dirty = self.take(), False
        return self.seen

    def take(self) -> Snapshot:
        self.looks += 1
        command, text = facts.command(self.question)
        done, output = self.target.run_shell_command(
            StringCommand(command), _sudo=True, _stdin=text, _timeout=LOOK_SECONDS
        )
        if not done:
            said = (output.stderr_lines or output.stdout_lines or ["nothing"])[-1]
            raise OperationError(f"the snapshot failed, the host said: {said}")
        try:
            return facts.read(output.stdout)
        except facts.SnapshotError as error:
            raise OperationError(f"the snapshot failed: {error}") from error

    def acted(self, resource: Resource) -> None:
        """Something was done, or (in a plan) would be."""
        self.dirty = True
        if state.is_executing or self.seen is None:
            return
        self.planned = True
        match resource:
            case File(path=path):
                for read in self.seen.newest:
                    if path == read or path.startswith(read.rstrip("/") + "/"):
                        self.seen.newest[read] = NEVER
            case _:
                pass


@operation()
def make_so(resource: Resource, look: Look) -> Generator[StringCommand, None, None]:
    """The one pyinfra operation: make one resource so."""
    # What a file is, nothing but its own operation changes; what runs, everything can change.
    exact = state.is_executing and isinstance(resource, Service | Ensure | Absent | Secret)
    action = decide(resource, look.snapshot(exact=exact))
    if action is None:
        return
    if not state.is_executing:
        look.acted(resource)
    yield StringCommand(
        "sh",
        "-euc",
        QuoteString(action.script),
        _sudo=True,
        _stdin=action.stdin if action.stdin is not None else "",
        _timeout=action.seconds,
    )
    look.acted(resource)


def in_order(resources: Iterable[Resource]) -> list[Resource]:
    """All packages in one transaction, at the place of the first; everything else as it was said."""
    every = list(resources)
    names = dict.fromkeys(
        name for resource in every if isinstance(resource, Packages) for name in resource.names
    )
    ordered: list[Resource] = []
    placed = False
    for resource in every:
        if not isinstance(resource, Packages):
            ordered.append(resource)
        elif not placed:
            ordered.append(replace(resource, names=tuple(names)))
            placed = True
    return ordered


def resources_of(host: Host, roles: Iterable[Role]) -> list[Resource]:
    """Everything that must be so on a host, in the order in which it is made so."""
    return in_order(one for role in roles for one in role.declare(host))


def converge(roles_of: Callable[[Host], tuple[Role, ...]]) -> None:
    """Add one operation a resource for the host that pyinfra is preparing."""
    declared: Host = replace(
        here.data.declared,
        outside=here.data.get("outside", Outside()),
        known_hosts=(ROOT / here.data.get("ssh_known_hosts_file", os.devnull)).read_text(),
    )
    target = state.inventory.get_host(here.name)
    resources = resources_of(declared, roles_of(declared))
    look = Look(target, Question.about(resources))
    for index, resource in enumerate(resources):
        # pyinfra knows an operation by its place in the code; with the title beside the index, hosts
        # share an operation exactly where they share a resource.
        target.loop_position[:] = (index, crc32(resource.title.encode()))
        make_so(name=resource.title, resource=resource, look=look)
    target.loop_position.clear()
