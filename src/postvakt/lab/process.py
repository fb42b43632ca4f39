"""Processes that the lab starts, recorded so that none but they are ever stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process by number and start time (clock ticks since boot), so that a number used again is
    never taken for it."""

    pid: int
    started: int

    def alive(self) -> bool:
        return started(self.pid) == self.started

    def signal(self, number: signal.Signals) -> None:
        if self.alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def started(pid: int) -> int | None:
    """When a process was started (field 22 of proc_pid_stat(5)); None where there is none, or where
    it has ended and only waits to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def recorded(record: Path) -> Process | None:
    """The process of a record, if it is still alive."""
    try:
        pid, start = record.read_text().split()
    except (FileNotFoundError, ValueError):
        return None
    process = Process(int(pid), int(start))
    return process if process.alive() else None


def spawn(argv: list[str], record: Path, log: Path) -> None:
    """Start a program that outlives this one.

    The child records itself before it becomes the program, so that a controller that is killed in
    between leaves no process that nobody knows.
    """
    script = (
        "record=$1; shift; stat=$(cat /proc/$$/stat); stat=${stat##*) }\n"
        'start=$(echo "$stat" | cut -d" " -f20)\n'
        'echo "$$ $start" > "$record.new" && mv "$record.new" "$record" && exec "$@"\n'
    )
    record.parent.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    record.unlink(missing_ok=True)
    with log.open("wb") as out:
        subprocess.run(
            ["setsid", "--fork", "sh", "-c", script, "sh", str(record), *argv],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            check=True,
        )
    wait_for(record.exists, 5)


def wait_for(what: Callable[[], bool], seconds: float) -> bool:
    """Look again and again until it is so; False when the time is over."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def stop(record: Path, seconds: float, first: signal.Signals = signal.SIGTERM) -> None:
    """End a recorded process: asked first, killed when the time is over. Forgets the record."""
    process = recorded(record)
    if process is not None:
        process.signal(first)
        if not wait_for(lambda: not process.alive(), seconds):
            process.signal(signal.SIGKILL)
            wait_for(lambda: not process.alive(), 10)
    record.unlink(missing_ok=True)
