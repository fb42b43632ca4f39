from __future__ import annotations

import pytest
from testinfra.host import Host as Nouns

from postvakt.clauses import Recorder
from postvakt.inventory import Host


@pytest.mark.clause("SEC-01")
def test_both_ways_are_closed_by_default(host: Nouns, declared: Host, observe: Recorder) -> None:
    rules = host.check_output("nft list ruleset")
    hooks = ("input", "forward", "output")
    closed = [hook for hook in hooks if f"hook {hook} priority filter; policy drop;" in rules]
    observe("default deny: input, forward, output", f"default deny: {', '.join(closed)}")
    assert closed == list(hooks)


@pytest.mark.clause("LOG-05")
def test_a_stranger_in_the_house_cannot_call_out(host: Nouns, declared: Host, observe: Recorder) -> None:
    """Tried for real: a user without an egress rule is refused at once, by the firewall."""
    probe = "runuser -u nobody -- python3 -c 'import socket; socket.create_connection((\"%s\", 443), 3)'"
    done = host.run(probe.replace("%s", "192.0.2.1"))
    refused = "No route to host" in done.stderr
    observe("a user without a rule is refused", "refused" if refused else f"not refused, code {done.rc}")
    assert done.rc != 0
    assert "No route to host" in done.stderr


def test_it_survives_a_reboot(host: Nouns, declared: Host, observe: Recorder) -> None:
    assert host.service("nftables").is_enabled
