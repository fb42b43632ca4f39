"""The account store grows by migrations: one that is in use becomes what a new one is."""

from __future__ import annotations

from collections.abc import Callable

from roles.accounts import FOLDER, MIGRATIONS

Shell = Callable[[str, str], str]
OLD = """
INSERT INTO domain VALUES ('postvakt.example');
INSERT INTO account (localpart, domain, password, plan, first_name, country)
    VALUES ('gammel', 'postvakt.example', '$argon2id$x', 'subscribed', 'Eldbjørg', 'NO');
INSERT INTO alias SELECT 'g', domain, id FROM account;
"""
LOOK = """
SELECT address || ' ' || quota FROM home WHERE localpart = 'g';
SELECT first_name || ' ' || state || ' ' || plan FROM account;
SELECT count(*) FROM sender;
SELECT count(*) FROM login WHERE login LIKE '%@postvakt.example';
SELECT sending(login, 1, 1, 1, 1) FROM login;
SELECT sending(login, 1, 1, 1, 1) FROM login;
"""


def test_a_store_of_the_first_schema_is_brought_up_to_date(sh: Shell) -> None:
    """With an account in it, in a database of its own; the roles are the cluster's and there already."""
    psql = "runuser -u postgres -- psql -XqtA -v ON_ERROR_STOP=1"
    sh("mail1.no", "cd / && runuser -u postgres -- dropdb --if-exists upgrade")
    sh("mail1.no", "cd / && runuser -u postgres -- createdb -T template0 -E UTF8 --locale C.UTF-8 upgrade")
    try:
        for number, name in enumerate(MIGRATIONS):
            sh("mail1.no", f"cd / && grep -v '^CREATE ROLE' {FOLDER}/{name}.sql | {psql} -1 upgrade")
            if not number:
                sh("mail1.no", f"cd / && {psql} upgrade <<'END'\n{OLD}END")
        assert sh("mail1.no", f"cd / && {psql} upgrade <<'END'\n{LOOK}END").splitlines() == [
            "gammel@postvakt.example 10240M",
            "Eldbjørg active subscribed",
            "2",
            "1",
            "DUNNO",
            "450 4.7.1 More than 1 recipients in an hour: try again later",
        ]
    finally:
        sh("mail1.no", "cd / && runuser -u postgres -- dropdb upgrade")
