from __future__ import annotations

import time

import pytest
from testinfra.host import Host as Nouns

from postvakt.clauses import Recorder
from postvakt.inventory import Host
from postvakt.policy import CLOCK


def test_the_clock_is_kept(host: Nouns, declared: Host) -> None:
    if host.run("systemd-detect-virt --container").rc == 0:
        # A container's clock is the machine's: the daemon must stay away from it.
        assert not host.service("chrony").is_running
        return
    tracking = host.check_output("chronyc -c tracking").split(",")
    assert tracking[13] == "Normal"
    assert abs(float(tracking[4])) < 1


@pytest.mark.clause("DER-01")
def test_the_clock_agrees_with_the_one_who_asks(host: Nouns, declared: Host, observe: Recorder) -> None:
    before = time.time()
    there = float(host.check_output("date +%s.%N"))
    off = max(before - there, there - time.time(), 0)
    observe(f"at most {CLOCK.max_offset_seconds} s off", f"{off:.3f} s")
    assert off <= CLOCK.max_offset_seconds


@pytest.mark.clause("DER-01")
def test_time_is_authenticated(host: Nouns, declared: Host, observe: Recorder) -> None:
    servers = [
        line for line in host.check_output("chronyd -p").splitlines() if line.startswith(("server", "pool"))
    ]
    signed = sum(line.split()[-1] == "nts" for line in servers)
    observe("3 servers or more, all with NTS", f"{signed} of {len(servers)} with NTS")
    assert len(servers) >= 3
    assert all(line.split()[-1] == "nts" for line in servers)
