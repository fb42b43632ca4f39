"""The words of the verbs about mailboxes and mail. Nothing here connects: ``cli`` reads it first."""

from __future__ import annotations

import argparse
import re
from typing import Any

UNITS = {"M": 1, "G": 2**10, "T": 2**20}
"""What a letter behind a size means, in MiB."""


def mailboxes(verbs: Any, production: argparse.ArgumentParser, parser: type[argparse.ArgumentParser]) -> None:
    """Add the verbs to ``postvakt account``."""

    def group(name: str, text: str) -> Any:
        return verbs.add_parser(name, help=text).add_subparsers(
            dest="what", required=True, metavar="VERB", parser_class=parser
        )

    def add(to: Any, name: str, text: str, *words: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = to.add_parser(name, parents=[production], help=text)
        for word in ("address", *words):
            made.add_argument(word)
        return made

    alias = group("alias", "other addresses of a mailbox")
    add(alias, "add", "one more address", "alias")
    add(alias, "remove", "one address less", "alias")
    add(alias, "list", "all of them")
    device = group("app-password", "passwords for single devices")
    add(device, "add", "make one and show it once", "name")
    add(device, "revoke", "take it away, and end the mailbox's sessions", "name")
    add(device, "list", "the devices, and the day on which each was last used")
    quota = add(verbs, "quota", "how much a mailbox may hold")
    quota.add_argument("size", nargs="?", type=mebibytes, help="from now on, such as 500M or 20G")
    forward = add(verbs, "forward", "where copies of a mailbox's mail go")
    forward.add_argument("to", nargs="*", help="from now on to these addresses")
    forward.add_argument("--off", action="store_true", help="from now on to none")
    add(verbs, "suspend", "refuse a mailbox's owner everywhere; mail to it is taken and kept")
    add(verbs, "resume", "open a suspended mailbox again")


def mebibytes(text: str) -> int:
    """The size that a person writes as 500M, 20G or 1T, in MiB."""
    found = re.fullmatch(r"(\d{1,7})([MGT])", text)
    if not found or not int(found[1]):
        raise argparse.ArgumentTypeError(f"{text} is not a size such as 500M or 20G")
    return int(found[1]) * UNITS[found[2]]


def mail(verbs: Any, production: argparse.ArgumentParser, parser: type[argparse.ArgumentParser]) -> None:
    """Add ``postvakt mail``."""
    words = verbs.add_parser("mail", help="mail in transit").add_subparsers(
        dest="mail_verb", required=True, metavar="VERB", parser_class=parser
    )
    words.add_parser("queue", parents=[production], help="what waits, and why")
    trace = words.add_parser(
        "trace", parents=[production], help="what the week of logs that there is knows of a message"
    )
    trace.add_argument("message_id", metavar="MESSAGE-ID")
    test = words.add_parser("test", parents=[production], help="send a message and tell what became of it")
    test.add_argument("address")
