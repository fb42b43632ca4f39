"""Checks of hosts: read-only, the same on the lab and on production.

A module that is for some machine kinds only says so in ``KINDS``. A check takes ``host`` (testinfra's
nouns, as root, over SSH with pinned keys) and, where it needs to know what was declared, ``declared``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host as Nouns

from inventories.hosts import HOSTS
from postvakt.inventory import Host, select
from postvakt.lab.world.hosts import HOSTS as WORLD
from postvakt.ssh import Connection
from postvakt.target import LAB, PRODUCTION, Target


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--host", action="append", default=[], help="only this host or kind")
    parser.addoption("--production", action="store_true", help="the real hosts, not the lab's")


class OverSsh(BaseBackend):
    """testinfra over one strict SSH connection a host, the same that deploys use."""

    NAME = "postvakt"

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        super().__init__(connection.name, sudo=True)

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:
        text = self.quote(command, *args)
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


@pytest.fixture
def host(declared: Host, connections: dict[str, Connection], request: pytest.FixtureRequest) -> Nouns:
    if declared.name not in connections:
        connections[declared.name] = _target(request.config).connect(declared)
    return Nouns(OverSsh(connections[declared.name]))
