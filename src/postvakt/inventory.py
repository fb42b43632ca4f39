"""The estate as data: what an inventory may say, and what is refused before anything connects.

An inventory file (``inventories/*/hosts.py``) is a list of ``host(...)`` calls and nothing else, so a
typing error in it is an error of the type checker. This module knows no role and no service.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any, TypeVar

from postvakt.errors import PostvaktError
from postvakt.policy import kept_in
from postvakt.terms import HOLDS
from postvakt.terms import Country as Country
from postvakt.terms import DataSet as DataSet
from postvakt.terms import Kind as Kind


class InventoryError(PostvaktError):
    """An inventory says something that must not be deployed. One line: what, where, what to do."""


NORWAY_ONLY = kept_in(Country.NO)
"""Data sets that may lie in Norway only, each with the clause of the policy that says so."""


@dataclass(frozen=True)
class Site:
    """A data centre: where it stands, who runs it, and under which contract."""

    name: str
    country: Country
    facility: str
    legal_entity: str
    contract: str


@dataclass(frozen=True)
class Settings:
    """What an inventory may say to one role. Each role that can be told something subclasses this."""


S = TypeVar("S", bound=Settings)


@dataclass(frozen=True)
class Operator:
    """A person who may enter hosts. ``valid_until`` is the last day on which the account is deployed."""

    name: str
    full_name: str
    keys: tuple[str, ...]
    valid_until: date


@dataclass(frozen=True)
class Estate:
    """What is the same on every host of the provider."""

    name: str
    domain: str
    operators: tuple[Operator, ...]
    contact: str


@dataclass(frozen=True)
class Outside:
    """Where the world outside the estate is. The default is the real one; only the lab says otherwise.

    ``root_hints``: zone-file text of the DNS root's servers; ``root_anchor``: its DS records as text;
    ``acme_directory``: URL of the certificate authority; ``authority``: PEM of one more certificate
    authority to trust for HTTPS; ``package_proxy``: URL; ``signature_mirror``: URL of the folder of
    virus signatures; ``operator``: one more operator.
    """

    root_hints: str | None = None
    root_anchor: str | None = None
    acme_directory: str | None = None
    authority: str | None = None
    package_proxy: str | None = None
    signature_mirror: str | None = None
    operator: Operator | None = None


@dataclass(frozen=True)
class Host:
    """One machine of the estate. ``known_hosts``: the pinned SSH host keys of it and its neighbours, in
    the format of sshd(8); there only while it is deployed."""

    name: str
    kind: str
    site: Site
    estate: Estate
    ipv4: IPv4Interface
    ipv6: IPv6Interface
    holds: tuple[DataSet, ...]
    team: str
    settings: tuple[Settings, ...] = ()
    outside: Outside = field(default_factory=Outside)
    known_hosts: str = field(default="", repr=False)

    @property
    def fqdn(self) -> str:
        return f"{self.name}.{self.estate.domain}"

    @property
    def addresses(self) -> tuple[IPv4Address, IPv6Address]:
        return self.ipv4.ip, self.ipv6.ip

    def host_key(self, fqdn: str) -> str | None:
        """The pinned SSH host key of a neighbour, ``TYPE BASE64``."""
        for line in self.known_hosts.splitlines():
            names, _, key = line.partition(" ")
            if fqdn in names.split(","):
                return key.strip()
        return None

    def setting(self, of: type[S]) -> S:
        """The settings that the inventory gives this role on this host, else the role's defaults."""
        found = [entry for entry in self.settings if isinstance(entry, of)]
        return found[0] if found else of()


Entry = tuple[str, dict[str, Any]]
"""What pyinfra takes for a host: its name and its data."""


def host(
    name: str,
    *,
    kind: Kind,
    site: Site,
    estate: Estate,
    ipv4: str,
    ipv6: str,
    holds: Sequence[DataSet],
    team: str,
    settings: Sequence[Settings] = (),
) -> Entry:
    """Declare one host. Addresses carry their prefix length, as in ``198.51.100.10/24``."""
    try:
        declared = Host(
            name=name,
            kind=kind,
            site=site,
            estate=estate,
            ipv4=IPv4Interface(ipv4),
            ipv6=IPv6Interface(ipv6),
            holds=tuple(holds),
            team=team,
            settings=tuple(settings),
        )
    except ValueError as error:
        raise InventoryError(f"host {name}: {error}: correct its address in the inventory") from error
    refuse_abroad(declared, HOLDS[kind])
    for data in sorted(HOLDS[kind].difference(holds)):
        raise InventoryError(f"host {name} is of the kind {kind} and so holds {data}: add it to its holds")
    return entry(declared)


def entry(declared: Host) -> Entry:
    """The pyinfra form of a host."""
    return declared.name, {"declared": declared, "ssh_hostname": declared.fqdn}


def refuse_abroad(declared: Host, by_nature: Iterable[DataSet] = ()) -> None:
    """Refuse a host outside Norway that holds data which the policy keeps in Norway."""
    if declared.site.country is Country.NO:
        return
    for data in sorted({*declared.holds, *by_nature}):
        if data in NORWAY_ONLY:
            raise InventoryError(
                f"host {declared.name} is in {declared.site.country} and holds {data}: clause "
                f"{NORWAY_ONLY[data]} keeps it in Norway; move the data set or the host"
            )


def validate(hosts: Iterable[Host]) -> tuple[Host, ...]:
    """Refuse what single hosts cannot show: names and addresses used twice."""
    declared = tuple(hosts)
    for what, values in (
        ("name", [one.name for one in declared]),
        ("address", [str(address) for one in declared for address in one.addresses]),
    ):
        for value, count in Counter(values).items():
            if count > 1:
                holders = [
                    one.name for one in declared if value == one.name or value in map(str, one.addresses)
                ]
                raise InventoryError(
                    f"the {what} {value} is given to {count} hosts ({', '.join(holders)}): "
                    f"give each host of the inventories its own"
                )
    return declared


def select(hosts: Sequence[Host], wanted: Sequence[str]) -> tuple[Host, ...]:
    """The hosts that the words name: a host, its short name where only one has it, or a machine kind.

    No words mean every host. Raises InventoryError for a word that names nothing or too much.
    """
    if not wanted:
        return tuple(hosts)
    chosen: list[Host] = []
    for word in wanted:
        exact = [one for one in hosts if word in (one.name, one.fqdn)]
        kinds = [one for one in hosts if one.kind == word]
        short = [one for one in hosts if one.name.split(".")[0] == word]
        if not exact and not kinds and len(short) > 1:
            names = " or ".join(one.name for one in short)
            raise InventoryError(f"{word} is not one host: say {names}")
        found = exact or kinds or short
        if not found:
            names = ", ".join(one.name for one in hosts)
            raise InventoryError(f"no host or kind is called {word}: choose from {names}")
        chosen += [one for one in found if one not in chosen]
    return tuple(chosen)
