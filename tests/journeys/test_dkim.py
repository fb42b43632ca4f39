"""Mail is signed, and the other provider verifies it with a program that did not sign it."""

from __future__ import annotations

import base64
import imaplib
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from postvakt.lab import deliver
from postvakt.lab.deliver import Provider
from postvakt.lab.lab import Lab
from postvakt.target import LAB

Shell = Callable[..., str]

SECONDS = 60
NEGATIVE_SECONDS = 330
"""How long resolvers may remember that a key was not there."""


@pytest.fixture(scope="module")
def providers(lab: Lab) -> tuple[Provider, Provider]:
    return deliver.providers(LAB)


def verify(sh: Shell, message: bytes) -> dict[str, Any]:
    """What the other provider's verifier says of a message."""
    said = base64.b64encode(message).decode()
    found = json.loads(sh("world", f"printf %s '{said}' | base64 -d | /usr/local/lib/verify"))
    assert isinstance(found, dict)
    return found


def both(domain: str, number: int) -> list[list[object]]:
    """Two good signatures, one of each kind."""
    return [
        [domain, f"ed25519-{number}", "ed25519-sha256", True],
        [domain, f"rsa-{number}", "rsa-sha256", True],
    ]


def current(sh: Shell) -> int:
    return int(json.loads(sh("mail1.no", "cat /var/lib/postvakt/dkim/state.json"))["current"])


def sent(ours: Provider, theirs: Provider) -> bytes:
    return deliver.wait_for(theirs, deliver.send(ours, theirs.person.address, "Hei på deg", "Blåbær.\n"))


def test_what_a_subscriber_sends_is_signed_twice(providers: tuple[Provider, Provider], sh: Shell) -> None:
    """RSA-2048 for everybody, Ed25519 (RFC 8463) for those who know it."""
    message = sent(*providers)
    assert verify(sh, message)["dkim"] == both("postvakt.example", current(sh))
    # The control: the verifier sees a change of one letter.
    changed = verify(sh, message.replace(b"Subject: ", b"Subject: x", 1))
    assert [row[3] for row in changed["dkim"]] == [False, False]


def test_what_the_host_says_itself_is_signed(providers: tuple[Provider, Provider], sh: Shell) -> None:
    """The news that a message could not be delivered, as the subscriber gets it."""
    ours, _ = providers
    nobody = f"nobody-{uuid.uuid4()}@elsewhere.example"
    deliver.send(ours, nobody, "Er du der?", "Hei.\n")
    end = time.monotonic() + SECONDS
    bounce = b""
    while not bounce:
        assert time.monotonic() < end, "no news of the message that could not be delivered"
        bounce = search(ours, nobody)
    assert b"MAILER-DAEMON@mail1.no.postvakt.example" in bounce
    assert verify(sh, bounce)["dkim"] == both("mail1.no.postvakt.example", current(sh))


def search(provider: Provider, word: str) -> bytes:
    imap: imaplib.IMAP4_SSL = deliver.login(provider)
    imap.select("INBOX", readonly=True)
    _, rows = imap.search(None, "BODY", word)
    message = b""
    if rows and rows[0]:
        _, parts = imap.fetch(rows[0].split()[0].decode(), "(BODY.PEEK[])")
        assert isinstance(parts[0], tuple)
        message = parts[0][1]
    imap.logout()
    return message


def test_what_comes_in_is_sealed(providers: tuple[Provider, Provider], sh: Shell) -> None:
    """ARC (RFC 8617): what was found here can be believed by those whom it is passed on to."""
    ours, theirs = providers
    message = sent(theirs, ours)
    assert b"ARC-Seal: i=1" in message
    assert verify(sh, message)["arc"] == "pass"
    assert verify(sh, message.replace(b"spf=pass", b"spf=fail"))["arc"] == "fail"


def notice(sh: Shell, host: str) -> str:
    """A message that the mail host sends by itself, as a notice would be; gives its Message-ID."""
    name = f"<{uuid.uuid4()}@{host}>"
    text = f"From: postmaster@{host}\\nMessage-ID: {name}\\nSubject: hei\\n\\nhei\\n"
    sh("mail1.no", f"printf '{text}' | sendmail -f postmaster@{host} ellen@elsewhere.example")
    return name


def test_keys_are_exchanged_without_a_gap(providers: tuple[Provider, Provider], sh: Shell) -> None:
    """What was signed before verifies after; what is signed after verifies at once."""
    old = current(sh)
    before = sent(*providers)
    end = time.monotonic() + NEGATIVE_SECONDS
    while True:
        argv = [sys.executable, "-m", "postvakt.cli", "dkim", "rotate", "--dry-run"]
        tried = subprocess.run(argv, capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            break
        assert time.monotonic() < end, tried.stderr
        time.sleep(1)
    assert f"would sign with pair {old + 1}" in tried.stdout
    assert current(sh) == old
    # Signing goes over to the new keys while mail flows; none is unsigned, and none fails.
    host = "mail1.no.postvakt.example"
    flow = []
    with subprocess.Popen(argv[:-1], stdout=subprocess.PIPE, text=True) as turning:
        over = 0
        while over < 10:
            over += turning.poll() is not None
            flow.append(notice(sh, host))
        said, _ = turning.communicate()
    assert f"pair {old + 1} signs from now on" in said
    found = [verify(sh, deliver.wait_for(providers[1], one))["dkim"] for one in flow]
    assert all(one in (both(host, old), both(host, old + 1)) for one in found)
    assert found[0] == both(host, old)
    end = time.monotonic() + SECONDS
    while True:
        found = verify(sh, deliver.wait_for(providers[1], notice(sh, host)))["dkim"]
        assert found in (both(host, old), both(host, old + 1))
        if found == both(host, old + 1):
            break
        assert time.monotonic() < end, "the old keys still sign"
    assert verify(sh, sent(*providers))["dkim"] == both("postvakt.example", old + 1)
    assert verify(sh, before)["dkim"] == both("postvakt.example", old)
