from __future__ import annotations

import pytest
from testinfra.host import Host as Nouns

from postvakt.clauses import Recorder
from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}


def ask(host: Nouns, user: str, query: str) -> str:
    return host.check_output(f'cd / && runuser -u {user} -- psql -XqtA accounts -c "{query}"')


@pytest.mark.clause("CNF-01")
def test_it_is_on_a_socket_only(host: Nouns, declared: Host, observe: Recorder) -> None:
    assert host.service("postgresql@17-main").is_running
    listening = ask(host, "postgres", "SHOW listen_addresses")
    observe("listens on no address", f"listens on {len(listening.split(',')) if listening else 0} addresses")
    assert listening == ""
    assert "5432" not in host.check_output("ss -Hlnt")


def test_a_stranger_does_not_get_in(host: Nouns, declared: Host) -> None:
    for role in ("postgres", "dovecot", "accounts"):
        done = host.run(f"cd / && runuser -u nobody -- psql -U {role} accounts -c 'SELECT 1'")
        assert done.rc != 0
        assert "authentication failed" in done.stderr


def test_it_has_no_network(host: Nouns, declared: Host) -> None:
    """Its processes see an interface of their own and nothing else."""
    pid = host.check_output("systemctl show -P MainPID postgresql@17-main")
    inside, outside = (host.check_output(f"readlink /proc/{one}/ns/net") for one in (pid, "1"))
    assert inside != outside


def test_its_log_is_the_journal(host: Nouns, declared: Host) -> None:
    assert ask(host, "postgres", "SHOW log_destination") == "stderr"
    assert ask(host, "postgres", "SHOW logging_collector") == "off"
    assert host.check_output("find /var/log/postgresql -type f -size +0") == ""
    since = "journalctl -q -u postgresql@17-main -o cat -n 1"
    assert host.check_output(since)


@pytest.mark.clause("LOG-01")
def test_its_log_holds_no_data(host: Nouns, declared: Host, observe: Recorder) -> None:
    observe("none", ask(host, "postgres", "SHOW log_statement"))
    assert ask(host, "postgres", "SHOW log_statement") == "none"
    assert ask(host, "postgres", "SHOW log_min_duration_statement") == "-1"
    assert ask(host, "postgres", "SHOW log_min_error_statement") == "panic"
    assert ask(host, "postgres", "SHOW log_error_verbosity") == "terse"


def test_every_way_in_asks_the_kernel(host: Nouns, declared: Host) -> None:
    """No password, no trust, no network: read as the running server understood its file."""
    rules = ask(host, "postgres", "SELECT type, auth_method, error FROM pg_hba_file_rules")
    assert set(rules.splitlines()) == {"local|peer|"}
    assert ask(host, "postgres", "SELECT count(*) FROM pg_ident_file_mappings WHERE error IS NOT NULL") == "0"
    assert ask(host, "postgres", "SELECT count(*) FROM pg_authid WHERE rolpassword IS NOT NULL") == "0"
