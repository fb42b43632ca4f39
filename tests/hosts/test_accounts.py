from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}

PERSONAL = {"first_name", "last_name", "company", "mobile", "country", "alternative_address"}
OWN = {"id", "localpart", "domain", "password", "plan", "state", "created"}


def ask(host: Nouns, user: str, query: str) -> str:
    return host.check_output(f'cd / && runuser -u {user} -- psql -XqtA accounts -c "{query}"')


def test_no_field_is_kept_that_the_policy_does_not_name(host: Nouns, declared: Host) -> None:
    """REG-01."""
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = 'account'"
    assert set(ask(host, "postgres", query).split()) == PERSONAL | OWN


def test_passwords_are_argon2id(host: Nouns, declared: Host) -> None:
    """SEC-02: a census, without reading a hash."""
    count = "SELECT count(*) FROM account WHERE password IS NOT NULL"
    strong = f"{count} AND password LIKE '\\$argon2id\\$%'"
    assert ask(host, "postgres", count) == ask(host, "postgres", strong)


def test_services_see_only_what_a_lookup_needs(host: Nouns, declared: Host) -> None:
    for user in ("dovecot", "postfix"):
        done = host.run(f"cd / && runuser -u {user} -- psql -XqtA accounts -c 'SELECT * FROM account'")
        assert done.rc != 0
        assert "permission denied" in done.stderr
    assert ask(host, "dovecot", "SELECT count(*) >= 0 FROM login") == "t"
    assert ask(host, "postfix", "SELECT count(*) >= 0 FROM mailbox") == "t"


def test_role_addresses_have_a_mailbox(host: Nouns, declared: Host) -> None:
    """RFC 2142, asked of Postfix, which has to accept them."""
    for name in ("abuse", "security", "hostmaster", "dpo", "postmaster"):
        address = f"{name}@{declared.estate.domain}"
        maps = "virtual_mailbox_maps" if name == "postmaster" else "virtual_alias_maps"
        assert host.check_output(f"postmap -q {address} $(postconf -xh {maps} | cut -d, -f1)")
