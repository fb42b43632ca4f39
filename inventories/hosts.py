"""Every host of both inventories, checked together."""

from typing import Any

from inventories.norway import hosts as norway
from inventories.us import hosts as us
from postvakt.inventory import Entry, Host, validate


def _declared(*groups: list[Entry]) -> tuple[Host, ...]:
    data: list[dict[str, Any]] = [entry[1] for group in groups for entry in group]
    return validate(one["declared"] for one in data)


HOSTS = _declared(norway.mail, norway.support, norway.backup, norway.web, norway.dns, us.web)
