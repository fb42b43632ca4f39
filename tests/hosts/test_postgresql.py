from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}


def ask(host: Nouns, user: str, query: str) -> str:
    return host.check_output(f'cd / && runuser -u {user} -- psql -XqtA accounts -c "{query}"')


def test_it_is_on_a_socket_only(host: Nouns, declared: Host) -> None:
    assert host.service("postgresql@17-main").is_running
    assert ask(host, "postgres", "SHOW listen_addresses") == ""
    assert "5432" not in host.check_output("ss -Hlnt")


def test_a_stranger_does_not_get_in(host: Nouns, declared: Host) -> None:
    for role in ("postgres", "dovecot", "accounts"):
        done = host.run(f"cd / && runuser -u nobody -- psql -U {role} accounts -c 'SELECT 1'")
        assert done.rc != 0
        assert "authentication failed" in done.stderr


def test_its_log_is_the_journal(host: Nouns, declared: Host) -> None:
    assert ask(host, "postgres", "SHOW log_destination") == "syslog"
    assert ask(host, "postgres", "SHOW log_statement") == "none"
