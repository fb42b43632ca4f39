"""What runs in the outside world; the counterpart of ``deploy/kinds.py``."""

from __future__ import annotations

from pyinfra.context import host as here

from deploy.kinds import BASE
from deploy.ops import Role
from postvakt.inventory import Host
from postvakt.lab.world.hosts import WorldKind
from postvakt.lab.world.roles import (
    client,
    pebble,
    provider_dovecot,
    provider_postfix,
    provider_sts,
    registry,
    root_key,
    signatures,
    verifier,
)
from postvakt.lab.world.zones import ZONES
from roles import apt, certbot, knot, nftables, retired, unbound


def _base(resolver: Role) -> tuple[Role, ...]:
    """The roles of every host, with a resolver that serves others: the client's internet provider."""
    return tuple(resolver if role is unbound.ROLE else role for role in BASE)


def kinds(host: Host) -> tuple[Role, ...]:
    if host.kind == WorldKind.CLIENT:
        return (*_base(unbound.serving("0.0.0.0/0", "::/0")), client.ROLE)
    return (
        *BASE,
        root_key.importing(here.data.keys.root_ksk),
        knot.serving(*ZONES),
        registry.ROLE,
        pebble.serving(here.data.keys),
        signatures.ROLE,
        certbot.ROLE,
        provider_postfix.serving(here.data.keys),
        provider_sts.serving(here.data.keys),
        provider_dovecot.ROLE,
        verifier.ROLE,
    )


def roles_of(host: Host) -> tuple[Role, ...]:
    own = kinds(host)
    return (apt.ROLE, nftables.guarding((apt.ROLE, *own)), *own, retired.ROLE)
