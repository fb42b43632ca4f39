"""Mail between the two providers, with the programs that people use."""

from __future__ import annotations

import email
import re
import smtplib
import socket
from collections.abc import Callable
from email.message import Message

import pytest

from postvakt.lab import deliver
from postvakt.lab.deliver import Provider
from postvakt.lab.lab import Lab
from postvakt.ssh import Connection
from postvakt.target import LAB


@pytest.fixture(scope="module")
def providers(lab: Lab) -> tuple[Provider, Provider]:
    return deliver.providers(LAB)


def exchanged(sender: Provider, recipient: Provider, to: str | None = None) -> Message:
    sent = deliver.send(sender, to or recipient.person.address, "Hei på deg", "Blåbær.\n")
    return email.message_from_bytes(deliver.wait_for(recipient, sent))


def test_mail_comes_in_and_goes_out(providers: tuple[Provider, Provider]) -> None:
    ours, theirs = providers
    for sender, recipient in ((theirs, ours), (ours, theirs)):
        message = exchanged(sender, recipient)
        assert message["From"] == sender.person.address
        body = message.get_payload(decode=True)
        assert isinstance(body, bytes)
        assert body.decode().strip() == "Blåbær."


def test_it_crosses_between_providers_encrypted(providers: tuple[Provider, Provider]) -> None:
    ours, theirs = providers
    for sender, recipient in ((theirs, ours), (ours, theirs)):
        hops = exchanged(sender, recipient).get_all("Received", [])
        (crossing,) = [hop for hop in hops if hop.startswith(f"from {sender.server}") and "SMTP" in hop]
        assert f"by {recipient.server}" in crossing
        assert "with ESMTPS" in crossing


def test_a_subscribers_address_leaves_with_no_message(
    providers: tuple[Provider, Provider],
) -> None:
    """TRK-02: the controller is the subscriber here; its own addresses must be nowhere."""
    ours, theirs = providers
    with socket.create_connection((ours.server, 465)) as probe:
        own = probe.getsockname()[0]
    message = exchanged(ours, theirs).as_string()
    assert ours.person.address in message
    assert not re.search(rf"(?<![0-9a-f.:]){re.escape(own)}(?![0-9a-f.:])", message)
    assert deliver.LAPTOP not in message


def test_a_folder_is_named_after_a_plus(providers: tuple[Provider, Provider]) -> None:
    ours, theirs = providers
    localpart, domain = ours.person.address.split("@")
    assert exchanged(theirs, ours, f"{localpart}+avis@{domain}")["Subject"]


def test_who_is_not_there_is_refused_at_once(providers: tuple[Provider, Provider]) -> None:
    ours, theirs = providers
    domain = ours.person.address.split("@")[1]
    with smtplib.SMTP(ours.server, 25, timeout=30) as smtp:
        smtp.starttls(context=theirs.trust)
        smtp.ehlo("world.elsewhere.example")
        assert smtp.mail(theirs.person.address)[0] == 250
        assert smtp.rcpt(f"nobody-of-this-name@{domain}")[0] == 550
        assert smtp.rcpt(f"postmaster@{domain}")[0] == 250
        assert smtp.rcpt(f"abuse@{domain}")[0] == 250


def test_nobody_sends_as_somebody_else(providers: tuple[Provider, Provider]) -> None:
    ours, _ = providers
    domain = ours.person.address.split("@")[1]
    with smtplib.SMTP_SSL(ours.server, 465, context=ours.trust, timeout=30) as smtp:
        smtp.login(ours.person.address, ours.person.password)
        smtp.mail(f"postmaster@{domain}")
        code, reply = smtp.rcpt("ellen@elsewhere.example")
        assert code == 553
        assert b"not owned by user" in reply


def test_a_wrong_password_opens_nothing(providers: tuple[Provider, Provider]) -> None:
    ours, _ = providers
    with (
        smtplib.SMTP_SSL(ours.server, 465, context=ours.trust, timeout=30) as smtp,
        pytest.raises(smtplib.SMTPAuthenticationError),
    ):
        smtp.login(ours.person.address, "not the password")


def test_no_password_is_asked_for_in_clear(providers: tuple[Provider, Provider]) -> None:
    ours, _ = providers
    for port in (25, 587):
        with smtplib.SMTP(ours.server, port, timeout=30) as smtp:
            smtp.ehlo("probe.example")
            assert not smtp.has_extn("auth")
            assert smtp.has_extn("starttls")


def test_the_mailbox_lies_under_the_accounts_id(
    providers: tuple[Provider, Provider], connect: Callable[[str], Connection]
) -> None:
    """Everything of an account is in one directory, and the directory tells no name."""
    ours, theirs = providers
    exchanged(theirs, ours)
    folders = connect("mail1.no").run("ls /var/vmail", sudo=True).out.split()
    assert folders
    for name in folders:
        assert len(name) == 36
        assert "kari" not in name
