"""The whole estate as real Debian hosts on one machine."""

from __future__ import annotations

from pathlib import Path

from inventories.hosts import HOSTS
from postvakt.lab import outside
from postvakt.lab.lab import Lab
from postvakt.lab.topology import machines
from postvakt.lab.world.hosts import CLIENT
from postvakt.lab.world.hosts import HOSTS as WORLD

ROOT = Path(__file__).resolve().parents[3]


def lab() -> Lab:
    """The lab of this checkout: every host of the inventories, and the world around them."""
    return Lab(ROOT, machines((*HOSTS, *WORLD)), str(CLIENT.ipv4.ip), outside.OPERATOR)
