"""Which promise binds which host: computed from the catalog and the inventories, never written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from postvakt.inventory import Host, InventoryError
from postvakt.policy import Catalog, Clause, PolicyError, Purpose


@dataclass(frozen=True)
class Obligation:
    """A clause binds a host. ``data``: the clause's data sets that the host holds; where there are none,
    the host is looked at for what must not be there."""

    clause: Clause
    host: Host
    data: tuple[str, ...]


def obligations(catalog: Catalog, hosts: Sequence[Host]) -> tuple[Obligation, ...]:
    """Every pair of a technical clause and a host, in the order of the catalog.

    Raises PolicyError for a technical clause that binds no host, and InventoryError for a data set to
    which no clause gives a purpose on the host that holds it.
    """
    found = []
    for clause in catalog:
        bound = [one for one in hosts if one.kind in clause.machines]
        if clause.technical and not bound:
            kinds = ", ".join(clause.machines)
            raise PolicyError(
                f"{clause.id}: binds hosts of kind {kinds}, and the inventories have none: "
                "declare one or correct the clause's machines"
            )
        for host in bound:
            held = tuple(data for data in clause.data if data in host.holds)
            found.append(Obligation(clause, host, held))
    # What only protects data gives nobody a reason to hold it.
    given = [one for one in found if set(one.clause.purposes) != {Purpose.SECURITY}]
    covered = {(one.host.name, data) for one in given for data in one.data}
    for host in hosts:
        for data in host.holds:
            if (host.name, data) not in covered:
                raise InventoryError(
                    f"host {host.name} holds {data}: no clause of the policy gives that a purpose on a "
                    f"host of kind {host.kind}; a clause must, or the host must not hold it"
                )
    return tuple(found)
