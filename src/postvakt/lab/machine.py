"""One host of the lab: a container that boots its own systemd, on an overlay of the base image."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from shlex import quote

from postvakt.lab import image
from postvakt.lab.cache import PORT, apt_options
from postvakt.lab.network import Network
from postvakt.lab.process import Process, recorded, spawn, stop
from postvakt.lab.ssh import Keys
from postvakt.lab.system import LabError, run
from postvakt.lab.topology import Machine

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

CGROUPS = """
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
"""

BOOT = """
set -eu
{cgroups}
mkdir -p /sys/fs/cgroup/{group}
echo $$ > /sys/fs/cgroup/{group}/cgroup.procs
find {disk}/work -depth -name incompat -exec rm -rf {{}} +
mount -t overlay overlay -o volatile,lowerdir={lower},upperdir={disk}/upper,workdir={disk}/work {disk}/root
exec systemd-nspawn --quiet --boot --register=no --keep-unit --link-journal=no --console=pipe \
    --resolv-conf=off --timezone=off --kill-signal=SIGRTMIN+3 \
    --network-bridge={bridge} --machine={machine} --hostname={hostname} --directory={disk}/root
"""
"""Runs in a mount namespace of its own: overlay and control groups vanish with the host.

systemd wants cgroup v2, which the machine may not have; the private mount gives it that and leaves
the machine's own as it is. A volatile overlay passes syncs over, which makes package installs quick:
a killed host loses nothing, only a machine that stops as a whole could (``Container.lost``). (nspawn's own
``--suppress-sync`` refuses O_DSYNC, which LMDB, and so Knot and Postfix, cannot do without.) The mark
that the kernel leaves in the work directory would refuse the next mount.
"""

SWEEP = """
set -eu
{cgroups}
cd /sys/fs/cgroup/{group} 2>/dev/null || exit 0
echo 1 > cgroup.kill
for try in $(seq 200); do
    grep -q 'populated 0' cgroup.events && break
    sleep 0.05
