from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host


def test_the_clock_is_kept(host: Nouns, declared: Host) -> None:
    if host.run("systemd-detect-virt --container").rc == 0:
        # A container's clock is the machine's: the daemon must stay away from it.
        assert not host.service("chrony").is_running
        return
    tracking = host.check_output("chronyc -c tracking").split(",")
    assert tracking[13] == "Normal"
    assert abs(float(tracking[4])) < 1


def test_time_is_authenticated(host: Nouns, declared: Host) -> None:
    servers = [
        line for line in host.check_output("chronyd -p").splitlines() if line.startswith(("server", "pool"))
    ]
    assert len(servers) >= 3
    assert all(line.split()[-1] == "nts" for line in servers)
