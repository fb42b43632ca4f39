"""What a person does, on the lab. The lab is up and deployed: ``./postvakt test`` sees to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inventories.hosts import HOSTS
from postvakt.inventory import Host
from postvakt.lab import lab as the_lab
from postvakt.lab.lab import Lab
from postvakt.lab.world.hosts import HOSTS as WORLD
from postvakt.ssh import Connection
from postvakt.target import LAB

Shell = Callable[..., str]


@pytest.fixture(scope="session")
def lab() -> Lab:
    found = the_lab()
    found.require_up()
    assert found.network.joined(), "journeys run inside the lab's network: ./postvakt test"
    return found


@pytest.fixture(scope="session")
def hosts() -> dict[str, Host]:
    return {one.name: one for one in (*HOSTS, *WORLD)}


@pytest.fixture(scope="session")
def connect(lab: Lab, hosts: dict[str, Host]) -> Callable[[str], Connection]:
    """A connection to a host by its name; one for the whole session."""
    made: dict[str, Connection] = {}

    def connection(name: str) -> Connection:
        if name not in made:
            made[name] = LAB.connect(hosts[name])
        return made[name]

    return connection


@pytest.fixture
def sh(connect: Callable[[str], Connection]) -> Shell:
    """``sh(host, command)``: what a root shell says; the command must succeed."""

    def run(name: str, command: str) -> str:
        done = connect(name).run(command, sudo=True)
        assert done.code == 0, f"{name}: {command}: {done.err or done.out}"
        return done.out.strip()

    return run
