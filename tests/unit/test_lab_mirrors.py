"""What the lab reads of the machine, where a wrong guess does harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from postvakt.lab.cache import mirrors
from postvakt.lab.network import is_namespace
from postvakt.lab.system import LabError, require_root

OURS = "deb http://mirror.example/debian bookworm main\n"
SOURCES = "Types: deb\nURIs: {uri}\nSuites: bookworm\nComponents: main\n{more}"


VPN = "/usr/share/keyrings/vpn.gpg"
ELSEWHERE = "http://elsewhere.example/debian"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("docker.list", "deb [arch=amd64] https://elsewhere.example/linux/debian bookworm stable\n"),
        ("vpn.list", f"deb [signed-by={VPN}] {ELSEWHERE} bookworm main\n"),
        ("source.list", f"deb-src {ELSEWHERE} bookworm main\n"),
        ("next.list", f"deb {ELSEWHERE} trixie main\n"),
        ("off.sources", SOURCES.format(uri=ELSEWHERE, more="Enabled: no\n")),
        ("key.sources", SOURCES.format(uri=ELSEWHERE, more=f"Signed-By: {VPN}\n")),
    ],
)
def test_another_archive_is_no_mirror_of_debian(tmp_path: Path, name: str, text: str) -> None:
    release = tmp_path / "os-release"
    release.write_text('VERSION_CODENAME="bookworm"\n')
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / name).write_text(text)
    (tmp_path / "sources.list.d" / "zz.list").write_text(OURS)
    assert mirrors(tmp_path, release)[0] == "http://mirror.example/debian"


def test_a_snapshot_is_a_mirror(tmp_path: Path) -> None:
    release = tmp_path / "os-release"
    release.write_text("VERSION_CODENAME=bookworm\n")
    (tmp_path / "sources.list.d").mkdir()
    uri = "http://snapshot.example/archive/debian/20250520T000000Z"
    signed = "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    (tmp_path / "sources.list.d" / "debian.sources").write_text(SOURCES.format(uri=uri, more=signed))
    assert mirrors(tmp_path, release)[0] == uri


def test_a_file_left_by_a_crash_is_no_namespace(tmp_path: Path) -> None:
    (tmp_path / "left").touch()
    assert not is_namespace(tmp_path / "left")
    assert not is_namespace(tmp_path / "absent")
    assert is_namespace(Path("/proc/self/ns/net"))


def test_who_is_not_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(LabError, match="run it as root"):
        require_root()
