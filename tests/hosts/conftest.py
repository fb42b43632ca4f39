"""Checks of hosts: read-only, the same on the lab and on production.

A module that is for some machine kinds only says so in ``KINDS``. A check takes ``host`` (testinfra's
nouns, as root, over SSH with pinned keys) and, where it needs to know what was declared, ``declared``.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host as Nouns

from inventories.hosts import HOSTS
from postvakt.clauses import MARK, Clauses, Recorder, recorder
from postvakt.inventory import Host, Outside, select
from postvakt.lab.world.hosts import HOSTS as WORLD
from postvakt.ssh import Connection
from postvakt.target import LAB, PRODUCTION, ROOT, Target


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--host", action="append", default=[], help="only this host or kind")
    parser.addoption("--production", action="store_true", help="the real hosts, not the lab's")
    parser.addoption("--clause", action="append", default=[], help="only checks that prove this clause")
    parser.addoption("--results", type=Path, help="a file for results in the place of the usual one")
    parser.addoption("--list-checks", type=Path, help="write what proves which clause where, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)
    results = config.getoption("--results") or _target(config).results
    narrowed = config.getoption("--clause")
    config.pluginmanager.register(Clauses(narrowed, config.getoption("--list-checks"), results), "clauses")


class OverSsh(BaseBackend):
    """testinfra over one strict SSH connection a host, the same that deploys use."""

    NAME = "postvakt"

    def __init__(self, connection: Connection, commands: list[str]) -> None:
        self.connection = connection
        self.commands = commands
        super().__init__(connection.name, sudo=True)

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:
        text = self.quote(command, *args)
        self.commands.append(text)
        done = self.connection.run(text, sudo=True)
        return self.result(done.code, self.encode(text), done.out.encode(), done.err.encode())


def _target(config: pytest.Config) -> Target:
    return PRODUCTION if config.getoption("--production") else LAB


def _hosts(config: pytest.Config) -> Sequence[Host]:
    world = () if config.getoption("--production") else WORLD
    return select((*HOSTS, *world), config.getoption("--host"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "declared" not in metafunc.fixturenames:
        return
    kinds = getattr(metafunc.module, "KINDS", None)
    chosen = [one for one in _hosts(metafunc.config) if kinds is None or one.kind in kinds]
    metafunc.parametrize("declared", chosen, ids=[one.name for one in chosen], scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """All checks of a host go to one worker: hosts are looked at side by side, each over one connection.

    A check for which no chosen host is of its kind is no check of this run; pytest would call it skipped.
    """
    kept = []
    for item in items:
        if isinstance(item, pytest.Function) and "declared" in item.fixturenames:
            declared = item.callspec.params["declared"]
            if not isinstance(declared, Host):
                continue
            item.add_marker(pytest.mark.xdist_group(declared.name))
        kept.append(item)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.fixture(scope="session")
def connections() -> dict[str, Connection]:
    return {}


def connected(declared: Host, connections: dict[str, Connection], config: pytest.Config) -> Connection:
    if declared.name not in connections:
        connections[declared.name] = _target(config).connect(declared)
    return connections[declared.name]


@pytest.fixture
def host(declared: Host, connections: dict[str, Connection], request: pytest.FixtureRequest) -> Nouns:
    connection = connected(declared, connections, request.config)
    return Nouns(OverSsh(connection, recorder(request.node).commands))


@pytest.fixture
def deployed(declared: Host, request: pytest.FixtureRequest) -> Host:
    """The host as a deploy sees it: with what the lab lays over the outside world."""
    outside = _target(request.config).data(declared).get("outside", Outside())
    return replace(declared, outside=outside)


@pytest.fixture
def observe(request: pytest.FixtureRequest) -> Recorder:
    """``observe(expected, observed)``: what a check of a clause saw, before it asserts."""
    return recorder(request.node)


@pytest.fixture
def look(
    declared: Host, connections: dict[str, Connection], request: pytest.FixtureRequest
) -> Callable[..., str]:
    """``look(program, *words)``: what a program of ``postvakt/onhost`` says, sent to the host and run there
    without being left on it."""

    def run(program: str, *words: str) -> str:
        source = Path("src", "postvakt", "onhost", program)
        command = shlex.join(("python3", "-I", "-", *words))
        recorder(request.node).commands.append(f"{command} < {source}")
        text = (ROOT / source).read_text()
        done = connected(declared, connections, request.config).run(command, stdin=text, sudo=True)
        assert done.code == 0, done.err
        return done.out

    return run
