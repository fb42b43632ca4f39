"""A subscriber's mailbox in the lab, and the protocols by which its owner gets at it."""

from __future__ import annotations

import base64
import imaplib
import poplib
import re
import smtplib
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace

from postvakt.accounts import Store, generate_password
from postvakt.lab.deliver import LAPTOP, Provider
from postvakt.lab.world.people import Person

SECONDS = 30


def until(what: str, found: Callable[[], bool], seconds: float = SECONDS) -> float:
    """Wait for a condition; how long it took. Fails where it does not come true."""
    began = time.monotonic()
    while not found():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return time.monotonic() - began


def subscriber(store: Store, ours: Provider, name: str, plan: str = "subscribed") -> Provider:
    """A mailbox of ours with this name, made if it is not there, open, and with a new password."""
    person = Person(f"{name}@{ours.person.address.split('@')[1]}", generate_password())
    if person.address not in [one.address for one in store.all()]:
        store.add(person.address, person.password, plan=plan, fields={})
    else:
        store.resume(person.address)
        store.set_password(person.address, person.password)
    return replace(ours, person=person)


def with_device(store: Store, one: Provider, name: str) -> Provider:
    """The same mailbox, by the password of a new device."""
    if name in [device.name for device in store.devices(one.person.address)]:
        store.revoke_device(one.person.address, name)
    password = store.add_device(one.person.address, name)
    return replace(one, person=Person(one.person.address, password))


OPEN = ExitStack()
"""The sessions of a test, which end with it however it ends."""


def imap(one: Provider) -> imaplib.IMAP4_SSL:
    made = imaplib.IMAP4_SSL(one.server, 993, ssl_context=one.trust, timeout=SECONDS)
    OPEN.callback(quietly, made.shutdown)
    made.login(one.person.address, one.person.password)
    return made


def quietly(close: Callable[[], object]) -> None:
    """Close what the server may have closed already."""
    with suppress(OSError):
        close()


def pop(one: Provider) -> poplib.POP3_SSL:
    made = poplib.POP3_SSL(one.server, 995, context=one.trust, timeout=SECONDS)
    OPEN.callback(quietly, made.close)
    made.user(one.person.address)
    made.pass_(one.person.password)
    return made


def smtp(one: Provider) -> smtplib.SMTP_SSL:
    made = smtplib.SMTP_SSL(one.server, 465, local_hostname=LAPTOP, context=one.trust, timeout=SECONDS)
    OPEN.callback(quietly, made.close)
    made.login(one.person.address, one.person.password)
    return made


class SieveError(Exception):
    """The server said NO or BYE."""


class Sieve:
    """A ManageSieve session (RFC 5804), as far as a client needs it."""

    def __init__(self, one: Provider) -> None:
        self.socket: socket.socket = socket.create_connection((one.server, 4190), timeout=SECONDS)
        self.stream = self.socket.makefile("rwb")
        OPEN.callback(quietly, self.close)
        self.greeting = self.answer()
        self.ask("STARTTLS")
        self.stream.close()
        self.socket = one.trust.wrap_socket(self.socket, server_hostname=one.server)
        self.stream = self.socket.makefile("rwb")
        self.answer()
        word = base64.b64encode(f"\0{one.person.address}\0{one.person.password}".encode()).decode()
        self.ask(f'AUTHENTICATE "PLAIN" "{word}"')

    def ask(self, line: str, text: str | None = None) -> list[str]:
        literal = f" {{{len(text.encode())}+}}\r\n{text}" if text is not None else ""
        self.stream.write(f"{line}{literal}\r\n".encode())
        self.stream.flush()
        return self.answer()

    def answer(self) -> list[str]:
        lines: list[str] = []
        while True:
            line = self.stream.readline().decode().rstrip("\r\n")
            count = re.search(r"\{(\d+)\+?\}$", line)
            text = line
            if count:
                # A literal; the end of its line comes behind it.
                text = self.stream.read(int(count[1])).decode()
                self.stream.readline()
            if not line or line.startswith(("NO", "BYE")):
                raise SieveError(text)
            if line.startswith("OK"):
                return lines
            lines.append(text)

    def activate(self, script: str) -> None:
        """Make this the account's rules."""
        self.ask('PUTSCRIPT "rules"', script)
        self.ask('SETACTIVE "rules"')

    def close(self) -> None:
        self.stream.close()
        self.socket.close()


REFUSED = (imaplib.IMAP4.error, smtplib.SMTPException, poplib.error_proto, SieveError, OSError, EOFError)
"""How each protocol's client says that the server wants it no more."""
