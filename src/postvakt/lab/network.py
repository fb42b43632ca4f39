"""The lab's network: one namespace that is router and bridge to all its hosts, and linked to nothing else.

The machine's own network gets no link, route, table or setting: the controller enters the namespace.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from postvakt.lab.system import LabError, run
from postvakt.lab.topology import Segment

FORWARDING = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding")


def is_namespace(path: Path) -> bool:
    """Whether a namespace is mounted there: after a crash of the machine, its empty file may remain."""
    try:
        return path.stat().st_dev == Path("/proc/self/ns/net").stat().st_dev
    except OSError:
        return False


class Network:
    def __init__(self, name: str, state: Path) -> None:
        self.name = name
        self.path = Path("/run/netns") / name
        self.mark = state / "namespace"

    def exists(self) -> bool:
        return is_namespace(self.path)

    def joined(self) -> bool:
        """Whether this process is in the namespace."""
        try:
            return Path("/proc/self/ns/net").samefile(self.path)
        except OSError:
            return False

    def inside(self, argv: Iterable[str]) -> list[str]:
        """The command that runs another one in the namespace."""
        return ["nsenter", f"--net={self.path}", "--", *argv]

    def up(self, segments: Iterable[Segment]) -> None:
        """Make what is missing. Safe to call at any time."""
        if self.exists() and not self.mark.exists():
            raise LabError(
                f"a network namespace {self.name} is there that this lab did not make: "
                f"ip netns delete {self.name}, if nobody needs it"
            )
        self.mark.parent.mkdir(parents=True, exist_ok=True)
        self.mark.touch()
        if not self.exists():
            self.path.unlink(missing_ok=True)
            run(["ip", "netns", "add", self.name])
        script = [f"echo 1 > /proc/sys/{setting}" for setting in FORWARDING]
        script.append("ip link set lo up")
        for one in segments:
            script += [
                f"ip link show {one.bridge} >/dev/null 2>&1 || ip link add {one.bridge} type bridge",
                f"ip address replace {one.gateway4} dev {one.bridge}",
                f"ip address replace {one.gateway6} dev {one.bridge} nodad",
                f"ip link set {one.bridge} up",
            ]
        run(self.inside(["sh", "-euc", "\n".join(script)]))

    def down(self) -> None:
        if self.mark.exists():
            if self.exists():
                run(["ip", "netns", "delete", self.name])
            self.path.unlink(missing_ok=True)
            self.mark.unlink()
