"""What an operator asks of mail in transit."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from postvakt.lab import deliver
from postvakt.lab.deliver import Provider
from postvakt.lab.lab import Lab
from postvakt.target import LAB


@pytest.fixture(scope="module")
def providers(lab: Lab) -> tuple[Provider, Provider]:
    return deliver.providers(LAB)


def mail(*words: str) -> tuple[int, str, str]:
    argv = [sys.executable, "-m", "postvakt.cli", "mail", *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_message_is_traced_to_where_it_went(providers: tuple[Provider, Provider]) -> None:
    ours, theirs = providers
    with socket.create_connection((ours.server, 465)) as probe:
        own = probe.getsockname()[0]
    sent = deliver.send(ours, theirs.person.address, "spor", "hei\n")
    deliver.wait_for(theirs, sent)
    code, said, _ = mail("trace", sent)
    assert code == 0
    assert f"to=<{theirs.person.address}>" in said
    assert "status=sent" in said
    # The subscriber's own address is not needed for that.
    assert own not in said
    assert deliver.LAPTOP not in said


def test_what_nobody_knows_is_said_in_one_line(lab: Lab) -> None:
    code, said, error = mail("trace", "<never-written@elsewhere.example>")
    assert (code, said) == (1, "")
    assert "knows nothing of" in error
    assert error.count("\n") == 1


def test_a_test_message_tells_what_became_of_it(providers: tuple[Provider, Provider]) -> None:
    for one in providers:
        code, said, error = mail("test", one.person.address)
        assert code == 0, error
        assert f"to=<{one.person.address}>" in said
        assert "status=sent" in said
    code, said, error = mail("test", "nobody-of-this-name@elsewhere.example")
    assert code == 1
    assert "status=bounced" in said
    assert "not every recipient has it" in error


def test_the_queue_is_shown(lab: Lab) -> None:
    code, said, _ = mail("queue")
    assert code == 0
    assert "why it waits" in said
