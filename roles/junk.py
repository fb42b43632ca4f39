"""Junk: where spam goes, and what the spam filter learns from a subscriber who moves mail."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, config, ensure, packages
from postvakt.inventory import Host

FOLDER = "/etc/dovecot/junk"
SCRIPTS = ("file", "learn-spam", "learn-ham")
COMPILE = "sievec -P sieve_imapsieve -P sieve_extprograms -x '+vnd.dovecot.pipe +imapsieve'"


def declare(host: Host) -> Iterator[Resource]:
    yield packages("dovecot-sieve")
    yield config("junk/usr/lib/postvakt/sieve/teach", mode=0o755)
    for name in SCRIPTS:
        source = f"{FOLDER}/{name}.sieve"
        yield config(f"junk{source}")
        # The mailboxes' owner may not write here, so the programs are made beforehand.
        yield ensure(
            f"{source} compiled",
            unless=f"[ {FOLDER}/{name}.svbin -nt {source} ]",
            run=f"{COMPILE} {source}\ntouch {FOLDER}/{name}.svbin",
        )
    yield config("junk/etc/dovecot/junk.conf")


ROLE = Role("junk", declare)
