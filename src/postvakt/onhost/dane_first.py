#!/usr/bin/python3
"""Says to Postfix which receivers have DANE, so that MTA-STS does not override it (RFC 8461, section 2).

    dane-first SOCKET

Speaks socketmap_table(5). The answer is ``dane`` where the receiver's MX records are signed and at least
one of its hosts has TLSA records; nothing where not; and a temporary failure where its DNS does not
validate, so that mail waits. What it asks, it asks of the host's own validating resolver.
"""

from __future__ import annotations

import os
import socketserver
import sys
from importlib import import_module
from typing import Any

RESOLVER = "127.0.0.1"
SECONDS = 10
MAX_REQUEST = 1000
NOERROR, NXDOMAIN = 0, 3


class UnansweredError(Exception):
    """The resolver has no answer, or one that does not validate."""


def ask(name: str, kind: str) -> tuple[bool, list[Any]]:
    """Whether the answer is validated, and its rows of this type."""
    message, query, flags, types = (
        import_module(f"dns.{part}") for part in ("message", "query", "flags", "rdatatype")
    )
    question = message.make_query(name, kind, flags=flags.RD | flags.AD)
    try:
        answer = query.udp_with_fallback(question, RESOLVER, timeout=SECONDS)[0]
    except (OSError, import_module("dns.exception").DNSException) as error:
        raise UnansweredError(f"{name} {kind}: {type(error).__name__}") from error
    if answer.rcode() not in (NOERROR, NXDOMAIN):
        raise UnansweredError(f"{name} {kind}: the resolver has no valid answer")
    wanted = types.from_text(kind)
    rows = [row for rrset in answer.answer if rrset.rdtype == wanted for row in rrset]
    return bool(answer.flags & flags.AD), rows


def has_dane(domain: str) -> bool:
    """Whether mail for a domain goes to a host that signed DNS has TLSA records of (RFC 7672)."""
    secure, rows = ask(domain, "MX")
    if not secure:
        return False
    for host in [str(row.exchange) for row in rows] or [domain]:
        # Servers of unsigned zones may fail on TLSA, so those are not asked (RFC 7672, section 2.2.2).
        if host != "." and any(ask(host, kind)[0] for kind in ("A", "AAAA")):
            signed, found = ask(f"_25._tcp.{host}", "TLSA")
            if signed and found:
                return True
    return False


def answer(request: str) -> str:
    """The reply to ``MAP KEY``, where the key is Postfix's next hop."""
    domain = request.partition(" ")[2]
    # A literal, or a host that an operator has set as the way: there are no MX records to trust.
    if not domain or domain[0] in "[.":
        return "NOTFOUND "
    try:
        return "OK dane" if has_dane(domain) else "NOTFOUND "
    except (UnansweredError, ValueError) as error:
        return f"TEMP {error}"


class Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while length := self.length():
            request = self.rfile.read(length)
            if self.rfile.read(1) != b",":
                return
            reply = answer(request.decode(errors="replace")).encode()
            self.wfile.write(b"%d:%s," % (len(reply), reply))

    def length(self) -> int:
        """The length of the next netstring; 0 where there is none, or none that is well formed."""
        digits = b""
        while (sign := self.rfile.read(1)).isdigit() and len(digits) < 4:
            digits += sign
        return int(digits) if sign == b":" and digits and int(digits) <= MAX_REQUEST else 0


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


def main(path: str) -> None:
    if os.path.exists(path):
        os.unlink(path)
    os.umask(0o117)
    with Server(path, Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
