#!/usr/bin/python3
"""What the journal still knows of one message: {"message_id": "<...>"} on standard input.

Prints JSON: a list of {"time": ISO 8601 in UTC, "program": ..., "text": ...}, oldest first. Reads the
week that there is and nothing else. Where a subscriber's machine was is left out: nobody needs it to
find a message. Exit codes: 0 done; 2 bad input.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

JOURNAL = ["journalctl", "-q", "-o", "json", "-u", "postfix", "-u", "dovecot", "--output-fields"]
FIELDS = "MESSAGE,SYSLOG_IDENTIFIER"
QUEUE_ID = re.compile(r"([0-9A-Za-z]{6,}): ")
CLIENT = re.compile(r"\bclient=[^,]*(, )?|\brip=[^,]*(, )?")


def of_message(records: Iterable[dict[str, Any]], message_id: str) -> list[dict[str, str]]:
    """The records of a message: those that name it, and those of the queue entries that it had."""
    entries: set[str] = set()
    kept: list[dict[str, Any]] = []
    for record in records:
        if not isinstance(record.get("MESSAGE"), str):
            continue
        kept.append(record)
        found = QUEUE_ID.match(record["MESSAGE"])
        if found and record["MESSAGE"].endswith(f"message-id={message_id}"):
            entries.add(found[1])
    said = []
    for record in kept:
        text = record["MESSAGE"]
        found = QUEUE_ID.match(text)
        if (found and found[1] in entries) or f"msgid={message_id}:" in text:
            moment = datetime.fromtimestamp(int(record["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
            program = str(record.get("SYSLOG_IDENTIFIER", ""))
            text = CLIENT.sub("", text)
            said.append({"time": moment.isoformat("T", "milliseconds"), "program": program, "text": text})
    return said


def main() -> int:
    try:
        message_id = json.load(sys.stdin)["message_id"]
    except (ValueError, KeyError, TypeError):
        print("standard input does not say message_id", file=sys.stderr)
        return 2
    command = [*JOURNAL, FIELDS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as journal:
        assert journal.stdout
        records = (json.loads(line) for line in journal.stdout)
        print(json.dumps(of_message(records, str(message_id))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
