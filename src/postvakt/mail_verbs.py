"""The verbs about mail in transit: what waits, what became of a message, and whether one arrives."""

from __future__ import annotations

import argparse
import json
import time
import uuid
from email.message import EmailMessage

from postvakt.console import console, table
from postvakt.errors import PostvaktError
from postvakt.inventory import Host
from postvakt.ssh import Connection

TRACE = "/usr/lib/postvakt/trace"
SECONDS = 60


class MailError(PostvaktError):
    """Mail does not do what was asked. One line: which, what, what to do."""


def run(connection: Connection, host: Host, options: argparse.Namespace) -> None:
    """Do what the command line says. Raises MailError where it does not come about."""
    match options.mail_verb:
        case "queue":
            queue(connection)
        case "trace":
            show(known(connection, named(options.message_id)), options.message_id)
        case _:
            show(probe(connection, host, options.address), options.address)


def ask(connection: Connection, command: list[str], stdin: str = "") -> str:
    done = connection.run(command, stdin=stdin, sudo=True)
    if done.code:
        said = (done.err.strip().splitlines() or ["it said nothing"])[-1]
        raise MailError(f"{connection.name}: {command[0]}: {said}")
    return done.out


def queue(connection: Connection) -> None:
    rows = []
    for line in ask(connection, ["postqueue", "-j"]).splitlines():
        entry = json.loads(line)
        arrived = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(entry["arrival_time"]))
        for one in entry["recipients"]:
            why = one.get("delay_reason", "")
            rows.append((entry["queue_id"], entry["queue_name"], arrived, one["address"], why))
    table("The queue", ("id", "queue", "since", "to", "why it waits"), rows)


def named(message_id: str) -> str:
    """A Message-ID as it is written in a header, with its angle brackets."""
    return f"<{message_id.strip().strip('<>')}>"


def known(connection: Connection, message_id: str) -> list[dict[str, str]]:
    said = json.loads(ask(connection, [TRACE], json.dumps({"message_id": message_id})))
    assert isinstance(said, list)
    return said


def probe(connection: Connection, host: Host, address: str) -> list[dict[str, str]]:
    """Send a message from the postmaster, and wait for what becomes of it."""
    message = EmailMessage()
    message["From"] = f"postmaster@{host.estate.domain}"
    message["To"] = address
    message["Subject"] = "Test"
    message["Message-ID"] = named(f"{uuid.uuid4()}@{host.estate.domain}")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("A test by the operators of this mail service. Nothing needs to be done.\n")
    sendmail = ["/usr/sbin/sendmail", "-t", "-i", "-f", str(message["From"])]
    ask(connection, sendmail, message.as_string())
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        records = known(connection, str(message["Message-ID"]))
        if any("status=" in one["text"] for one in records):
            return records
        time.sleep(0.5)
    raise MailError(f"nothing became of a message to {address} in {SECONDS} s: see ./postvakt mail queue")


def show(records: list[dict[str, str]], name: str) -> None:
    if not records:
        raise MailError(f"the week of logs that there is knows nothing of {name}")
    for one in records:
        console.print(f"{one['time']}  {one['program']}: {one['text']}", markup=False, soft_wrap=True)
    if any(f"status={word}" in one["text"] for one in records for word in ("deferred", "bounced")):
        raise MailError(f"{name}: not every recipient has it")
