"""What the lab needs of the machine that it runs on."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from postvakt.errors import PostvaktError

FREE_GIB = 6
"""What a whole lab with its package cache takes at most, and a reserve."""


class LabError(PostvaktError):
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


def require_room(folder: Path) -> None:
    """Refuse before it is begun what could not be finished: a disk, an image, packages."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free / 2**30
    if free < FREE_GIB:
        raise LabError(f"{folder} has {free:.1f} GiB free and the lab needs {FREE_GIB}: make room there")


def inotify_spent() -> bool:
    """Whether root has as many inotify instances as it may: then no systemd starts, and none says why."""
    limit = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    used = 0
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            used += str(link.readlink()) == "anon_inode:inotify"
    return used >= limit


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
