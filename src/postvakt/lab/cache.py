"""The package cache: every Debian package comes to the machine once, however many hosts want it.

apt-cacher-ng runs in the machine's own network, where the mirror is, and is reached from the lab's
through a socket in the file system: a path crosses network namespaces, and nothing else does.
"""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Iterable
from pathlib import Path

from postvakt.lab.mirror import mirrors
from postvakt.lab.network import Network
from postvakt.lab.process import recorded, spawn, stop, wait_for
from postvakt.lab.system import LabError, cache_dir, locked, run

PORT = 3142
HOSTS_MIRROR = "http://packages.elsewhere.example/debian"
"""What the lab's hosts ask for: a name of the lab's own, which the cache maps to the machine's mirror."""


def proxy() -> str:
    """The proxy that the machine's apt is told to use, or nothing."""
    said = run(["apt-config", "shell", "proxy", "Acquire::http::Proxy"])
    found = re.search(r"proxy='(.*)'", said)
    return found.group(1) if found else ""


def apt_options() -> list[str]:
    """The machine's own answers to how old a mirror may be: one that serves a snapshot needs them."""
    wanted = ("Acquire::Check-Valid-Until", "Acquire::Check-Date")
    return [line for line in run(["apt-config", "dump", *wanted]).splitlines() if line.strip()]


class Cache:
    """One cacher a machine, shared by its labs; the last one to leave stops it."""

    def __init__(self, lab: str) -> None:
        self.folder = cache_dir() / "packages"
        self.socket = self.folder / "run" / "socket"
        self.record = self.folder / "run" / "cacher.pid"
        self.bridge = self.folder / "run" / "bridge.pid"
        self.users = self.folder / "users"
        self.text = self.folder / "conf" / "acng.conf"
        self.lab = lab
        self.lock = cache_dir() / "packages.lock"

    def configuration(self) -> str:
        """All of it but the port."""
        main, security = mirrors()
        lines = [
            f"CacheDir: {self.folder / 'store'}",
            f"LogDir: {self.folder / 'log'}",
            "BindAddress: 127.0.0.1",
            "ForeGround: 1",
            "ExThreshold: 30",
            "VerboseLog: 0",
            "NetworkTimeout: 60",
            f"Remap-debian: {HOSTS_MIRROR} ; {main}",
            f"Remap-security: {HOSTS_MIRROR}-security ; {security}",
        ]
        if proxy():
            lines.append(f"Proxy: {proxy()}")
        return "\n".join(lines) + "\n"

    def up(self) -> None:
        with locked(self.lock):
            for folder in ("store", "log", "run", "conf", "users"):
                (self.folder / folder).mkdir(parents=True, exist_ok=True)
            (self.users / self.lab).touch()
            if recorded(self.record) is None or recorded(self.bridge) is None or self._changed():
                self._start()

    def _changed(self) -> bool:
        """Whether the cacher runs with other answers than the machine gives now, such as its mirror."""
        return self.text.read_text().partition("\n")[2] != self.configuration()

    def _start(self) -> None:
        """apt-cacher-ng on a free port of the loopback, and a socket that leads to it: its own
        listens but answers nobody (seen with 3.7.4)."""
        self._stop()
        port = _free_port()
        self.text.write_text(f"Port: {port}\n{self.configuration()}")
        log = self.folder / "log" / "cacher.log"
        spawn(["apt-cacher-ng", "-c", str(self.folder / "conf")], self.record, log)
        if not wait_for(lambda: _answers(port), 15):
            raise LabError(f"the package cache did not start: read {log}")
        lead = ["socat", f"UNIX-LISTEN:{self.socket},fork", f"TCP4:127.0.0.1:{port}"]
        spawn(lead, self.bridge, self.folder / "log" / "bridge.log")
        if not wait_for(self.socket.exists, 5):
            raise LabError(f"the package cache has no way in: read {log.with_name('bridge.log')}")

    def _stop(self) -> None:
        for record in (self.bridge, self.record):
            stop(record, 5)
        self.socket.unlink(missing_ok=True)

    def down(self) -> None:
        with locked(self.lock):
            (self.users / self.lab).unlink(missing_ok=True)
            for other in self.users.glob("*"):
                # A lab without its network is down, however it ended.
                if not Network(other.name, self.folder).exists():
                    other.unlink()
            if not list(self.users.glob("*")):
                self._stop()


class Door:
    """Where the hosts reach the cache: a port of the lab's router that leads to the socket."""

    def __init__(self, network: Network, cache: Cache, state: Path) -> None:
        self.network = network
        self.cache = cache
        self.record = state / "run" / "door.pid"
        self.log = state / "log" / "door.log"

    def up(self) -> None:
        if recorded(self.record) is None:
            listen = f"TCP6-LISTEN:{PORT},fork,reuseaddr,ipv6only=0"
            argv = self.network.inside(["socat", listen, f"UNIX-CONNECT:{self.cache.socket}"])
            spawn(argv, self.record, self.log)

    def down(self) -> None:
        stop(self.record, 3)


def _free_port() -> int:
    """A free port that apt-cacher-ng can bind: it refuses those above 32767 (seen with 3.7.4)."""
    for port in range(23142, 32767):
        if not _answers(port):
            return port
    raise LabError("no port between 23142 and 32767 is free for the package cache: close some")


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
