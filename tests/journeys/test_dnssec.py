"""Knot's rollovers, forced and made quick: whoever validates never sees a bad signature.

The times of the policy are hours and days. Here what resolvers remember lives for seconds, and Knot is
told that its keys are hours older; the steps, their order and the way over the parent zone are the same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from inventories.hosts import HOSTS
from postvakt.dnscheck import CheckError, World
from postvakt.inventory import Host
from postvakt.lab.lab import Lab
from postvakt.lab.process import wait_for
from postvakt.target import LAB

Shell = Callable[[str, str], str]
ZONE = "postvakt.example"
CONFIG = "/etc/knot/knot.conf"
QUICK = r"s/^    ksk-submission: parent/&\n    propagation-delay: 1\n    dnskey-ttl: 2\n    zone-max-ttl: 2/"
SECONDS = 150
QUICK_SECONDS = 2
"""The lifetimes that QUICK gives."""


def keys(hosts: dict[str, Host], flags: int) -> set[str]:
    """The zone's published keys with these flags: 257 signs keys, 256 signs the zone."""
    query = dns.message.make_query(ZONE, "DNSKEY")
    answer = dns.query.tcp(query, str(hosts["dns1.no"].ipv4.ip), timeout=10)
    return {row.to_text() for rrset in answer.answer for row in rrset if row.flags == flags}


def age(sh: Shell) -> None:
    """Every step of the keys' lives until now was taken three hours ago."""
    keymgr = f"runuser -u knot -- keymgr -c {CONFIG} {ZONE}"
    now = int(sh("dns1.no", "date +%s"))
    for row in sh("dns1.no", f"{keymgr} list").splitlines():
        identity, *words = row.split()
        steps = [word.split("=") for word in words if "=" in word and not word.startswith("created")]
        aged = [f"{step}={now - 10800}" for step, at in steps if now - 10800 < int(at) <= now]
        # A key with an end has its last step before it: it goes when the parent's old word is forgotten.
        if aged and not any(step == "remove" for step, _ in steps):
            sh("dns1.no", f"{keymgr} set {identity} {' '.join(aged)}")
    sh("dns1.no", f"knotc zone-keys-load {ZONE}")


class Validator(threading.Thread):
    """Asks all the time: a resolver that remembers, and one that begins at the root each time."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.resolver, self.over = lab.resolver, threading.Event()
        self.asked, self.wrong = 0, list[str]()

    def run(self) -> None:
        outside = LAB.data(HOSTS[0])["outside"]
        while not self.over.wait(0.2):
            self.asked += 1
            name = f"x{self.asked}.{ZONE}"
            query = dns.message.make_query(name, "A", want_dnssec=True)
            answer = dns.query.tcp(query, self.resolver, timeout=10)
            if answer.rcode() != dns.rcode.NXDOMAIN or not answer.flags & dns.flags.AD:
                self.wrong.append(f"{name}: {dns.rcode.to_text(answer.rcode())}")
            try:
                World(outside.root_anchor, outside.root_hints).ask(ZONE, "MX")
            except CheckError as error:
                self.wrong.append(str(error))


@pytest.fixture
def quick(sh: Shell) -> Iterator[None]:
    """Seconds instead of hours, until the journey is over."""
    sh("dns1.no", f"cp -p {CONFIG} /root/knot.conf")
    try:
        sh("dns1.no", f"sed -i -e '{QUICK}' -e 's/check-interval: 60/check-interval: 2/' {CONFIG}")
        sh("dns1.no", "knotc reload && knotc -b zone-sign postvakt.example")
        for name in ("client", "dns1.no", "mail1.no", "world"):
            sh(name, f"unbound-control -q flush_zone {ZONE} && unbound-control -q flush_type {ZONE} DNSKEY")
        yield
    finally:
        sh("dns1.no", f"cp -p /root/knot.conf {CONFIG} && rm /root/knot.conf && systemctl restart knot")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("key", "flags"), [("zsk", 256), ("ksk", 257)])
def test_a_rollover_is_not_noticed(sh: Shell, lab: Lab, hosts: dict[str, Host], key: str, flags: int) -> None:
    before = keys(hosts, flags)
    assert before
    validator = Validator(lab)
    validator.start()
    try:
        sh("dns1.no", f"knotc zone-key-rollover {ZONE} {key}")
        # The old key is gone only when the new one has taken over everywhere; for the key that signs
        # keys that includes the registry, which takes over what the zone asks for (CDS).
        assert wait_for(lambda: len(keys(hosts, flags)) > len(before), SECONDS)

        def taken_over() -> bool:
            # What was remembered a moment ago is forgotten now: its lifetime is two seconds.
            time.sleep(QUICK_SECONDS + 1)
            age(sh)
            return not keys(hosts, flags) & before

        assert wait_for(taken_over, SECONDS)
        assert keys(hosts, flags)
    finally:
        validator.over.set()
        validator.join()
    assert validator.asked > 5
    assert validator.wrong == []
