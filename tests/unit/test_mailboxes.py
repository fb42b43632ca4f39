"""What is said of mailboxes on the command line and between the two sides."""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from postvakt import accounts
from postvakt.accounts import Device, Store
from postvakt.onhost.accounts import RANDOM, RefusalError, arguments, read_text
from postvakt.onhost.forward import been_here
from postvakt.onhost.quota_warning import warning
from postvakt.onhost.sending_alert import alert
from postvakt.onhost.trace import of_message
from postvakt.ssh import Done
from postvakt.words import mebibytes

ADDRESS = "kari@postvakt.example"


@dataclass
class Host:
    """Answers like the program on the host, and remembers what it was asked."""

    answer: object
    asked: list[tuple[list[str], str]] = field(default_factory=list)

    def run(self, command: str | Sequence[str], *, stdin: str | bytes = b"", sudo: bool = False) -> Done:
        assert sudo
        assert isinstance(stdin, str)
        self.asked.append((list(command), stdin))
        return Done(0, json.dumps(self.answer), "")


def test_values_travel_on_standard_input_alone() -> None:
    host = Host([{"name": "phone", "created": "2026-01-02", "used": None}])
    store = Store(host)
    password = store.add_device(ADDRESS, "Karis telefon")
    assert RANDOM.fullmatch(password)
    assert store.devices(ADDRESS) == [Device("phone", "2026-01-02", None)]
    store.revoke_device(ADDRESS, "Karis telefon")
    store.add_alias(ADDRESS, "k.nordmann@postvakt.example")
    store.forward(ADDRESS, ["a@elsewhere.example", "b@elsewhere.example"])
    for argv, _ in host.asked:
        assert argv[0] == accounts.PROGRAM
        assert argv[2:] == [ADDRESS]
        assert arguments(argv[1:]).address == ADDRESS
    said = [json.loads(stdin or "{}") for _, stdin in host.asked]
    assert said[0] == {"name": "Karis telefon", "password": password}
    assert said[-1] == {"to": "a@elsewhere.example b@elsewhere.example"}


def test_to_ask_is_not_to_set() -> None:
    host = Host({"mib": 500})
    assert Store(host).quota(ADDRESS) == 500
    assert Store(host).quota(ADDRESS, 500) == 500
    assert [stdin for _, stdin in host.asked] == ["{}", '{"mib": "500"}']


@pytest.mark.parametrize(("text", "mib"), [("500M", 500), ("20G", 20480), ("1T", 2**20)])
def test_sizes_are_read(text: str, mib: int) -> None:
    assert mebibytes(text) == mib


@pytest.mark.parametrize("text", ["", "20", "0G", "-1G", "1.5G", "20g", "20GB", "G"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        mebibytes(text)


@pytest.mark.parametrize("said", ["", "[]", '{"name": 1}', '{"name": " "}', '{"name": "a", "more": "b"}'])
def test_what_is_not_said_right_is_refused(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(said.encode())))
    with pytest.raises(RefusalError) as refused:
        read_text("name")
    assert refused.value.code == 2


def test_the_command_line_is_read_before_anything_can_connect() -> None:
    """Deploys run side by side only where gevent patches the sockets before others have taken them."""
    look = "import sys, postvakt.cli; print(*{'socket', 'ssl', 'paramiko'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_trace_holds_the_message_and_not_the_machine_at_home() -> None:
    def record(text: str) -> dict[str, str]:
        return {"MESSAGE": text, "SYSLOG_IDENTIFIER": "postfix/x", "__REALTIME_TIMESTAMP": "1767600000000000"}

    records = [
        record("ABCDEF1: client=home[192.0.2.7], sasl_method=PLAIN, sasl_username=x@postvakt.example"),
        record("ABCDEF1: message-id=<a@b.example>"),
        record("ABCDEF2: message-id=<other@b.example>"),
        record("ABCDEF2: to=<x@y.example>, status=sent"),
        record("ABCDEF1: to=<c@d.example>, status=sent"),
    ]
    said = [one["text"] for one in of_message(records, "<a@b.example>")]
    assert said == [
        "ABCDEF1: sasl_method=PLAIN, sasl_username=x@postvakt.example",
        "ABCDEF1: message-id=<a@b.example>",
        "ABCDEF1: to=<c@d.example>, status=sent",
    ]


def test_a_message_that_was_here_says_so() -> None:
    message = b"Delivered-To: Kari@postvakt.example\nSubject: x\n\nDelivered-To: per@postvakt.example\n"
    assert been_here(message, ADDRESS)
    assert not been_here(message, "per@postvakt.example")


def test_what_programs_write_is_answered_by_no_program() -> None:
    """RFC 3834; and nothing in it is fetched from anywhere (BCN-02)."""
    for message in (warning("95", ADDRESS), alert(ADDRESS, "2026-01-02 03:04 UTC")):
        assert message["Auto-Submitted"] == "auto-generated"
        assert message.get_content_type() == "text/plain"
        assert message["From"] == "postmaster@postvakt.example"
        assert ADDRESS in str(message["To"]) + str(message["Subject"])
        assert "http" not in message.get_content()
