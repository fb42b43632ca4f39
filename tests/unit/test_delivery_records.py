"""The program that finds records of delivery on a host, on files of its own."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "src" / "postvakt" / "onhost" / "delivery_records.py"
DAY = 86400
LINE = "mail1 postfix/smtp[7]: A1: to=<somebody@elsewhere.example>, status=sent\n"


def scan(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-I", str(PROGRAM), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    # It carries nothing of what it read away (DER-03).
    assert "somebody" not in done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def age(folder: Path, name: str) -> float:
    said = scan(folder)
    assert said["unread"] == []
    return round(float((said["now"] - said["sources"][str(folder / name)]["oldest"]) / DAY), 2)


THEN = datetime.fromtimestamp(time.time() - 8 * DAY, UTC)


@pytest.mark.parametrize(
    "when",
    [
        THEN.isoformat(),
        THEN.strftime("%Y-%m-%dT%H:%M:%SZ"),
        THEN.astimezone().strftime("%b %e %H:%M:%S"),
        f"{THEN.timestamp():.3f}",
    ],
    ids=["iso", "zulu", "syslog", "epoch"],
)
def test_a_line_tells_its_time(tmp_path: Path, when: str) -> None:
    (tmp_path / "log").write_text(f"{datetime.now(UTC).isoformat()} {LINE}{when} {LINE}")
    assert age(tmp_path, "log") == pytest.approx(8, abs=0.01)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
def test_packed_logs_are_read(tmp_path: Path, pack: Any) -> None:
    """Whatever they are called."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x").write_bytes(pack(f"{THEN.isoformat()} {LINE}".encode()))
    assert age(tmp_path, "folder/x") == pytest.approx(8, abs=0.01)


def test_a_record_without_a_time_is_as_old_as_its_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("message-id=<1@elsewhere.example>\n")
    os.utime(path, (THEN.timestamp(), THEN.timestamp()))
    assert age(tmp_path, "x") == pytest.approx(8, abs=0.01)


@pytest.mark.parametrize(
    "content", [b"\x1f\x8bbroken", b"\x28\xb5\x2f\xfdzstd", gzip.compress(b"x" * 999)[:-9]]
)
def test_what_cannot_be_read_through_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    assert scan(tmp_path)["unread"] == [str(tmp_path / "x")]


def test_what_is_no_record_of_delivery_is_none(tmp_path: Path) -> None:
    (tmp_path / "dpkg.log").write_text("2020-01-01 10:00:00 install postfix:amd64 <none> 3.10\n")
    (tmp_path / "empty").touch()
    (tmp_path / "link").symlink_to(tmp_path / "dpkg.log")
    said = scan(tmp_path)
    assert (said["sources"], said["unread"]) == ({}, [])
