from __future__ import annotations

import re

import pytest
from testinfra.host import Host as Nouns

from deploy.kinds import roles_of
from postvakt.clauses import Recorder
from postvakt.inventory import Host, Kind
from postvakt.lab.world.kinds import roles_of as world_roles_of

OUTWARD = re.compile(r'(tcp|udp) dport (\d+) meta skuid "?([\w-]+)"? accept')


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


@pytest.mark.clause("LOG-05")
def test_what_may_leave_is_what_is_declared(
    host: Nouns, declared: Host, deployed: Host, observe: Recorder
) -> None:
    """Who may call what, as the kernel has it. The outside world's hosts have roles of their own."""
    rules = host.check_output("nft list chain inet postvakt outward")
    roles = roles_of(declared) if declared.kind in set(Kind) else world_roles_of(declared)
    found = {(one[1], one[2], one[3]) for one in OUTWARD.finditer(rules)}
    # The kernel knows users by their numbers, and so may two names be one.
    numbers = dict(
        line.split(":")[::2] for line in host.check_output("cut -d: -f1-3 /etc/passwd").splitlines()
    )
    declared_ways = [one for role in roles for one in role.egress(deployed)]
    expected = {(one.protocol, str(one.port), numbers[one.user]) for one in declared_ways}
    observe(
        f"{len(expected)} ways out, all declared",
        f"{len(found)} ways out, {len(found - expected)} undeclared",
    )
    assert found == expected


def test_it_survives_a_reboot(host: Nouns, declared: Host, observe: Recorder) -> None:
    assert host.service("nftables").is_enabled
