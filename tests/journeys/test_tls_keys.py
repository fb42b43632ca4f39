"""A rollover of the TLS key: at every moment DNS knows the key that is shown, and knew it before."""

from __future__ import annotations

import json
import smtplib
import subprocess
import sys
import threading
from collections.abc import Callable

import dns.message
import dns.query
import pytest

from postvakt.dnscheck import served_key
from postvakt.inventory import Host
from postvakt.lab import deliver
from postvakt.lab.process import wait_for
from postvakt.target import LAB

Shell = Callable[[str, str], str]
KEYS = "/usr/lib/postvakt/tls-keys"
TOLD = "/var/lib/postvakt/records/tlsa /var/lib/postvakt/records-taken/*"


def told(hosts: dict[str, Host]) -> frozenset[str]:
    """The digests that the name server gives for the mail host's port 25."""
    query = dns.message.make_query(f"_25._tcp.{hosts['mail1.no'].fqdn}", "TLSA")
    answer = dns.query.tcp(query, str(hosts["dns1.no"].ipv4.ip), timeout=10)
    return frozenset(row.cert.hex() for rrset in answer.answer for row in rrset)


def postvakt(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "postvakt.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


class Watch(threading.Thread):
    """Looks all the time at what DNS tells and what the host shows."""

    def __init__(self, hosts: dict[str, Host]) -> None:
        super().__init__()
        self.hosts, self.over = hosts, threading.Event()
        self.seen: list[tuple[frozenset[str], str]] = []

    def run(self) -> None:
        while not self.over.is_set():
            before = told(self.hosts)
            try:
                shown = served_key(str(self.hosts["mail1.no"].ipv4.ip))
            except (OSError, smtplib.SMTPException):
                # Postfix is starting anew: who calls then comes again.
                continue
            self.seen.append((before, shown))


@pytest.fixture
def watch(hosts: dict[str, Host]) -> Watch:
    return Watch(hosts)


def test_a_rollover_leaves_no_gap(sh: Shell, hosts: dict[str, Host], watch: Watch) -> None:
    before = json.loads(sh("mail1.no", f"{KEYS} status"))
    assert told(hosts) == {before["in_use"], before["next"]}
    # As if the next key had been told for an hour; DNS has told it since it was made.
    sh("mail1.no", f"touch -d '1 hour ago' {TOLD}")

    dry = postvakt("tls", "rotate", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert f"would put {before['next']} in the place of {before['in_use']}" in dry.stdout
    assert json.loads(sh("mail1.no", f"{KEYS} status")) == before

    watch.start()
    assert wait_for(lambda: bool(watch.seen), 20)
    try:
        done = postvakt("tls", "rotate")
    finally:
        watched = len(watch.seen)
        wait_for(lambda: len(watch.seen) > watched + 2, 20)
        watch.over.set()
        watch.join()
    assert done.returncode == 0, done.stderr

    after = json.loads(sh("mail1.no", f"{KEYS} status"))
    assert after["in_use"] == before["next"]
    assert after["next"] not in (before["in_use"], before["next"])
    assert told(hosts) == {after["in_use"], after["next"]}
    assert {shown for _, shown in watch.seen} == {before["in_use"], after["in_use"]}
    # Whoever remembers an earlier set of records still finds in it the key that is shown later.
    for index, (_, shown) in enumerate(watch.seen):
        assert all(shown in known for known, _ in watch.seen[: index + 1])


def test_a_key_that_is_just_told_does_not_take_over(sh: Shell) -> None:
    before = sh("mail1.no", f"{KEYS} status")
    sh("mail1.no", f"touch {TOLD}")
    done = postvakt("tls", "rotate")
    assert done.returncode == 1
    assert "the next key has been told for" in done.stderr
    assert sh("mail1.no", f"{KEYS} status") == before


def test_others_verify_our_key(sh: Shell, hosts: dict[str, Host]) -> None:
    """The other provider holds us to DANE, and our mail host passes."""
    ours, theirs = deliver.providers(LAB)
    began = sh("world", "date +%s")
    sh("world", "postconf -e smtp_tls_loglevel=1 && systemctl restart postfix")
    try:
        deliver.wait_for(ours, deliver.send(theirs, ours.person.address, "DANE", "Hei.\n"))
        said = sh("world", f"journalctl -q -u postfix --since @{began}")
        assert f"Verified TLS connection established to {hosts['mail1.no'].fqdn}" in said
    finally:
        sh("world", "postconf -X smtp_tls_loglevel && systemctl restart postfix")
