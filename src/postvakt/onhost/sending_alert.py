#!/usr/bin/python3
"""Tells the operators of accounts whose sending was stopped, each once, and forgets what is a day old.

Exit codes: 0 done; 5 the database or Postfix does not take it, and the next run tries again.
"""

from __future__ import annotations

import subprocess
import sys
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from importlib import import_module
from typing import Any

SENDMAIL = "/usr/sbin/sendmail"
TEXT = """\
The account {address} named many more recipients than it may, and went on when it was told to wait. Its
sending is stopped since {since}. Mail that it had sent before is not touched; what it sends now stays
in its own program.

If it is its owner:     postvakt account resume {address}
If somebody has its password:

    postvakt account suspend {address}
    postvakt mail queue
    postvakt account set-password {address}
    postvakt account resume {address}
"""


def alert(address: str, since: str) -> EmailMessage:
    """The message to the postmaster of the account's own domain."""
    domain = address.rpartition("@")[2]
    message = EmailMessage()
    message["From"] = message["To"] = f"postmaster@{domain}"
    message["Subject"] = f"Sending is stopped for {address}"
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(TEXT.format(address=address, since=since))
    return message


def tell(db: Any) -> None:
    db.execute("DELETE FROM sent WHERE began < now() - interval '1 day'")
    rows = db.execute(
        "UPDATE stopped SET told = true FROM account WHERE NOT told AND account.id = stopped.account"
        " RETURNING localpart || '@' || domain, to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI UTC')"
    ).fetchall()
    for address, since in rows:
        message = alert(address, since)
        # The transaction is undone where Postfix does not take the message.
        command = [SENDMAIL, "-i", "-f", "<>", "--", str(message["To"])]
        subprocess.run(command, input=message.as_bytes(), check=True)


def main() -> int:
    psycopg = import_module("psycopg")
    try:
        with psycopg.connect("dbname=accounts user=accounts") as db:
            tell(db)
    except (psycopg.Error, subprocess.CalledProcessError) as error:
        print((str(error).splitlines() or [type(error).__name__])[0], file=sys.stderr)
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
