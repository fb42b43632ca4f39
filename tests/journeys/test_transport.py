"""Mail to a provider whose keys are not what it promised waits here, and never leaves in clear.

Each journey gives the other provider a defect, looks at the queue of the one side and at what the other
side has received, mends it, and sees the message arrive.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from postvakt.lab import deliver
from postvakt.lab.deliver import Provider
from postvakt.lab.lab import Lab
from postvakt.lab.process import wait_for
from postvakt.target import LAB

Shell = Callable[[str, str], str]
ZONE = "elsewhere.example."
TLSA = "_25._tcp.world"
POLICY = "/var/www/policy/.well-known/mta-sts.txt"
SECONDS = 30


@pytest.fixture(scope="module")
def providers(lab: Lab) -> tuple[Provider, Provider]:
    return deliver.providers(LAB)


@pytest.fixture(autouse=True)
def nothing_waits(sh: Shell, providers: tuple[Provider, Provider]) -> None:
    """What a broken-off journey has left is on its way first."""
    to = providers[1].person.address
    sh("mail1.no", "postqueue -f")
    assert wait_for(lambda: deferred(sh, to) == "", SECONDS)


def reset_memory(sh: Shell) -> None:
    """As after the time for which the mail host remembers what others have told; Postfix's processes
    remember by themselves."""
    sh(
        "mail1.no",
        f"unbound-control -q flush_zone {ZONE} && systemctl restart postfix-mta-sts-resolver && "
        "systemctl reload postfix",
    )


def set_record(sh: Shell, name: str, kind: str, data: str) -> None:
    """``data`` may be empty: then there is no such record."""
    steps = [f"knotc zone-begin {ZONE}", f"(knotc zone-unset {ZONE} {name} {kind} || true)"]
    steps += [f"knotc zone-set {ZONE} {name} 60 {kind} '{data}'"] if data else []
    sh("world", " && ".join([*steps, f"knotc zone-commit {ZONE}"]))
    reset_memory(sh)


def deferred(sh: Shell, address: str) -> str:
    """Why mail for an address waits in the queue of the mail host; empty where none does."""
    rows = [json.loads(line) for line in sh("mail1.no", "postqueue -j").splitlines()]
    reasons = [
        one["delay_reason"]
        for row in rows
        for one in row["recipients"]
        if row["queue_name"] == "deferred" and one["address"] == address and "delay_reason" in one
    ]
    return " ".join(reasons)


def received(sh: Shell, message_id: str) -> bool:
    """Whether the other side has seen the message at all: in its log, or in any file of its mail."""
    sh("world", "journalctl --sync")
    logged = sh("world", f"journalctl -q -u postfix --since -1h | grep -cF '{message_id}' || true")
    stored = sh("world", f"grep -rlF '{message_id}' /var/vmail /var/spool/postfix | wc -l")
    return logged != "0" or stored != "0"


@contextmanager
def held_back(sh: Shell, providers: tuple[Provider, Provider], reason: str) -> Iterator[None]:
    """A message is sent, and waits for this reason; the caller mends the defect, and it arrives."""
    ours, theirs = providers
    to = theirs.person.address
    sent = deliver.send(ours, to, "Under forsegling", "Bare kryptert.\n")
    assert wait_for(lambda: deferred(sh, to) != "", SECONDS)
    assert reason in deferred(sh, to)
    assert not received(sh, sent)
    try:
        yield
    finally:
        sh("mail1.no", "postqueue -f")
    deliver.wait_for(theirs, sent)
    # The control: the same look does see a message that has come.
    assert received(sh, sent)
    assert wait_for(lambda: deferred(sh, to) == "", SECONDS)


def test_a_key_that_dns_does_not_know_gets_nothing(sh: Shell, providers: tuple[Provider, Provider]) -> None:
    """DANE (RFC 7672), although the certificate is all that MTA-STS asks for: that does not override."""
    public = "openssl pkey -in /etc/postfix/mx.pem -pubout -outform DER | sha256sum"
    right = sh("world", public).split()[0]
    wrong = hashlib.sha256(b"another key").hexdigest()
    try:
        set_record(sh, TLSA, "TLSA", f"3 1 1 {wrong}")
        with held_back(sh, providers, "Server certificate not verified"):
            set_record(sh, TLSA, "TLSA", f"3 1 1 {right}")
    finally:
        set_record(sh, TLSA, "TLSA", "")


def test_an_expired_certificate_gets_nothing(sh: Shell, providers: tuple[Provider, Provider]) -> None:
    """MTA-STS trusts authorities, and they vouch until a date."""
    place = "/etc/postfix/mx.pem"
    sh("world", f"cp -p {place} /root/mx.pem")
    mend = f"cp -p /root/mx.pem {place} && systemctl restart postfix"
    try:
        sh("world", f"cp -p /etc/postfix/mx-expired.pem {place} && systemctl restart postfix")
        with held_back(sh, providers, "Server certificate not verified"):
            sh("world", mend)
    finally:
        sh("world", mend)


def test_a_host_that_the_policy_does_not_name_gets_nothing(
    sh: Shell, providers: tuple[Provider, Provider]
) -> None:
    """MTA-STS (RFC 8461)."""
    sh("world", f"cp -p {POLICY} /root/policy")

    def mend() -> None:
        sh("world", f"cp -p /root/policy {POLICY}")
        reset_memory(sh)

    try:
        sh("world", f"sed -i 's/^mx: .*/mx: other.elsewhere.example/' {POLICY}")
        reset_memory(sh)
        with held_back(sh, providers, "server unavailable or unable to receive mail"):
            mend()
    finally:
        mend()


def test_a_host_that_offers_no_encryption_gets_nothing(
    sh: Shell, providers: tuple[Provider, Provider]
) -> None:
    """What an attacker in between would make it look like."""
    place = "/etc/postfix/main.cf"
    sh("world", f"cp -p {place} /root/main.cf")
    mend = f"cp -p /root/main.cf {place} && systemctl restart postfix"
    try:
        sh("world", "postconf -e smtpd_tls_security_level=none && systemctl restart postfix")
        with held_back(sh, providers, "TLS is required, but was not offered"):
            sh("world", mend)
    finally:
        sh("world", mend)
