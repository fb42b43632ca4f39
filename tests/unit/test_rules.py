"""The rules of the house (docs/architecture.md), each as a test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from deploy.converge import resources_of
from deploy.kinds import KINDS, roles_of
from deploy.ops import Directory, File, Service
from deploy.render import TEMPLATES
from inventories.hosts import HOSTS
from postvakt.inventory import Host, Kind

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path for path in (ROOT / "roles").glob("*.py") if path.name != "__init__.py")
WORLD = ROOT / "src" / "postvakt" / "lab" / "world"


@pytest.mark.parametrize("path", ROLES, ids=lambda path: path.stem)
def test_a_role_has_its_three_places(path: Path) -> None:
    text = path.read_text()
    if "config(" in text:
        assert (ROOT / "templates" / path.stem).is_dir()
    assert (ROOT / "tests" / "hosts" / f"test_{path.stem}.py").is_file()


def test_there_is_no_template_without_a_role() -> None:
    names = {path.stem for path in ROLES}
    assert {path.name for path in (ROOT / "templates").iterdir()} <= names
    world = {path.stem for path in (WORLD / "roles").glob("*.py")}
    assert {path.name for path in (WORLD / "templates").iterdir()} <= world


@pytest.mark.parametrize("path", [*ROLES, *(WORLD / "roles").glob("*.py")], ids=lambda path: path.stem)
def test_a_role_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 150


def templates() -> list[Path]:
    return sorted(path for folder in TEMPLATES for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.name)
def test_a_template_names_its_source_first(path: Path) -> None:
    assert path.suffix == ".j2"
    assert "{{ source }}" in "".join(path.read_text().splitlines(keepends=True)[:2])


RETENTION = re.compile(r"(MaxRetentionSec|MaxFileSec|maxage|rotate|keep-\w+|expire)\W{1,3}\d", re.IGNORECASE)


def test_the_rule_of_retention_times_sees_one() -> None:
    for line in ("MaxRetentionSec=7day", "  rotate 14", "maxage 7", "--keep-within 6m", "expire = 1d;"):
        assert RETENTION.search(line)
    assert not RETENTION.search("MaxRetentionSec={{ logs.keep_days }}day")


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.name)
def test_no_template_holds_a_retention_time(path: Path) -> None:
    """How long something is kept is said in the catalog and nowhere else."""
    assert not RETENTION.search(path.read_text())


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


MAY_IMPORT = {
    # Dependencies point one way; the key may import of ours only what stands here.
    "src/postvakt/errors.py": (),
    "src/postvakt/terms.py": (),
    "src/postvakt/sentences.py": (),
    "src/postvakt/strict.py": ("postvakt.errors",),
    "src/postvakt/policy.py": ("postvakt.strict", "postvakt.terms"),
    "src/postvakt/inventory.py": ("postvakt.errors", "postvakt.policy", "postvakt.terms"),
    "src/postvakt/obligations.py": ("postvakt.inventory", "postvakt.policy"),
    "inventories": (
        "inventories",
        "postvakt.inventory",
        "postvakt.obligations",
        "postvakt.policy",
        "roles",
        "deploy.connection",
    ),
    "roles": ("deploy.ops", "roles", "postvakt.inventory", "postvakt.policy"),
    "deploy/ops.py": ("deploy.render", "postvakt.inventory"),
    "deploy/facts.py": ("deploy.ops",),
    "deploy/probe.py": (),
    "deploy/connection.py": (),
    "deploy/converge.py": ("deploy", "postvakt.inventory"),
    "src/postvakt/onhost": (),
}


@pytest.mark.parametrize("place", MAY_IMPORT)
def test_dependencies_point_one_way(place: str) -> None:
    target = ROOT / place
    files = [target] if target.is_file() else sorted(target.rglob("*.py"))
    assert files
    for file in files:
        for name in imports(file):
            if name.split(".")[0] in ("postvakt", "deploy", "roles", "inventories", "tests"):
                assert name.startswith(MAY_IMPORT[place]), f"{file.name} imports {name}"


def test_nothing_imports_the_tests() -> None:
    for folder in ("src", "deploy", "roles", "inventories"):
        for file in (ROOT / folder).rglob("*.py"):
            assert not any(name.split(".")[0] == "tests" for name in imports(file)), file


@pytest.mark.parametrize("path", sorted((ROOT / "inventories").glob("*/hosts.py")), ids=str)
def test_an_inventory_is_lists_of_hosts_and_constants(path: Path) -> None:
    """Every list at the top of an inventory is a host group to pyinfra."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign):
            (target,) = node.targets
            assert isinstance(target, ast.Name)
            if isinstance(node.value, ast.List):
                assert target.id in set(Kind)
                for entry in node.value.elts:
                    assert isinstance(entry, ast.Call)
                    assert isinstance(entry.func, ast.Name)
                    assert entry.func.id == "host"
        else:
            assert isinstance(node, ast.Expr | ast.Import | ast.ImportFrom)


def test_every_kind_has_its_roles() -> None:
    assert set(KINDS) == set(Kind)


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_what_a_host_declares_is_consistent(host: Host) -> None:
    resources = resources_of(host, roles_of(host))
    titles = [one.title for one in resources]
    assert len(titles) == len(set(titles)), "two resources of one name"
    for one in resources:
        if isinstance(one, File | Directory):
            assert one.path.startswith("/")
        if isinstance(one, File):
            assert one.mode & 0o022 == 0, f"{one.path} may be written by others"
        if isinstance(one, File) and one.path.startswith("/etc/sudoers.d"):
            assert one.validate


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_no_two_roles_open_the_same_port(host: Host) -> None:
    opened = [port for role in roles_of(host) for port in role.ports]
    assert len(opened) == len(set(opened))


READ_AT_EACH_USE = (
    "/etc/apt/",
    "/etc/letsencrypt/",
    "/etc/locale.conf",
    "/etc/needrestart/",
    # Our own programs' settings: they run, read and end.
    "/etc/postvakt/",
    "/etc/resolv.conf",
    "/etc/ssh/authorized_keys/",
    "/etc/ssh/publishers/",
    "/etc/ssl/",
    "/etc/sudoers.d/",
    # systemd tells of these itself, with the unit that they belong to.
    "/etc/systemd/system/",
)
"""What no running service keeps in mind."""


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_a_service_reads_what_its_role_writes(host: Host) -> None:
    """A file that a role writes below /etc is restarted for when it changes."""
    declared = {role.name: list(role.declare(host)) for role in roles_of(host)}
    services = [one for resources in declared.values() for one in resources if isinstance(one, Service)]
    reads = [read for one in services for read in one.reads]
    for name, resources in declared.items():
        for one in resources:
            if isinstance(one, File) and one.path.startswith("/etc/"):
                covered = any(one.path == read or one.path.startswith(f"{read}/") for read in reads)
                known = covered or one.path.startswith(READ_AT_EACH_USE)
                assert known, f"{name}: no service reads {one.path}"
