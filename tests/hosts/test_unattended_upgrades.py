from __future__ import annotations

import pytest
from testinfra.host import Host as Nouns

from postvakt.clauses import Recorder
from postvakt.inventory import Host


@pytest.mark.clause("SEC-01")
def test_security_updates_come_daily(host: Nouns, declared: Host, observe: Recorder) -> None:
    shown = host.check_output("apt-config dump")
    assert 'APT::Periodic::Unattended-Upgrade "1";' in shown
    daily = 'APT::Periodic::Unattended-Upgrade "1";' in shown
    observe("daily", "daily" if daily else "not daily")
    origins = [line for line in shown.splitlines() if "Origins-Pattern::" in line]
    assert origins
    assert all("label=Debian-Security" in line for line in origins)
    for timer in ("apt-daily.timer", "apt-daily-upgrade.timer"):
        assert host.service(timer).is_enabled
        assert host.service(timer).is_running
