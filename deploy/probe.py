"""Runs on the host: looks at everything that a deploy compares, in one go, and prints it as JSON.

Standard library only, because it is sent to a stock Debian host over standard input. It changes
nothing. The request is the JSON document in ``REQUEST``; see ``deploy/facts.py`` for the answer.
"""

from __future__ import annotations

import contextlib
import grp
import hashlib
import json
import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

REQUEST: dict[str, Any] = json.load(sys.stdin)
UNIT_PROPERTIES = (
    "LoadState,ActiveState,UnitFileState,NeedDaemonReload,FragmentPath,DropInPaths,ExecStart,"
    "ActiveEnterTimestamp,StateChangeTimestamp,ReloadResult,ConditionResult,ConditionTimestamp"
)


def name_of(lookup: Callable[[int], Any], number: int) -> str:
    try:
        return str(lookup(number)[0])
    except KeyError:
        return str(number)


def look(path: str) -> list[Any] | None:
    """[kind, owner, group, mode, digest or link target, ctime in ns], or None where nothing is."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    kind, content = "other", ""
    if stat.S_ISREG(found.st_mode):
        kind = "file"
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    elif stat.S_ISDIR(found.st_mode):
        kind = "directory"
    elif stat.S_ISLNK(found.st_mode):
        kind, content = "link", os.readlink(path)
    return [
        kind,
        name_of(pwd.getpwuid, found.st_uid),
        name_of(grp.getgrgid, found.st_gid),
        stat.S_IMODE(found.st_mode),
        content,
        found.st_ctime_ns,
    ]


def newest(path: str) -> int:
    """The latest change (ctime in ns) of a file, or of any file below a directory; 0 for none.

    Links are followed, since a certificate is renewed by pointing a link at a new file. A directory's own
    change counts too: it tells of a file that was deleted.
    """
    latest = 0
    if os.path.isdir(path):
        for folder, _, files in os.walk(path, followlinks=True):
            latest = max(latest, os.stat(folder).st_mtime_ns)
            for file in files:
                if not file.endswith(".postvakt"):
                    latest = max(latest, newest(os.path.join(folder, file)))
        return latest
    for see in (os.lstat, os.stat):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            found = see(path)
            if stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode):
                latest = max(latest, found.st_ctime_ns)
    return latest


def lines(*command: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def packages() -> dict[str, str]:
    """{package: version} of what is wholly installed."""
    form = "${db:Status-Abbrev}\t${binary:Package}\t${Version}\n"
    rows = [row.split("\t") for row in lines("dpkg-query", "-W", "-f", form)]
    return {name.split(":")[0]: version for state, name, version in rows if state == "ii "}


def units(names: list[str]) -> dict[str, dict[str, Any]]:
    """{unit: {property: value}}; the times are microseconds since 1970, 0 for never."""
    if not names:
        return {}
    shown = lines("systemctl", "show", "--timestamp=us+utc", "--property", UNIT_PROPERTIES, "--", *names)
    current: dict[str, Any] = {}
    blocks = []
    for row in [*shown, ""]:
        if row:
            key, _, value = row.partition("=")
            current[key] = f"{current[key]} {value}" if key in current else value
        elif current:
            blocks.append(current)
            current = {}
    for block in blocks:
        files = [block["FragmentPath"], *block["DropInPaths"].split()]
        words = block.get("ExecStart", "").split()
        files += [word.removeprefix("path=") for word in words if word.startswith("path=")]
        block["newest"] = max((newest(file) for file in files if file), default=0)
    return dict(zip(names, blocks, strict=True))


def holds(script: str) -> bool:
    """Whether a test script exits 0 within its time."""
    try:
        done = subprocess.run(
            ["sh", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=20,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


with ThreadPoolExecutor(4) as pool:
    tests = dict(zip(REQUEST["tests"], pool.map(holds, REQUEST["tests"]), strict=True))
json.dump(
    {
        "files": {path: look(path) for path in REQUEST["files"]},
        "newest": {path: newest(path) for path in REQUEST["reads"]},
        "units": units(REQUEST["units"]),
        "packages": packages() if REQUEST["packages"] else {},
        "tests": tests,
    },
    sys.stdout,
)
