"""What the lab lays over the inventories: where the outside world is, and how hosts are reached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deploy.connection import CONNECT
from postvakt.lab import outside

TEXT = '''"""Written by ./postvakt lab up: how the lab is reached, and where its outside world is.

    pyinfra --group-data .lab/group_data inventories/norway/hosts.py deploy/site.py
"""

from pathlib import Path

from postvakt.lab.overlay import overlay as _overlay

_data = _overlay(Path({state!r}), {gateway!r})
outside = _data["outside"]
keys = _data["keys"]
ssh_config_file = _data["ssh_config_file"]
ssh_known_hosts_file = _data["ssh_known_hosts_file"]
ssh_strict_host_key_checking = _data["ssh_strict_host_key_checking"]
ssh_paramiko_connect_kwargs = _data["ssh_paramiko_connect_kwargs"]
'''


def overlay(state: Path, gateway: str) -> dict[str, Any]:
    """The overlay's data for pyinfra. ``keys`` are the outside world's and only its roles use them."""
    return {
        "outside": outside.outside(state, gateway),
        "keys": outside.keys(state),
        "ssh_config_file": str(state / "ssh" / "config"),
        "ssh_known_hosts_file": str(state / "ssh" / "known_hosts"),
        "ssh_strict_host_key_checking": "yes",
        "ssh_paramiko_connect_kwargs": CONNECT,
    }


def write(state: Path, gateway: str) -> None:
    folder = state / "group_data"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "all.py").write_text(TEXT.format(state=str(state), gateway=gateway))
