from __future__ import annotations

import json

from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}


def served(host: Nouns, declared: Host, port: int, start: str) -> str:
    """SHA-256 of the public key that a port shows, in hex."""
    return host.check_output(
        f"openssl s_client -connect {declared.ipv4.ip}:{port} {start} </dev/null 2>/dev/null | "
        "openssl x509 -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum"
    ).split()[0]


def published(host: Nouns, declared: Host, port: int) -> list[str]:
    """What validated DNS says of the port's keys."""
    script = (
        "import dns.resolver, dns.flags; r = dns.resolver.Resolver(); r.use_edns(0, dns.flags.DO, 1232); "
        f"a = r.resolve('_{port}._tcp.{declared.fqdn}', 'TLSA'); "
        "assert a.response.flags & dns.flags.AD; "
        "print(*[f'{x.usage}{x.selector}{x.mtype}:{x.cert.hex()}' for x in a])"
    )
    return host.check_output(f'python3 -c "{script}"').split()


def test_dns_knows_the_key_that_is_served_and_the_next(host: Nouns, declared: Host) -> None:
    """SEC-04.g, on every port."""
    for port, start in ((25, "-starttls smtp"), (465, ""), (587, "-starttls smtp"), (993, "")):
        known = published(host, declared, port)
        assert len(known) == 2
        assert all(one.startswith("311:") for one in known)
        assert f"311:{served(host, declared, port, start)}" in known


def test_the_next_key_is_ready(host: Nouns, declared: Host) -> None:
    state = json.loads(host.check_output("/usr/lib/postvakt/tls-keys status"))
    assert state["in_use"] != state["next"]
    assert not state["spent"]
    for lineage in (declared.fqdn, f"{declared.fqdn}-next"):
        path = f"/etc/letsencrypt/live/{lineage}"
        assert host.run(f"openssl x509 -noout -checkend {14 * 86400} -in {path}/fullchain.pem").rc == 0
    assert host.service("postvakt-tls-keys.timer").is_running


def test_the_key_in_use_is_roots_alone(host: Nouns, declared: Host) -> None:
    found = host.file(f"/etc/postvakt/tls/{declared.fqdn}.pem")
    assert (found.user, found.mode) == ("root", 0o600)
    assert host.file("/etc/postvakt/tls").mode == 0o700
