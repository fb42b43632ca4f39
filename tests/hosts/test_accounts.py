from __future__ import annotations

import pytest
from testinfra.host import Host as Nouns

from postvakt.clauses import Recorder
from postvakt.inventory import Host, Kind
from postvakt.policy import PASSWORDS, REGISTRATION

KINDS = {Kind.MAIL}

OWN = {"id", "localpart", "domain", "password", "plan", "state", "created", "password_id", "quota_mib"}


def ask(host: Nouns, user: str, query: str) -> str:
    return host.check_output(f'cd / && runuser -u {user} -- psql -XqtA accounts -c "{query}"')


@pytest.mark.clause("REG-01")
def test_no_field_is_kept_that_the_policy_does_not_name(
    host: Nouns, declared: Host, observe: Recorder
) -> None:
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = 'account'"
    found = set(ask(host, "postgres", query).split())
    expected = set(REGISTRATION.fields) | OWN
    observe(
        f"{len(expected)} columns", f"{len(found)} columns, {len(found - expected)} that nothing promises"
    )
    assert found == expected


@pytest.mark.clause("SEC-02")
def test_passwords_are_argon2id(host: Nouns, declared: Host, observe: Recorder) -> None:
    """A census, without reading a hash."""
    count = "SELECT count(*) FROM account WHERE password IS NOT NULL"
    strong = f"{count} AND password LIKE '\\${PASSWORDS.scheme}\\$%'"
    all_of_them, good = (ask(host, "postgres", query) for query in (count, strong))
    observe("every password", f"{good} of {all_of_them}")
    assert good == all_of_them


@pytest.mark.parametrize(
    ("user", "views"),
    [
        ("dovecot", {"login", "home"}),
        ("postfix", {"mailbox", "alias_target", "hosted_domain", "sender"}),
    ],
)
def test_services_see_only_what_a_lookup_needs(
    host: Nouns, declared: Host, user: str, views: set[str]
) -> None:
    every = ask(host, "postgres", "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    tables = {name for name in every.split() if not name.endswith(("_pkey", "_key", "_idx"))}
    assert {"account", "alias", "domain", "device", "sent", "stopped"} | views < tables
    for name in tables:
        done = host.run(f"cd / && runuser -u {user} -- psql -XqtA accounts -c 'SELECT count(*) FROM {name}'")
        assert (done.rc == 0) == (name in views), name
        assert name in views or "permission denied" in done.stderr
    more = f"SELECT count(*) FROM information_schema.role_table_grants WHERE grantee = '{user}'"
    assert ask(host, "postgres", f"{more} AND privilege_type <> 'SELECT'") == "0"


def test_a_device_is_known_by_a_digest_and_a_day(host: Nouns, declared: Host) -> None:
    """Nothing else is kept of it: no address, no time of day, nothing to read its password from."""
    query = (
        "SELECT column_name || ' ' || data_type FROM information_schema.columns WHERE table_name = 'device'"
    )
    assert set(ask(host, "postgres", query).splitlines()) == {
        "id uuid", "account uuid", "name text", "digest text", "created date", "used date",
    }  # fmt: skip
    done = host.run(
        "cd / && runuser -u postfix -- psql -XqtA accounts -c \"SELECT * FROM device_login('a', 'b', 'c')\""
    )
    assert "permission denied for function device_login" in done.stderr


@pytest.mark.clause("CNF-01")
def test_nobody_else_gets_in(host: Nouns, declared: Host, observe: Recorder) -> None:
    for user in ("nobody", "vmail", "dovenull"):
        done = host.run(f"cd / && runuser -u {user} -- psql -U accounts accounts -c 'SELECT 1'")
        observe(f"{user} is refused", f"code {done.rc}")
        assert done.rc != 0
        assert "authentication failed" in done.stderr


def test_the_program_is_for_operators(host: Nouns, declared: Host) -> None:
    done = host.run("cd / && runuser -u nobody -- /usr/lib/postvakt/accounts list")
    assert (done.rc, done.stdout) == (5, "")
    assert len(done.stderr.splitlines()) == 1


def test_role_addresses_have_a_mailbox(host: Nouns, declared: Host) -> None:
    """RFC 2142, asked of Postfix, which has to accept them."""
    for name in ("abuse", "security", "hostmaster", "dpo", "postmaster"):
        address = f"{name}@{declared.estate.domain}"
        maps = "virtual_mailbox_maps" if name == "postmaster" else "virtual_alias_maps"
        assert host.check_output(f"postmap -q {address} $(postconf -xh {maps} | cut -d, -f1)")
    address = f"root@{declared.fqdn}"
    to = host.check_output(f"postmap -q {address} $(postconf -xh virtual_alias_maps | cut -d, -f2)")
    assert to == f"postmaster@{declared.estate.domain}"
