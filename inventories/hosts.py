"""Every host of both inventories, checked together."""

from typing import Any

from inventories.norway import hosts as norway
from inventories.us import hosts as us
from postvakt.inventory import Entry, Host, validate
from postvakt.obligations import obligations
from postvakt.policy import catalog


def _declared(*groups: list[Entry]) -> tuple[Host, ...]:
    data: list[dict[str, Any]] = [entry[1] for group in groups for entry in group]
    return validate(one["declared"] for one in data)


HOSTS = _declared(norway.mail, norway.support, norway.backup, norway.web, norway.dns, us.web)
OBLIGATIONS = obligations(catalog(), HOSTS)
"""Which promise binds which host. What the policy does not allow is refused here, before a connection."""
