"""What may leave a host of the estate; the firewall itself is looked at in test_nftables.py."""

from __future__ import annotations

import re

import pytest
from testinfra.host import Host as Nouns

from deploy.kinds import roles_of
from postvakt.clauses import Recorder
from postvakt.inventory import Host, Kind

KINDS = set(Kind)
OUTWARD = re.compile(r'(tcp|udp) dport (\d+) meta skuid "?([\w-]+)"? accept')


@pytest.mark.clause("LOG-05")
def test_what_may_leave_is_what_is_declared(
    host: Nouns, declared: Host, deployed: Host, observe: Recorder
) -> None:
    """Who may call what, as the kernel has it."""
    rules = host.check_output("nft list chain inet postvakt outward")
    found = {(one[1], one[2], one[3]) for one in OUTWARD.finditer(rules)}
    # The kernel knows users by their numbers, and so may two names be one.
    numbers = dict(
        line.split(":")[::2] for line in host.check_output("cut -d: -f1-3 /etc/passwd").splitlines()
    )
    declared_ways = [one for role in roles_of(deployed) for one in role.egress(deployed)]
    expected = {(one.protocol, str(one.port), numbers[one.user]) for one in declared_ways}
    observe(
        f"{len(expected)} ways out, all declared",
        f"{len(found)} ways out, {len(found - expected)} undeclared",
    )
    assert found == expected
