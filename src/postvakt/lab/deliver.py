"""A real message each way between the two providers, as two people with mail programs send them."""

from __future__ import annotations

import imaplib
import smtplib
import ssl
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

from inventories.hosts import HOSTS
from postvakt import accounts
from postvakt.inventory import Kind
from postvakt.lab.system import LabError
from postvakt.lab.world.hosts import WORLD
from postvakt.lab.world.people import ELLEN, KARI, Person
from postvakt.target import Target

SECONDS = 60
LAPTOP = "laptop.at-home.example"
"""What a person's mail program calls itself."""


@dataclass(frozen=True)
class Provider:
    """Where a person's mail programs connect to."""

    server: str
    person: Person
    trust: ssl.SSLContext


def providers(target: Target) -> tuple[Provider, Provider]:
    """The estate and the other provider, with the certificate authorities of the lab's world."""
    (mail,) = [one for one in HOSTS if one.kind == Kind.MAIL]
    roots = target.connect(WORLD).run("cat /var/lib/pebble/roots.pem")
    if roots.code:
        raise LabError(f"{WORLD.name} shows no certificate authority: {roots.err.strip()}")
    trust = ssl.create_default_context(cadata=roots.out)
    store = accounts.Store(target.connect(mail))
    if KARI.address not in [one.address for one in store.all()]:
        fields = {"first_name": "Kari", "last_name": "Nordmann", "country": "NO"}
        store.add(KARI.address, KARI.password, plan="subscribed", fields=fields)
    return Provider(mail.fqdn, KARI, trust), Provider(WORLD.fqdn, ELLEN, trust)


def send(sender: Provider, recipient: str, subject: str, body: str) -> str:
    """Submit a message by implicit TLS (RFC 8314) and give its Message-ID."""
    message = EmailMessage()
    message["From"] = sender.person.address
    message["To"] = recipient
    message["Subject"] = subject
    message["Message-ID"] = f"<{uuid.uuid4()}@{sender.person.address.split('@')[1]}>"
    message.set_content(body)
    with smtplib.SMTP_SSL(
        sender.server, 465, local_hostname=LAPTOP, context=sender.trust, timeout=SECONDS
    ) as smtp:
        smtp.login(sender.person.address, sender.person.password)
        smtp.send_message(message)
    return str(message["Message-ID"])


def login(provider: Provider) -> imaplib.IMAP4_SSL:
    imap = imaplib.IMAP4_SSL(provider.server, 993, ssl_context=provider.trust, timeout=SECONDS)
    imap.login(provider.person.address, provider.person.password)
    return imap


def wait_for(provider: Provider, message_id: str) -> bytes:
    """The message as its recipient's mail program gets it. Raises LabError when it does not come."""
    end = time.monotonic() + SECONDS
    imap = login(provider)
    while time.monotonic() < end:
        imap.select("INBOX", readonly=True)
        _, found = imap.search(None, "HEADER", "Message-ID", message_id)
        if found and found[0]:
            _, parts = imap.fetch(found[0].split()[0].decode(), "(BODY.PEEK[])")
            imap.logout()
            assert isinstance(parts[0], tuple)
            return parts[0][1]
        time.sleep(0.2)
    raise LabError(
        f"the message {message_id} did not reach {provider.person.address} within {SECONDS} s: "
        "./postvakt lab exec mail1 -- sudo journalctl -u postfix shows where it stopped"
    )


def both_ways(target: Target, say: Callable[[str], None]) -> None:
    """A message from the other provider to ours, and the reply."""
    ours, theirs = providers(target)
    try:
        _exchange(ours, theirs, say)
    except (OSError, smtplib.SMTPException, imaplib.IMAP4.error) as error:
        raise LabError(f"mail does not go: {error}; ./postvakt check says more") from error


def _exchange(ours: Provider, theirs: Provider, say: Callable[[str], None]) -> None:
    for sender, recipient in ((theirs, ours), (ours, theirs)):
        began = time.monotonic()
        to = recipient.person.address
        sent = send(sender, to, "God dag", f"Mail to {to}: æ ø å.\n")
        wait_for(recipient, sent)
        say(f"{sender.person.address} -> {to}: delivered in {time.monotonic() - began:.1f} s")
