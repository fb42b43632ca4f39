"""The one hook into paramiko: what it says it does, seen on a real connection."""

from __future__ import annotations

import socket
import threading

from deploy.connection import PromptTransport


def test_nagles_algorithm_is_off() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []
    thread = threading.Thread(target=lambda: accepted.append(server.accept()[0]))
    thread.start()
    with socket.create_connection(server.getsockname()) as client:
        transport = PromptTransport(client)
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        transport.close()
    thread.join()
    accepted[0].close()
    server.close()
