"""What the lab needs of the machine that it runs on."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "apt-cacher-ng": "apt-cacher-ng",
    "ip": "iproute2",
    "nft": "nftables",
    "ssh": "openssh-client",
    "socat": "socat",
}
"""Program: the Debian package that has it."""

FREE_GIB = 6
"""What a whole lab with its package cache takes at most, and a reserve."""


class LabError(Exception):
    """The lab cannot do what it was asked. One line: what, where, what to do."""


def cache_dir() -> Path:
    """Where images and packages are kept for every checkout of this machine."""
    return Path(os.environ.get("POSTVAKT_CACHE", "/var/cache/postvakt"))


def run(argv: Sequence[str], *, stdin: str | None = None, check: bool = True) -> str:
    """The standard output of a program. Raises LabError with its last line where it fails."""
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    if check and done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise LabError(f"{argv[0]} failed ({' '.join(argv[1:4])} ...): {said[-1]}")
    return done.stdout


def require_root() -> None:
    """Raises LabError for anybody else."""
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces and mounts: run it as root, or with sudo")


def require(state: Path) -> None:
    """Refuse before anything is begun what could not be finished."""
    require_root()
    missing = sorted({package for program, package in PROGRAMS.items() if not _which(program)})
    if missing:
        raise LabError(f"Debian packages are missing: apt-get install {' '.join(missing)}")
    for folder in (state, cache_dir()):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free / 2**30
        if free < FREE_GIB:
            raise LabError(f"{folder} has {free:.1f} GiB free and the lab needs {FREE_GIB}: make room there")


def _which(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@contextmanager
def locked(path: Path, message: str | None = None) -> Iterator[None]:
    """Hold a lock file. With a message, do not wait: raise LabError(message, its holder's pid)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if message else 0))
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise LabError(f"{message} (process {holder}): wait for it to end") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
