from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}


def test_senders_are_rewritten_and_found_back(host: Nouns, declared: Host) -> None:
    """A round trip through both maps, as Postfix asks them."""
    there = host.check_output("postmap -q ellen@elsewhere.example tcp:127.0.0.1:10001")
    assert there.startswith("SRS0=")
    assert there.endswith(f"@{declared.estate.domain}")
    back = host.check_output(f"postmap -q {there} $(postconf -xh recipient_canonical_maps)")
    assert back == "ellen@elsewhere.example"
    forged = there.replace("SRS0=", "SRS0=x")
    assert host.run(f"postmap -q {forged} $(postconf -xh recipient_canonical_maps)").stdout == ""
    assert host.check_output("postconf -xh recipient_canonical_classes") == "envelope_recipient"


def test_it_listens_on_the_host_only(host: Nouns, declared: Host) -> None:
    listening = host.check_output("ss -Hlnt 'sport = :10001 or sport = :10002'").splitlines()
    assert len(listening) == 2
    assert all("127.0.0.1:" in line for line in listening)
    secret = host.file("/etc/postsrsd.secret")
    assert (secret.user, secret.mode) == ("root", 0o600)


def test_its_user_sees_where_copies_go_and_nothing_else(host: Nouns, declared: Host) -> None:
    ask = "cd / && runuser -u forward -- psql -XqtA accounts -c"
    assert host.run(f"{ask} 'SELECT count(*) FROM forward_target'").rc == 0
    for table in ("account", "alias", "forward", "device", "login", "home", "sender"):
        assert "permission denied" in host.run(f"{ask} 'SELECT count(*) FROM {table}'").stderr
