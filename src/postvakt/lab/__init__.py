"""The whole estate as real Debian hosts on one machine."""

from __future__ import annotations

from inventories.hosts import HOSTS
from postvakt.lab import outside
from postvakt.lab.lab import Lab
from postvakt.lab.topology import machines
from postvakt.lab.world.hosts import CLIENT
from postvakt.lab.world.hosts import HOSTS as WORLD
from postvakt.target import LAB_FOLDER, ROOT


def lab() -> Lab:
    """The lab of this checkout: every host of the inventories, and the world around them.

    POSTVAKT_LAB names another one beside it, as the tests' own.
    """
    return Lab(ROOT, LAB_FOLDER, machines((*HOSTS, *WORLD)), str(CLIENT.ipv4.ip), outside.OPERATOR)
