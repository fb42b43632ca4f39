"""Security updates come by themselves, every day, and their services are started anew."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, config, packages, service
from postvakt.inventory import Host


def declare(host: Host) -> Iterator[Resource]:
    yield packages("unattended-upgrades", "needrestart")
    yield config("unattended_upgrades/etc/apt/apt.conf.d/52unattended-upgrades")
    yield config("unattended_upgrades/etc/needrestart/conf.d/postvakt.conf")
    yield service("apt-daily.timer")
    yield service("apt-daily-upgrade.timer")


ROLE = Role("unattended_upgrades", declare)
