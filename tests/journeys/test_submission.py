"""What a subscriber sends: what it tells of them, how much of it there may be, and what is refused."""

from __future__ import annotations

import email
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator

import pytest

from postvakt.accounts import Store
from postvakt.lab import deliver
from postvakt.lab.deliver import LAPTOP, Provider
from postvakt.lab.lab import Lab
from postvakt.ssh import Connection
from postvakt.target import LAB
from tests.journeys.mailbox import OPEN, smtp, subscriber, until

Shell = Callable[[str, str], str]
TRIAL_HOUR = 50
"""How many recipients an account on trial may name in an hour: roles/postfix.py."""
ERRORS = 9
"""How many refusals a session hears before Postfix slows it down."""


@pytest.fixture(scope="module")
def providers(lab: Lab) -> tuple[Provider, Provider]:
    return deliver.providers(LAB)


@pytest.fixture(scope="module")
def store(connect: Callable[[str], Connection]) -> Store:
    return Store(connect("mail1.no"))


@pytest.fixture(autouse=True)
def sessions() -> Iterator[None]:
    with OPEN:
        yield


LETTER = """\
Received: from kari-laptop.local (unknown [192.0.2.77])
 by home-relay.local (Postfix) with ESMTP id 123; Mon, 5 Jan 2026 10:00:00 +0100
From: {sender}
To: {to}
Subject: Hilsen
Message-ID: <{name}@kari-laptop.local>
User-Agent: Mozilla Thunderbird 999 (kari-laptop)
X-Mailer: Kari's Mailer 7
X-Originating-IP: [192.0.2.77]
X-Universally-Unique-Identifier: 0815-4711
MIME-Version: 1.0 (Kari's Mailer 7)
Content-Type: text/plain; charset=utf-8

Blaabaer {name}.
"""


def arrives(sh: Shell, text: str) -> str:
    """The message with this text, as it lies in a mailbox of the other provider."""
    find = f"grep -rlF '{text}' /var/vmail"
    until("the letter is there", lambda: bool(sh("world", f"{find} || true")))
    return sh("world", f"cat $({find})")


def by_starttls(one: Provider) -> smtplib.SMTP:
    made = smtplib.SMTP(one.server, 587, local_hostname=LAPTOP, timeout=30)
    OPEN.callback(made.close)
    made.starttls(context=one.trust)
    made.login(one.person.address, one.person.password)
    return made


def test_nothing_of_the_machine_at_home_leaves(providers: tuple[Provider, Provider], sh: Shell) -> None:
    """TRK-02, looked at where it arrived, in the file as it lies there."""
    ours, theirs = providers
    name = f"n{time.time_ns()}"
    for port in (465, 587):
        mark = f"{name}p{port}"
        text = LETTER.format(sender=ours.person.address, to=theirs.person.address, name=mark)
        session = smtp(ours) if port == 465 else by_starttls(ours)
        sock = session.sock
        assert isinstance(sock, socket.socket)
        own = sock.getsockname()[0]
        session.sendmail(ours.person.address, [theirs.person.address], text)
        arrived = arrives(sh, f"Blaabaer {mark}.")
        assert f"{mark}@{ours.person.address.split('@')[1]}" in arrived
        for secret in (LAPTOP, "kari-laptop", "home-relay", "192.0.2.77", "Mailer", "Thunderbird", "0815"):
            assert secret not in arrived, secret
        assert not re.search(rf"(?<![0-9a-f.:]){re.escape(own)}(?![0-9a-f.:])", arrived)
        message = email.message_from_string(arrived)
        assert message["Mime-Version"] == "1.0"
        assert "auth" not in str(message.get_all("Received")).lower()


def recipients(one: Provider, count: int) -> list[tuple[int, bytes]]:
    """What is said to so many recipients of messages that are never sent."""
    said: list[tuple[int, bytes]] = []
    refused = ERRORS
    while len(said) < count:
        if refused >= ERRORS:
            session, refused = smtp(one), 0
            session.mail(one.person.address)
        said.append(session.rcpt(f"nobody-{len(said)}@elsewhere.example"))
        refused += said[-1][0] != 250
    return said


def test_who_sends_much_is_slowed_and_who_goes_on_is_stopped(
    providers: tuple[Provider, Provider], store: Store, sh: Shell
) -> None:
    """The brake: the operators hear of it within a minute, and nothing that was sent is lost."""
    ola = subscriber(store, providers[0], "ola", plan="trial")
    store.resume(ola.person.address)
    postmaster = f"postmaster@{ola.person.address.split('@')[1]}"
    count = f"doveadm search -u {postmaster} SUBJECT 'Sending is stopped for {ola.person.address}' | wc -l"
    before = int(sh("mail1.no", count))

    said = recipients(ola, 2 * TRIAL_HOUR + 2)
    codes = [code for code, _ in said]
    assert codes == [250] * TRIAL_HOUR + [450] * (TRIAL_HOUR + 2)
    assert b"More than 50 recipients in an hour" in said[TRIAL_HOUR][1]
    assert b"stopped" in said[-1][1]
    assert int(until("the operators hear", lambda: int(sh("mail1.no", count)) > before, 90)) < 60
    # Once: the next run of the alert has nothing to tell.
    sh("mail1.no", "systemctl start sending-alert.service")
    assert int(sh("mail1.no", count)) == before + 1
    store.resume(ola.person.address)
    assert recipients(ola, 1)[0][0] == 250


