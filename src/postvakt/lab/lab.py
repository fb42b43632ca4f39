"""The lab as a whole: up, down, status, and the way in."""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from postvakt.lab import image, overlay
from postvakt.lab.cache import Cache, Door
from postvakt.lab.machine import Container
from postvakt.lab.network import Network
from postvakt.lab.ssh import Keys
from postvakt.lab.system import LabError, inotify_spent, locked, require_room, require_root
from postvakt.lab.topology import Machine

BOOT_SECONDS = 90
BOOTS = 2
"""Times that one ``up`` boots a host: once, and once more if it found it on its way down."""
Progress = Callable[[str, str], None]
"""Told of each host, and of ``lab`` for what concerns all: its name, and what it is at."""


class State(StrEnum):
    ABSENT = "absent"
    STOPPED = "stopped"
    RUNNING = "running"


@dataclass(frozen=True)
class Status:
    name: str
    address: str
    state: State
    pid: int | None
    memory: int


def quiet(host: str, phase: str) -> None:
    """Progress that nobody watches."""


class Lab:
    """The hosts of one checkout. ``root`` is the checkout; everything made lies in its ``folder``."""

    def __init__(
        self, root: Path, folder: str, machines: Iterable[Machine], resolver: str, operator: str
    ) -> None:
        self.root = root
        self.machines = tuple(machines)
        self.state = root / folder
        place = str(self.state).removesuffix("/.lab")
        self.name = f"pv-{hashlib.sha256(place.encode()).hexdigest()[:6]}"
        self.network = Network(self.name, self.state)
        self.cache = Cache(self.name)
        self.door = Door(self.network, self.cache, self.state)
        self.keys = Keys(self.state, operator)
        self.resolver = resolver
        self.containers = {
            one.name: Container(one, self.name, self.state, self.network) for one in self.machines
        }

    def busy(self) -> str:
        return "another ./postvakt works on this lab"

    def up(self, progress: Progress = quiet) -> None:
        """Bring up what is not up. Whatever an earlier run left half done is finished or redone.

        Raises LabError, one line, where that cannot be.
        """
        require_root()
        if any(not one.created() for one in self.containers.values()):
            require_room(self.state)
        self.state.mkdir(parents=True, exist_ok=True)
        with locked(self.state / "lock", self.busy()):
            progress("lab", "network")
            self.network.up({one.segment for one in self.machines})
            progress("lab", "package cache")
            self.cache.up()
            self.door.up()
            progress("lab", "base image")
            image.build(self.state / "log" / "image.log")
            self.keys.up(self.machines)
            (self.state / "resolv.conf").write_text(f"nameserver {self.resolver}\n")
            overlay.write(self.state, str(self.machines[0].segment.gateway4.ip))
            with ThreadPoolExecutor(len(self.containers)) as pool:
                for _ in pool.map(lambda one: self._up(one, progress), self.containers.values()):
                    pass
            progress("lab", "up")

    def _up(self, one: Container, progress: Progress) -> None:
        """Boot a host and wait until its systemd says that it is up. One that was on its way down
        when we came, after a ``down`` that was killed, is booted when it has ended."""
        name = one.machine.name
        boots, why, end = 0, "it did not answer", time.monotonic() + BOOT_SECONDS
        while time.monotonic() < end:
            if one.process() is None:
                if boots == BOOTS:
                    why = "it ended again and again"
                    if inotify_spent():
                        why += " (fs.inotify.max_user_instances is reached: stop another lab, or raise it)"
                    break
                if one.lost():
                    progress(name, "its disk was lost when the machine stopped: made anew")
                    one.discard()
                progress(name, "create")
                one.create(self.keys)
                progress(name, "boot")
                one.boot()
                boots += 1
            state, why = self._ask(name, end - time.monotonic())
            if state in ("running", "degraded") and one.process() is not None:
                progress(name, "up")
                return
            time.sleep(0.2)
        raise LabError(f"{name} did not come up: {why}; its console is in {one.log}")

    def _ask(self, name: str, seconds: float) -> tuple[str, str]:
        """The state that a host's systemd tells by SSH, and what was last said. Waits while it boots;
        a host that vanishes meanwhile is noticed after some seconds."""
        options = ["-o", "ConnectTimeout=2", "-o", "ServerAliveInterval=2"]
        argv = self.ssh(name, ["systemctl", "is-system-running", "--wait"], options=options)
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=max(seconds, 1), check=False)
        except subprocess.TimeoutExpired:
            return "", f"it was still starting after {BOOT_SECONDS} s"
        said = (done.stderr or done.stdout).strip().splitlines() or ["it did not answer"]
        return done.stdout.strip(), said[-1]

    def down(self, *, discard: bool = False, progress: Progress = quiet) -> None:
        """Stop everything that this lab started and take its network away. Disks stay unless
        ``discard``."""
        require_root()
        with locked(self.state / "lock", self.busy()):
            with ThreadPoolExecutor(len(self.containers)) as pool:
                for _ in pool.map(lambda one: self._down(one, discard, progress), self.containers.values()):
                    pass
            self.door.down()
            self.network.down()
            self.cache.down()
            progress("lab", "down")

    def stop(self, names: Iterable[str], *, discard: bool = False, progress: Progress = quiet) -> None:
        """Stop some hosts and leave the rest of the lab as it is."""
        require_root()
        with locked(self.state / "lock", self.busy()):
            for name in names:
                self._down(self.containers[name], discard, progress)

    def _down(self, one: Container, discard: bool, progress: Progress) -> None:
        progress(one.machine.name, "stop")
        one.stop()
        if discard:
            one.discard()
        progress(one.machine.name, "down")

    def status(self) -> tuple[Status, ...]:
        rows = []
        for name, one in self.containers.items():
            process = one.process()
            state = State.RUNNING if process else State.STOPPED if one.created() else State.ABSENT
            address = str(one.machine.ipv4.ip)
            rows.append(Status(name, address, state, process.pid if process else None, one.memory()))
        return tuple(rows)

    def is_up(self) -> bool:
        return self.network.exists() and all(one.process() for one in self.containers.values())

    def require_up(self) -> None:
        """Raises LabError that names what is down."""
        names = [name for name, one in self.containers.items() if one.process() is None]
        if not self.network.exists() or len(names) == len(self.containers):
            raise LabError("the lab is down: ./postvakt lab up")
        if names:
            raise LabError(f"{', '.join(names)} of the lab is down: ./postvakt lab up")

    def outdated(self) -> tuple[str, ...]:
        """Hosts whose disks lie on an image that a new one would not lie on."""
        return tuple(name for name, one in self.containers.items() if one.outdated())

    def find(self, word: str) -> str:
        """The name of the host that a word means: its name, or its first part where only one has it."""
        names = [one.name for one in self.machines if word in (one.name, one.fqdn)]
        names = names or [one.name for one in self.machines if one.name.split(".")[0] == word]
        if len(names) != 1:
            known = ", ".join(names or [one.name for one in self.machines])
            raise LabError(f"{word} is not one host of the lab: say one of {known}")
        return names[0]

    def inside(self, argv: Iterable[str]) -> list[str]:
        """The command that runs another one in the lab's network, with the lab's resolver."""
        script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
        resolv = str(self.state / "resolv.conf")
        private = ["unshare", "--mount", "--propagation", "private", "--"]
        return self.network.inside([*private, "sh", "-euc", script, "sh", resolv, *argv])

    def ssh(self, host: str, command: Iterable[str], options: Iterable[str] = ()) -> list[str]:
        """The command that runs another one on a host, by SSH, as in production."""
        return self.network.inside(["ssh", "-F", str(self.keys.config), *options, host, "--", *command])
