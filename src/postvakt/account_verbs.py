"""The verbs about what one mailbox has: other addresses, devices, room, and whether it is open."""

from __future__ import annotations

import argparse
import re
from typing import Any

from postvakt.accounts import AccountError, Store
from postvakt.console import console, table

UNITS = {"M": 1, "G": 2**10, "T": 2**20}
"""What a letter behind a size means, in MiB."""


def declare(verbs: Any, production: argparse.ArgumentParser, parser: type[argparse.ArgumentParser]) -> None:
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


def run(store: Store, options: argparse.Namespace) -> None:
    """Do what the command line says. Raises AccountError where the store refuses."""
    address = options.address
    match options.account_verb, getattr(options, "what", None):
        case "alias", "add":
            store.add_alias(address, options.alias)
            say(f"{options.alias} leads to {address}")
        case "alias", "remove":
            store.remove_alias(address, options.alias)
            say(f"{options.alias} is gone")
        case "alias", "list":
            table(f"Other addresses of {address}", ("alias",), [(one,) for one in store.aliases(address)])
        case "app-password", "add":
            password = store.add_device(address, options.name)
            say(f"{address} has a password for {options.name}")
            say(f"password: {password}")
        case "app-password", "revoke":
            store.revoke_device(address, options.name)
            say(f"the password for {options.name} is revoked; the sessions of {address} are ended")
        case "app-password", "list":
            rows = [(one.name, one.created, one.used or "never") for one in store.devices(address)]
            table(f"Devices of {address}", ("name", "created", "last used"), rows)
        case "quota", _:
            say(f"{address} may hold {store.quota(address, options.size)} MiB")
        case "forward", _:
            to = [] if options.off else options.to or None
            targets = store.forward(address, to)
            say(f"copies for {address} go to {', '.join(targets) or 'nobody'}")
        case "suspend", _:
            store.suspend(address)
            say(f"{address} is suspended; mail to it is taken and kept")
        case "resume", _:
            store.resume(address)
            say(f"{address} is active")
        case verb, _:
            raise AccountError(f"there is no verb {verb}")


def say(line: str) -> None:
    console.print(line, markup=False)