def stranger(ours: Provider, theirs: Provider) -> smtplib.SMTP:
    made = smtplib.SMTP(ours.server, 25, timeout=60)
    OPEN.callback(made.close)
    made.starttls(context=theirs.trust)
    made.ehlo(theirs.server)
    return made


def test_malformed_addresses_are_refused(providers: tuple[Provider, Provider]) -> None:
    ours, theirs = providers
    for bad in (
        "<kari>",
        "<@postvakt.example>",
        "<kari@>",
        "<a@b@postvakt.example>",
        "<kari@postvakt>",
        f"<{'k' * 400}@postvakt.example>",
        "<k\xe5re@postvakt.example>",
        "kari postvakt",
    ):
        session = stranger(ours, theirs)
        session.command_encoding = "latin-1"
        session.mail(theirs.person.address)
        code, reply = session.docmd(f"RCPT TO:{bad}")
        assert 500 <= code < 560, (bad, reply)


def test_names_beyond_ascii_are_refused_at_once(providers: tuple[Provider, Provider]) -> None:
    """RFC 6531 is not offered, since no mailbox here has such a name: its sender hears that at once."""
    ours, theirs = providers
    session = stranger(ours, theirs)
    assert not session.has_extn("smtputf8")
    session.command_encoding = "utf-8"
    assert session.docmd("MAIL FROM:<kåre@elsewhere.example> SMTPUTF8")[0] in (501, 555)
    session.mail(theirs.person.address)
    assert 500 <= session.docmd("RCPT TO:<kåre@postvakt.example>")[0] < 560


def test_a_message_over_the_limit_is_refused_before_it_comes(providers: tuple[Provider, Provider]) -> None:
    ours, theirs = providers
    session = stranger(ours, theirs)
    limit = int(session.esmtp_features["size"])
    assert session.docmd(f"MAIL FROM:<{theirs.person.address}> SIZE={limit + 1}")[0] == 552


def test_a_second_message_is_not_smuggled_in(providers: tuple[Provider, Provider], sh: Shell) -> None:
    """An end of data that only some servers take for one (bare newlines) is none here."""
    ours, theirs = providers
    mark = f"s{time.time_ns()}"
    for number, end in enumerate((b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r")):
        session = stranger(ours, theirs)
        session.mail(theirs.person.address)
        session.rcpt(ours.person.address)
        assert session.docmd("DATA")[0] == 354
        inner = f"MAIL FROM:<admin@elsewhere.example>\r\nRCPT TO:<{ours.person.address}>\r\nDATA\r\n"
        evil = f"From: admin@elsewhere.example\r\nSubject: smuggled-{mark}\r\n\r\nx\r\n.\r\n"
        session.send(
            f"From: {theirs.person.address}\r\nMessage-ID: <{mark}.{number}@elsewhere.example>\r\n"
            f"Subject: outer-{mark}-{number}\r\n\r\nouter".encode()
        )
        session.send(end + inner.encode() + evil.encode())
        session.getreply()
        session.close()
    # Whatever became of them: no mailbox holds a message whose own header this is.
    deliver.wait_for(ours, deliver.send(theirs, ours.person.address, "etterpå", "hei\n"))
    find = f"doveadm search -u {ours.person.address} HEADER SUBJECT smuggled-{mark} | wc -l"
    assert sh("mail1.no", find) == "0"


def test_ten_thousand_recipients_are_too_many(providers: tuple[Provider, Provider]) -> None:
    """Each has to be known, and beyond a thousand no more are listened to."""
    ours, theirs = providers
    session = stranger(ours, theirs)
    session.mail(theirs.person.address)
    assert session.rcpt(ours.person.address)[0] == 250
    stream = session.sock
    assert isinstance(stream, ssl.SSLSocket)
    codes: list[int] = []
    local, domain = ours.person.address.split("@")
    try:
        for start in range(0, 10_000, 500):
            block = "".join(f"RCPT TO:<{local}+{n}@{domain}>\r\n" for n in range(start, start + 500))
            stream.sendall(block.encode())
            codes += [session.getreply()[0] for _ in range(500)]
    except (OSError, smtplib.SMTPServerDisconnected):
        pass
    assert codes.count(250) < 1000
    assert codes[-1] in (452, 421)
    assert stranger(ours, theirs).noop()[0] == 250


def test_wrong_passwords_at_speed_are_slowed(providers: tuple[Provider, Provider]) -> None:
    """Each takes longer than the last, and a session has only so many."""
    ours, _ = providers
    session = smtplib.SMTP_SSL(ours.server, 465, context=ours.trust, timeout=60)
    OPEN.callback(session.close)
    session.ehlo(LAPTOP)
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(smtplib.SMTPAuthenticationError):
            session.login("kari@postvakt.example", "guess-number-one")
    assert time.monotonic() - began > 5
    # Whoever has the password gets in all the same.
    smtp(ours).quit()
