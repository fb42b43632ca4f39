from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host


def test_both_ways_are_closed_by_default(host: Nouns, declared: Host) -> None:
    rules = host.check_output("nft list ruleset")
    for hook in ("input", "forward", "output"):
        assert f"hook {hook} priority filter; policy drop;" in rules


def test_a_stranger_in_the_house_cannot_call_out(host: Nouns, declared: Host) -> None:
    """Tried for real: a user without an egress rule is refused at once, by the firewall."""
    probe = "runuser -u nobody -- python3 -c 'import socket; socket.create_connection((\"%s\", 443), 3)'"
    done = host.run(probe.replace("%s", "192.0.2.1"))
    assert done.rc != 0
    assert "No route to host" in done.stderr


def test_it_survives_a_reboot(host: Nouns, declared: Host) -> None:
    assert host.service("nftables").is_enabled
