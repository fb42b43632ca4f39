from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind
from postvakt.policy import DELIVERY_LOGS

KINDS = {Kind.MAIL}
ASK = "valkey-cli -s /run/valkey/valkey.sock"


def test_it_has_a_socket_and_no_port(host: Nouns, declared: Host) -> None:
    socket = host.file("/run/valkey/valkey.sock")
    assert socket.is_socket
    assert (socket.user, socket.group, socket.mode) == ("valkey", "valkey", 0o660)
    listening = host.check_output("ss -Hlntp")
    assert "sshd" in listening
    assert "valkey" not in listening


def test_who_is_not_in_its_group_hears_nothing(host: Nouns, declared: Host) -> None:
    done = host.run(f"runuser -u nobody -- {ASK} ping")
    assert "Permission denied" in done.stdout + done.stderr


def test_its_memory_is_bounded(host: Nouns, declared: Host) -> None:
    limit = int(host.check_output(f"{ASK} config get maxmemory").split()[1])
    assert 0 < limit <= 256 * 2**20
    assert host.check_output("systemctl show --value --property MemoryMax valkey-server") == str(640 * 2**20)


def test_it_keeps_what_was_learned_and_nothing_else_for_long(host: Nouns, declared: Host) -> None:
    """LOG-02: beside the filter's statistics (RS, RS_keys, learned digests) every key has an end."""
    script = (
        "for _,k in ipairs(redis.call('KEYS','*')) do local t=redis.call('TTL',k) "
        f"if (t == -1 or t > {DELIVERY_LOGS.max_age_days * 86400}) and not string.match(k,'^RS') "
        "and not string.match(k,'^learned_ids') and not string.match(k, '^BAYES_') then return k end end "
        "return 'none'"
    )
    assert host.check_output(f'{ASK} eval "{script}" 0') == "none"
