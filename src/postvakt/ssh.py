"""Commands on a host, over one SSH connection with a pinned host key and nothing else."""

from __future__ import annotations

import select
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko

from deploy.connection import PromptTransport

CONNECT_SECONDS = 10
COMMAND_SECONDS = 120


class SshError(Exception):
    """A host cannot be reached or does not answer. One line: which host, what, what to do."""


@dataclass(frozen=True)
class Done:
    """What became of a command: its exit code and what it wrote."""

    code: int
    out: str
    err: str


class Connection:
    """One host. ``name`` is looked up in the SSH configuration, as ``ssh NAME`` would."""

    def __init__(self, name: str, config: Path | None, known_hosts: Path) -> None:
        self.name = name
        self.config = config or Path("~/.ssh/config").expanduser()
        self.known_hosts = known_hosts
        self._client: paramiko.SSHClient | None = None

    def _connected(self) -> paramiko.SSHClient:
        if self._client is not None:
            return self._client
        options: Any = {}
        if self.config.exists():
            options = paramiko.SSHConfig.from_path(str(self.config)).lookup(self.name)
        client = paramiko.SSHClient()
        client.load_host_keys(str(self.known_hosts))
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        try:
            client.connect(
                options.get("hostname", self.name),
                port=int(options.get("port", 22)),
                username=options.get("user"),
                key_filename=options.get("identityfile"),
                timeout=CONNECT_SECONDS,
                banner_timeout=CONNECT_SECONDS,
                auth_timeout=CONNECT_SECONDS,
                look_for_keys=False,
                allow_agent="identityfile" not in options,
                transport_factory=PromptTransport,
            )
        except paramiko.BadHostKeyException:
            raise SshError(
                f"{self.name} shows another host key than {self.known_hosts} pins: do not connect; "
                "compare it at the host's console"
            ) from None
        except (paramiko.SSHException, OSError) as error:
            raise SshError(f"{self.name} cannot be reached by SSH: {error}") from error
        self._client = client
        return client

    def run(
        self,
        command: str | Sequence[str],
        *,
        stdin: str | bytes = b"",
        sudo: bool = False,
        seconds: float = COMMAND_SECONDS,
    ) -> Done:
        """Run a shell command, or the words of one. Raises SshError when the host is lost or the
        time is over; a command that fails is an answer, not an error."""
        text = command if isinstance(command, str) else shlex.join(command)
        if sudo:
            text = f"sudo -n -- sh -c {shlex.quote(text)}"
        client = self._connected()
        try:
            wire, out, _ = client.exec_command(text, timeout=seconds)
            if stdin:
                wire.write(stdin)
            out.channel.shutdown_write()
            said = _read(out.channel, seconds)
            code = out.channel.recv_exit_status()
        except (paramiko.SSHException, OSError) as error:
            self.close()
            raise SshError(f"{self.name} does not answer: {error or 'time is over'}") from error
        return Done(code, said[0], said[1])

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _read(channel: paramiko.Channel, seconds: float) -> tuple[str, str]:
    """Both streams side by side, since one that is full and not read would stop the command."""
    end = time.monotonic() + seconds
    out, err = bytearray(), bytearray()
    while True:
        select.select([channel], [], [], max(0.0, end - time.monotonic()))
        read = len(out) + len(err)
        if channel.recv_ready():
            out += channel.recv(1 << 18)
        if channel.recv_stderr_ready():
            err += channel.recv_stderr(1 << 18)
        if len(out) + len(err) == read and channel.exit_status_ready() and channel.eof_received:
            return out.decode(errors="replace"), err.decode(errors="replace")
        if time.monotonic() > end:
            raise TimeoutError(f"no end within {seconds:.0f} s")
