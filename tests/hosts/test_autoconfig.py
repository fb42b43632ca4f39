from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}


def test_what_is_told_is_what_listens(host: Nouns, declared: Host) -> None:
    domain = declared.estate.domain
    listening = host.check_output("ss -Hlnt")
    for name in ("_imaps", "_submissions"):
        script = (
            f"import dns.resolver; print(*dns.resolver.resolve('{name}._tcp.{domain}', 'SRV')[0].to_text()"
            ".split())"
        )
        _, _, port, target = host.check_output(f'python3 -c "{script}"').split()
        assert target == f"{declared.fqdn}."
        assert f":{port} " in listening
