"""Which mirror of Debian this machine uses: the lab's packages come from there too."""

from __future__ import annotations

import os
import re
from pathlib import Path

from postvakt.lab.system import LabError

APT = Path("/etc/apt")
RELEASE = Path("/etc/os-release")
FALLBACK = Path("/etc/apt-cacher-ng/backends_debian.default")
"""The mirror that the package cache's own package falls back to: for machines of another distribution."""


def mirrors(folder: Path = APT, release: Path = RELEASE, fallback: Path = FALLBACK) -> tuple[str, str]:
    """The mirrors of Debian and of its security updates, without a slash at the end.

    POSTVAKT_MIRROR decides where it is set; else what this machine's apt uses; else, on a machine whose
    apt has nothing of Debian (Ubuntu), the package cache's own. Other archives that the machine uses are
    no mirrors: theirs are other suites, components or keys. Raises LabError where none is known.
    """
    if told := os.environ.get("POSTVAKT_MIRROR"):
        return _pair(told)
    known = re.search(r"^VERSION_CODENAME=\"?(\w+)", release.read_text(), re.MULTILINE)
    suite = known.group(1) if known else ""
    found = {
        name: uri.rstrip("/")
        for said, suites, components, key in reversed(_entries(folder))
        if "main" in components and (not key or "debian-archive" in key)
        for uri in _listed(said)
        if uri.startswith("http") and "debian" in uri
        for name in suites
    }
    if main := found.get(suite) or found.get("stable"):
        return main, found.get(f"{suite}-security") or found.get("stable-security") or _pair(main)[1]
    if fallback.is_file() and (lines := re.findall(r"^http\S+", fallback.read_text(), re.MULTILINE)):
        return _pair(lines[0])
    raise LabError(
        "no mirror of Debian is known here: set POSTVAKT_MIRROR to the address of one (http://.../debian)"
    )


def _pair(main: str) -> tuple[str, str]:
    main = main.rstrip("/")
    return main, f"{main}-security"


def _listed(uri: str) -> list[str]:
    """The mirrors behind an apt URI: of ``mirror+file:``, as cloud images have it, those in its file,
    the preferred one last (apt-transport-mirror(1)); of any other, itself."""
    if not uri.startswith("mirror+file:"):
        return [uri]
    try:
        text = Path("/" + uri.removeprefix("mirror+file:").lstrip("/")).read_text()
    except OSError:
        return []
    return re.findall(r"^(http\S+)", text, re.MULTILINE)[::-1]


Entry = tuple[str, list[str], list[str], str]
"""An archive: its URI, suites, components, and the keyring that signs it or nothing."""


def _entries(folder: Path) -> list[Entry]:
    """The archives of binary packages in apt's sources, of both formats (sources.list(5))."""
    entries: list[Entry] = []
    for file in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]:
        if not file.is_file() or file.suffix not in (".list", ".sources"):
            continue
        text = re.sub(r"^\s*#.*\n?", "", file.read_text(), flags=re.MULTILINE)
        if file.suffix == ".list":
            line = r"^\s*deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)([^#\n]*)"
            for options, uri, suite, components in re.findall(line, text, re.MULTILINE):
                key = re.search(r"signed-by=(\S+)", options)
                entries.append((uri, [suite], components.split(), key.group(1) if key else ""))
            continue
        for stanza in re.split(r"\n\s*\n", text):
            pairs = re.findall(r"^([\w-]+):((?:.*\n?)(?:[ \t]+.*\n?)*)", stanza, re.MULTILINE)
            said = {name.lower(): value.split() for name, value in pairs}
            if said.get("enabled") == ["no"] or "deb" not in said.get("types", []):
                continue
            key = (said.get("signed-by") or [""])[0]
            entries += [
                (uri, said.get("suites", []), said.get("components", []), key) for uri in said.get("uris", [])
            ]
    return entries
