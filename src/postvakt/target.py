"""Which estate a verb acts on: the lab on this machine, or production."""

from __future__ import annotations

import os
import runpy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from postvakt.inventory import Country, Host
from postvakt.ssh import Connection

ROOT = Path(__file__).resolve().parents[2]
LAB_FOLDER = Path(os.environ.get("POSTVAKT_LAB", ".lab")).name
"""Where in the checkout the lab keeps what it makes. A checkout may have several labs."""
NAMES = (
    "keys",
    "outside",
    "ssh_config_file",
    "ssh_known_hosts_file",
    "ssh_paramiko_connect_kwargs",
    "ssh_strict_host_key_checking",
)
FOLDERS = {Country.NO: "norway", Country.US: "us"}


@cache
def group_data(folder: Path) -> dict[str, Any]:
    """What the ``group_data/all.py`` of an inventory or an overlay says."""
    said = runpy.run_path(str(folder / "group_data" / "all.py"))
    return {name: value for name, value in said.items() if name in NAMES}


@dataclass(frozen=True)
class Target:
    """``overlay`` is the lab's state directory; None means production."""

    overlay: Path | None

    def data(self, host: Host) -> dict[str, Any]:
        """How pyinfra reaches a host, and what is laid over its inventory."""
        if self.overlay is not None:
            return group_data(self.overlay)
        data = group_data(ROOT / "inventories" / FOLDERS[host.site.country])
        return data | {"ssh_known_hosts_file": str(ROOT / data["ssh_known_hosts_file"])}

    @property
    def results(self) -> Path:
        """Where the newest result of each check is kept."""
        return (self.overlay or ROOT / "evidence") / "results.jsonl"

    def connect(self, host: Host) -> Connection:
        data = self.data(host)
        config = data.get("ssh_config_file")
        return Connection(host.fqdn, Path(config) if config else None, Path(data["ssh_known_hosts_file"]))


LAB = Target(ROOT / LAB_FOLDER)
PRODUCTION = Target(None)
