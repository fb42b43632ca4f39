"""The verbs about what one mailbox has: other addresses, devices, room, and whether it is open."""

from __future__ import annotations

import argparse

from postvakt.accounts import AccountError, Store
from postvakt.console import console, table


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
