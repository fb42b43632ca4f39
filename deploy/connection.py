"""SSH connections without Nagle's algorithm.

paramiko leaves Nagle's algorithm on, which with the peer's delayed acknowledgement costs about 40 ms
for each remote command (gap: paramiko issue 2135; asyncssh and OpenSSH turn it off). The hook below
serves pyinfra and testinfra alike, since both connect through ``paramiko.Transport``.
"""

from __future__ import annotations

import logging
import socket
from functools import wraps
from typing import Any

import paramiko

KEEPALIVE_SECONDS = 15


def without_delay() -> None:
    """Make every later paramiko transport send at once and notice a dead peer. Safe to call twice."""
    # What goes wrong is said once, by whoever asked for the connection.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
    original = paramiko.Transport.__init__
    if getattr(original, "without_delay", False):
        return

    @wraps(original)
    def connect(self: paramiko.Transport, sock: Any, *args: Any, **named: Any) -> None:
        original(self, sock, *args, **named)
        if isinstance(self.sock, socket.socket) and self.sock.family != socket.AF_UNIX:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.set_keepalive(KEEPALIVE_SECONDS)

    connect.without_delay = True  # type: ignore[attr-defined]
    paramiko.Transport.__init__ = connect  # type: ignore[method-assign]
