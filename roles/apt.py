"""Where packages come from, and what is installed with them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from deploy.ops import Egress, Resource, Role, absent, config, packages
from postvakt.inventory import Host

EGRESS = (
    Egress("_apt", 80, "tcp", "Debian packages, signed"),
    Egress("_apt", 443, "tcp", "Debian packages, signed"),
)


def declare(host: Host) -> Iterator[Resource]:
    yield config("apt/etc/apt/apt.conf.d/50postvakt", proxy=host.outside.package_proxy)
    yield packages("ca-certificates", "debian-archive-keyring", "python3", "sudo", "tzdata")
    # What holds services while packages are installed; an interrupted run may have left it.
    yield absent("/usr/sbin/policy-rc.d")


def egress(host: Host) -> tuple[Egress, ...]:
    proxy = host.outside.package_proxy
    if proxy is None:
        return EGRESS
    return (Egress("_apt", urlsplit(proxy).port or 80, "tcp", "the package proxy"),)


ROLE = Role("apt", declare, egress=egress)
