#!/usr/bin/python3
"""Sends copies of a message on: Postfix pipes it here with its sender and the ids of accounts.

    forward SENDER ACCOUNT...

A message that has been sent on by an account once is not sent on by it again: it says so itself
(Delivered-To, RFC 9228). The mailbox has it either way. Exit codes as Postfix reads them: 0 done;
75 (EX_TEMPFAIL) something does not answer, and Postfix tries again.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from email.parser import BytesHeaderParser
from importlib import import_module

SENDMAIL = "/usr/sbin/sendmail"
SRS = ("127.0.0.1", 10001)
SECONDS = 10
TRY_AGAIN = 75


def rewritten(sender: str) -> str:
    """The sender in the form that leads back through us (tcp_table(5)); one of ours stays as it is.

    Raises OSError where postsrsd does not answer.
    """
    if not sender:
        return "<>"
    with socket.create_connection(SRS, timeout=SECONDS) as connection:
        connection.sendall(f"get {sender}\n".encode())
        code, _, text = connection.makefile().readline().rstrip("\n").partition(" ")
    if code == "200":
        return text
    if code == "500":
        return sender
    raise OSError(f"postsrsd says {code} {text}")


def been_here(message: bytes, address: str) -> bool:
    """Whether this account has sent this message on before."""
    headers = BytesHeaderParser().parsebytes(message)
    return address in [str(value).strip().lower() for value in headers.get_all("Delivered-To", [])]


def main() -> int:
    sender, *accounts = sys.argv[1:]
    message = sys.stdin.buffer.read()
    psycopg = import_module("psycopg")
    try:
        with psycopg.connect("dbname=accounts user=forward") as db:
            rows = db.execute(
                "SELECT address, array_agg(target) FROM forward_target WHERE account::text = ANY(%s)"
                " GROUP BY address",
                [accounts],
            ).fetchall()
        for address, targets in rows:
            if been_here(message, address):
                continue
            command = [SENDMAIL, "-i", "-f", rewritten(sender), "--", *targets]
            text = f"Delivered-To: {address}\n".encode() + message
            subprocess.run(command, input=text, check=True)
    except (psycopg.Error, OSError, subprocess.CalledProcessError) as error:
        print((str(error).splitlines() or [type(error).__name__])[0], file=sys.stderr)
        return TRY_AGAIN
    return 0


if __name__ == "__main__":
    sys.exit(main())
