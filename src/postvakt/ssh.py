"""Commands on a host, over one SSH connection with a pinned host key and nothing else."""

from __future__ import annotations

import json
import shlex
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko
from paramiko.channel import ChannelFile

from deploy.connection import PromptTransport
from postvakt.errors import PostvaktError

CONNECT_SECONDS = 10
COMMAND_SECONDS = 120
AGENT = Path(__file__).with_name("agent.py")


class SshError(PostvaktError):
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
        self._agents: dict[bool, paramiko.Channel] = {}
        self._answers: dict[bool, ChannelFile] = {}

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
        stdin: str = "",
        sudo: bool = False,
        seconds: float = COMMAND_SECONDS,
    ) -> Done:
        """Run a shell command, or the words of one; with ``sudo`` as root. Raises SshError when the
        host is lost or the time is over; a command that fails is an answer, not an error."""
        text = command if isinstance(command, str) else shlex.join(command)
        try:
            agent = self._agent(sudo)
            ask = {"command": text, "stdin": b64encode(stdin.encode()).decode(), "seconds": seconds}
            agent.settimeout(seconds + CONNECT_SECONDS)
            agent.sendall(f"{json.dumps(ask)}\n".encode())
            answer = self._answers[sudo].readline()
            if not answer:
                said = agent.makefile_stderr("rb").read().decode(errors="replace").strip()
                raise OSError(said.splitlines()[-1] if said else "the connection is gone")
        except (paramiko.SSHException, OSError) as error:
            self.close()
            raise SshError(f"{self.name} does not answer: {error or 'time is over'}") from error
        code, out, err = json.loads(answer)
        if code is None:
            raise SshError(f"{self.name}: no end within {seconds:.0f} s: {text.splitlines()[0][:80]}")
        return Done(code, *(b64decode(part).decode(errors="replace") for part in (out, err)))

    def _agent(self, sudo: bool) -> paramiko.Channel:
        """The program on the host that runs commands, started when it is first needed, and again when
        the host has ended it, as a reboot does."""
        if sudo in self._agents and self._agents[sudo].closed:
            self.close()
        if sudo not in self._agents:
            transport = self._connected().get_transport()
            assert transport is not None
            channel = transport.open_session(timeout=CONNECT_SECONDS)
            program = AGENT.read_bytes()
            start = f"import sys;exec(sys.stdin.buffer.read({len(program)}).decode())"
            become = "sudo -n -- " if sudo else ""
            channel.exec_command(f"exec {become}python3 -I -c {shlex.quote(start)}")
            channel.sendall(program)
            self._agents[sudo] = channel
            self._answers[sudo] = channel.makefile("rb")
        return self._agents[sudo]

    def close(self) -> None:
        self._agents.clear()
        self._answers.clear()
        if self._client is not None:
            self._client.close()
            self._client = None