done
cd /
find /sys/fs/cgroup/{group} -depth -type d -exec rmdir {{}} +
"""
"""Ends what is left of a host whose own process was killed, by its control group, and removes that."""


class Container:
    def __init__(self, machine: Machine, lab: str, state: Path, network: Network) -> None:
        self.machine = machine
        self.network = network
        self.disk = state / "hosts" / machine.name
        self.record = state / "run" / f"{machine.name}.pid"
        self.log = state / "log" / f"{machine.name}.log"
        self.mark = self.disk / "running"
        self.group = f"{lab}-{machine.name}"

    def process(self) -> Process | None:
        return recorded(self.record)

    def created(self) -> bool:
        return (self.disk / "image").exists()

    def outdated(self) -> bool:
        return self.created() and (self.disk / "image").read_text() != image.key()

    def lost(self) -> bool:
        """Whether the machine stopped as a whole under this host: what it wrote last may be anywhere."""
        return self.mark.exists() and self.mark.read_text() != BOOT_ID.read_text()

    def discard(self) -> None:
        shutil.rmtree(self.disk, ignore_errors=True)

    def create(self, keys: Keys) -> None:
        """Give the host its disk, and on it what a provider's installer leaves: its network, an
        operator with a key and sudo, its SSH host key. Interrupted, it is begun anew."""
        if self.created():
            return
        self.discard()
        self.disk.parent.mkdir(parents=True, exist_ok=True)
        self.disk.parent.chmod(0o700)
        for folder in ("upper", "work", "root"):
            (self.disk / folder).mkdir(parents=True)
        one = self.machine
        user = keys.operator
        files = {
            "etc/hostname": f"{one.fqdn}\n",
            "etc/hosts": f"127.0.0.1 localhost\n::1 localhost\n{one.ipv4.ip} {one.fqdn}\n"
            f"{one.ipv6.ip} {one.fqdn}\n",
            "etc/resolv.conf": "# No resolver yet.\n",
            "etc/systemd/network/10-host0.network": (
                "[Match]\nName=host0\n\n[Network]\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=no\n"
                f"Gateway={one.segment.gateway4.ip}\nGateway={one.segment.gateway6.ip}\n\n"
                f"[Address]\nAddress={one.ipv4}\n\n"
                f"[Address]\nAddress={one.ipv6}\nDuplicateAddressDetection=none\n"
            ),
            "etc/apt/apt.conf.d/40lab": (
                f'Acquire::http::Proxy "http://{one.segment.gateway4.ip}:{PORT}";\n'
                + "\n".join(apt_options())
                + "\n"
            ),
            "etc/ssh/ssh_host_ed25519_key": keys.host_key(one.name).read_text(),
            "etc/sudoers.d/90-cloud-init-users": f"{user} ALL=(ALL) NOPASSWD:ALL\n",
            f"home/{user}/.ssh/authorized_keys": keys.public(),
        }
        upper = self.disk / "upper"
        for name, text in files.items():
            (upper / name).parent.mkdir(parents=True, exist_ok=True)
            (upper / name).write_text(text)
        (upper / "etc/ssh/ssh_host_ed25519_key").chmod(0o600)
        (upper / "etc/sudoers.d").chmod(0o750)
        (upper / "etc/sudoers.d/90-cloud-init-users").chmod(0o440)
        self._add_user(user, image.path(image.key()))
        (self.disk / "image.new").write_text(image.key())
        (self.disk / "image.new").rename(self.disk / "image")

    def _add_user(self, user: str, lower: Path) -> None:
        upper = self.disk / "upper"
        for name, line in (
            ("passwd", f"{user}:x:1000:1000::/home/{user}:/bin/bash"),
            ("group", f"{user}:x:1000:"),
            ("shadow", f"{user}:!*:20000:0:99999:7:::"),
            ("gshadow", f"{user}:!::"),
        ):
            target = upper / "etc" / name
            shutil.copy2(lower / "etc" / name, target)
            shutil.chown(target, *_owner(lower / "etc" / name))
            with target.open("a") as file:
                file.write(line + "\n")
        home = upper / "home" / user
        for entry in (home, home / ".ssh", home / ".ssh" / "authorized_keys"):
            os.chown(entry, 1000, 1000)
            entry.chmod(0o600 if entry.is_file() else 0o700)

    def boot(self) -> None:
        if self.process() is not None:
            return
        lower = image.path((self.disk / "image").read_text())
        if not lower.exists():
            raise LabError(
                f"{self.machine.name}: the image that its disk lies on is gone ({lower}): "
                "./postvakt lab down --discard, then up again"
            )
        self.sweep()
        self.mark.write_text(BOOT_ID.read_text())
        script = BOOT.format(
            cgroups=_cgroups(),
            group=quote(self.group),
            lower=quote(str(lower)),
            disk=quote(str(self.disk)),
            bridge=self.machine.segment.bridge,
            machine=self.group.replace(".", "-"),
            hostname=quote(self.machine.fqdn),
        )
        private = ["unshare", "--mount", "--propagation", "private", "--", "sh", "-c", script]
        spawn(self.network.inside(private), self.record, self.log)

    def stop(self) -> None:
        # nspawn hands SIGTERM on as an orderly power-off.
        stop(self.record, 20, signal.SIGTERM)
        self.sweep()
        if self.mark.exists():
            run(["sync", "--file-system", str(self.disk)])
            self.mark.unlink()

    def sweep(self) -> None:
        script = SWEEP.format(cgroups=_cgroups(), group=quote(self.group))
        run(["unshare", "--mount", "--propagation", "private", "--", "sh", "-c", script])

    def memory(self) -> int:
        """Bytes of memory of the host's processes, shared pages divided among those who share them."""
        process = self.process()
        return sum(_pss(pid) for pid in _family(process.pid)) if process else 0


def _cgroups() -> str:
    return "" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else CGROUPS


def _owner(path: Path) -> tuple[str, str]:
    return path.owner(), path.group()


def _family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    family = [pid]
    for one in family:
        family += children.get(one, [])
    return family


def _pss(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
