"""SSH connections without Nagle's algorithm.

paramiko leaves Nagle's algorithm on, which with the peer's delayed acknowledgement costs about 40 ms
for each remote command; OpenSSH turns it off. paramiko takes a transport of the caller's, and pyinfra
hands it on (host data ``ssh_paramiko_connect_kwargs``), so nothing has to be patched.
"""

from __future__ import annotations

import logging
import socket
from typing import Any

import paramiko

KEEPALIVE_SECONDS = 15

# What goes wrong is said once, by whoever asked for the connection.
logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)


class PromptTransport(paramiko.Transport):
    """Sends at once, and notices a peer that is gone."""

    def __init__(self, sock: Any, *args: Any, **named: Any) -> None:
        super().__init__(sock, *args, **named)
        if isinstance(self.sock, socket.socket) and self.sock.family != socket.AF_UNIX:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.set_keepalive(KEEPALIVE_SECONDS)


CONNECT = {"transport_factory": PromptTransport}
"""What to hand to ``paramiko.SSHClient.connect``."""
