from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host


def test_security_updates_come_daily(host: Nouns, declared: Host) -> None:
    shown = host.check_output("apt-config dump")
    assert 'APT::Periodic::Unattended-Upgrade "1";' in shown
    origins = [line for line in shown.splitlines() if "Origins-Pattern::" in line]
    assert origins
    assert all("label=Debian-Security" in line for line in origins)
    for timer in ("apt-daily.timer", "apt-daily-upgrade.timer"):
        assert host.service(timer).is_enabled
        assert host.service(timer).is_running
