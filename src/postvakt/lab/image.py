"""The base image: a stock Debian 13, as a host arrives from a provider. Built once, shared by all hosts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from postvakt.lab.cache import apt_options, digest
from postvakt.lab.mirror import mirrors
from postvakt.lab.system import LabError, cache_dir, locked, require_room, run

SUITE = "trixie"
PACKAGES = (
    "ca-certificates",
    "dbus",
    "iproute2",
    "libpam-systemd",
    "netbase",
    "openssh-server",
    "procps",
    "python3",
    "sudo",
    "systemd",
    "systemd-sysv",
)

PREPARE = r"""
set -eu
cd "$1"
# The hosts get their own keys and identities.
rm -f etc/ssh/ssh_host_*
: > etc/machine-id
rm -f var/lib/dbus/machine-id
# Modules are the kernel's owner's business; in a container the unit can only fail.
ln -sf /dev/null etc/systemd/system/systemd-modules-load.service
# A host has the network that the lab gives it and waits for nothing else.
mkdir -p etc/systemd/system/multi-user.target.wants
chroot . systemctl --quiet enable systemd-networkd
ln -sf /dev/null etc/systemd/system/systemd-networkd-wait-online.service
# Packages are unpacked without a sync after each file; a lab's disk is made anew, not repaired.
echo force-unsafe-io > etc/dpkg/dpkg.cfg.d/lab
rm -f etc/apt/sources.list etc/apt/sources.list.d/* etc/apt/apt.conf.d/99mmdebstrap
cat > etc/apt/sources.list.d/debian.sources <<EOF
Types: deb
URIs: http://packages.elsewhere.example/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://packages.elsewhere.example/debian-security
Suites: trixie-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
EOF
passwd --root "$PWD" --lock root >/dev/null
"""

ALONE = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"),
)
"""Runs a build step that dies with this process, and its mounts with it.

mmdebstrap mounts /proc, /sys and the machine's own /dev/shm in the tree that it builds. Left behind
by a killed ``up``, they would be emptied by the next one's removal of the unfinished tree.
"""


def key() -> str:
    """What the image depends on, in twelve characters."""
    return digest([SUITE, *PACKAGES, PREPARE])


def path(of: str) -> Path:
    return cache_dir() / "images" / of


def build(log: Path) -> Path:
    """The image's directory; built first where it is missing. Raises LabError with the log's place."""
    place = path(key())
    with locked(cache_dir() / "images.lock"):
        if place.exists():
            return place
        for left in place.parent.glob("*.new"):
            _remove(left)
        require_room(cache_dir())
        stage = place.with_name(f"{key()}.new")
        stage.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        log.parent.mkdir(parents=True, exist_ok=True)
        options = [f"--aptopt={line}" for line in apt_options()]
        with log.open("wb") as out:
            for argv in (
                [
                    "mmdebstrap",
                    "--mode=root",
                    "--variant=minbase",
                    f"--include={','.join(PACKAGES)}",
                    *options,
                    SUITE,
                    str(stage),
                    mirrors()[0],
                ],
                ["sh", "-c", PREPARE, "sh", str(stage)],
            ):
                done = subprocess.run([*ALONE, *argv], stdout=out, stderr=out, check=False)
                if done.returncode:
                    raise LabError(f"the base image cannot be built: {argv[0]} failed, read {log}")
        run(["sync", "--file-system", str(stage)])
        stage.rename(place)
    return place


def _remove(tree: Path) -> None:
    """Remove an unfinished image. Raises LabError where something is mounted in it: what is mounted
    is not ours to delete."""
    mounted = Path("/proc/self/mountinfo").read_text().splitlines()
    for place in (Path(line.split()[4]) for line in mounted):
        if place.is_relative_to(tree):
            raise LabError(f"{place} is still mounted: umount it, then run this again")
    shutil.rmtree(tree)
