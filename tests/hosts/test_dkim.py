from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}
FOLDER = "/var/lib/postvakt/dkim"
MAX_DAYS = 180


def state(host: Nouns) -> dict[str, Any]:
    found = json.loads(host.check_output(f"cat {FOLDER}/state.json"))
    assert isinstance(found, dict)
    return found


def test_no_key_signs_for_longer_than_half_a_year(host: Nouns, declared: Host) -> None:
    since = datetime.fromisoformat(state(host)["since"])
    assert datetime.now(UTC) - since < timedelta(days=MAX_DAYS)
    assert host.service("postvakt-dkim.timer").is_running
    assert host.service("postvakt-dkim.timer").is_enabled


def test_private_keys_are_for_the_signer_alone(host: Nouns, declared: Host) -> None:
    found = state(host)
    keys = host.check_output(f"find {FOLDER} -name '*.key'").split()
    for number in (found["current"], found["current"] + 1):
        for kind in ("rsa", "ed25519"):
            assert f"{FOLDER}/{number}/{kind}.key" in keys
    # Of those that sign no more the timer throws the private half away, at its next daily look.
    for number, when in found["retired"].items():
        if datetime.now(UTC) - datetime.fromisoformat(when) > timedelta(days=2):
            assert not [key for key in keys if key.startswith(f"{FOLDER}/{number}/")]
    for name in keys:
        key = host.file(name)
        assert (key.user, key.group, key.mode) == ("root", "_rspamd", 0o640)
    assert host.run(f"runuser -u vmail -- ls {FOLDER}").rc != 0


def test_rsa_keys_are_long_enough(host: Nouns, declared: Host) -> None:
    number = state(host)["current"]
    said = host.check_output(f"openssl pkey -in {FOLDER}/{number}/rsa.key -text -noout | head -n 1")
    assert "2048 bit" in said


def test_the_world_sees_the_keys_that_sign_and_those_after_them(host: Nouns, declared: Host) -> None:
    """Asked of the validating resolver, and compared with what the private key itself gives."""
    number = state(host)["current"]
    for n in (number, number + 1):
        public = host.check_output(
            f"openssl pkey -in {FOLDER}/{n}/rsa.key -pubout -outform DER | base64 --wrap 0"
        )
        for domain in (declared.estate.domain, declared.fqdn):
            script = (
                "import dns.resolver; print(*[b''.join(row.strings).decode() for row in "
                f"dns.resolver.resolve('{{0}}-{n}._domainkey.{domain}', 'TXT')])"
            )
            seen = host.check_output(f'python3 -c "{script.format("rsa")}"')
            assert seen.endswith(f"p={public}")
            assert "k=ed25519" in host.check_output(f'python3 -c "{script.format("ed25519")}"')
