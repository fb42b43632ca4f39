"""What the lab reads of the machine, where a wrong guess does harm."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from postvakt.lab.mirror import FALLBACK, mirrors
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


UBUNTU = """Types: deb
URIs: http://elsewhere.example/ubuntu/
Suites: noble noble-updates
Components: main universe
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg
"""


def test_a_machine_without_debian_takes_the_cachers_own_mirror(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "ubuntu.sources").write_text(UBUNTU)
    release = tmp_path / "os-release"
    release.write_text("VERSION_CODENAME=noble\n")
    fallback = tmp_path / "backends"
    fallback.write_text("# kept by the package\n\nhttp://mirror.example/debian/\n")
    expected = ("http://mirror.example/debian", "http://mirror.example/debian-security")
    assert mirrors(tmp_path, release, fallback) == expected


def test_the_package_cachers_own_mirror_is_where_it_is_looked_for() -> None:
    """The fallback's file comes with a package that the lab installs."""
    assert re.search(r"^http\S+/debian", FALLBACK.read_text(), re.MULTILINE)


def test_a_cloud_images_list_of_mirrors_is_read(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    release = tmp_path / "os-release"
    release.write_text("VERSION_CODENAME=bookworm\n")
    for name, uri in (
        ("debian", "http://first.example/debian"),
        ("security", "http://s.example/debian-security"),
    ):
        (tmp_path / f"{name}.list").write_text(f"{uri}\nhttp://second.example/{name}\n")
    text = "".join(
        f"Types: deb deb-src\nURIs: mirror+file:{tmp_path}/{name}.list\nSuites: {suite}\nComponents: main\n\n"
        for name, suite in (("debian", "bookworm bookworm-updates"), ("security", "bookworm-security"))
    )
    (tmp_path / "sources.list.d" / "debian.sources").write_text(text)
    assert mirrors(tmp_path, release) == ("http://first.example/debian", "http://s.example/debian-security")


def test_a_mirror_that_is_told_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTVAKT_MIRROR", "http://told.example/debian/")
    assert mirrors(tmp_path) == ("http://told.example/debian", "http://told.example/debian-security")


def test_a_file_left_by_a_crash_is_no_namespace(tmp_path: Path) -> None:
    (tmp_path / "left").touch()
    assert not is_namespace(tmp_path / "left")
    assert not is_namespace(tmp_path / "absent")
    assert is_namespace(Path("/proc/self/ns/net"))


def test_who_is_not_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(LabError, match="run it as root"):
        require_root()
