#!/usr/bin/python3
"""Tells the owner that a mailbox is nearly full; Dovecot calls it with the percentage and the address."""

from __future__ import annotations

import subprocess
import sys
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

SENDMAIL = "/usr/sbin/sendmail"
TEXT = """\
Postboksen din er {percent} % full. Når den er helt full, blir ny post avvist til det er plass igjen. \
Slett det du ikke trenger, og tøm papirkurven.

Your mailbox is {percent} % full. Once it is full, new mail is turned away until there is room again. \
Delete what you do not need, and empty the trash.
"""


def warning(percent: str, address: str) -> EmailMessage:
    """The message, in Norwegian and English."""
    domain = address.rpartition("@")[2]
    message = EmailMessage()
    message["From"] = f"postmaster@{domain}"
    message["To"] = address
    message["Subject"] = f"Postboksen er {percent} % full / Your mailbox is {percent} % full"
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=domain)
    # RFC 3834: no program answers this.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(TEXT.format(percent=percent))
    return message


def main() -> int:
    percent, address = sys.argv[1:]
    command = [SENDMAIL, "-i", "-f", "<>", "--", address]
    return subprocess.run(command, input=warning(percent, address).as_bytes(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
