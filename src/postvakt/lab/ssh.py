"""Keys for the lab's hosts, and one SSH configuration for pyinfra, testinfra, molecule and people."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from postvakt.lab.system import run
from postvakt.lab.topology import Machine


class Keys:
    """The operator's key and the hosts' keys, made by the lab so that they are known beforehand."""

    def __init__(self, state: Path, operator: str) -> None:
        self.folder = state / "ssh"
        self.operator = operator
        self.key = self.folder / "id_ed25519"
        self.config = self.folder / "config"
        self.known_hosts = self.folder / "known_hosts"

    def host_key(self, name: str) -> Path:
        return self.folder / "hosts" / name

    def public(self) -> str:
        return self.key.with_name(f"{self.key.name}.pub").read_text()

    def up(self, machines: Iterable[Machine]) -> None:
        every = list(machines)
        for path in (self.key, *(self.host_key(one.name) for one in every)):
            self._make(path)
        known, hosts = [], []
        for one in every:
            key = self.host_key(one.name).with_name(f"{one.name}.pub").read_text().split()
            names = f"{one.name},{one.fqdn},{one.ipv4.ip},{one.ipv6.ip}"
            known.append(f"{names} {key[0]} {key[1]}\n")
            hosts.append(
                f"Host {one.name} {one.fqdn}\n    HostName {one.ipv4.ip}\n    HostKeyAlias {one.fqdn}\n"
            )
        hosts.append(
            "Host *\n"
            f"    User {self.operator}\n"
            f"    IdentityFile {self.key}\n"
            "    IdentitiesOnly yes\n"
            f"    UserKnownHostsFile {self.known_hosts}\n"
            "    StrictHostKeyChecking yes\n"
            "    LogLevel ERROR\n"
        )
        self.known_hosts.write_text("".join(known))
        self.config.write_text("".join(hosts))

    def _make(self, path: Path) -> None:
        public = path.with_name(f"{path.name}.pub")
        if path.exists() and public.exists():
            return
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)])
