"""The host's certificates, by ACME (RFC 8555), renewed by themselves with the same key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from deploy.ops import Egress, Port, Resource, Role, config, directory, ensure, packages, service
from postvakt.inventory import Host

PORTS = (Port(80),)
STATE = ("/etc/letsencrypt",)
DIRECTORY = "https://acme-v02.api.letsencrypt.org/directory"
RENEW_DAYS = 30
WAIT_SECONDS = 150


def obtaining(
    lineages: Callable[[Host], tuple[str, ...]],
    names: Callable[[Host], tuple[str, ...]],
    challenges: str | None = None,
) -> Role:
    """Certificates for these names, one for each lineage (certbot's word for a certificate over time).

    ``challenges`` is the directory that a web server shows the authority; without one, certbot answers
    by itself on port 80.
    """
    way = f"--webroot --webroot-path {challenges}" if challenges else "--standalone"

    def declare(host: Host) -> Iterator[Resource]:
        authority = host.outside.acme_directory or DIRECTORY
        yield packages("certbot", "openssl")
        yield directory("/etc/letsencrypt", mode=0o755)
        yield config("certbot/etc/letsencrypt/cli.ini", directory=authority, contact=host.estate.contact)
        yield config("certbot/etc/letsencrypt/renewal-hooks/deploy/services", mode=0o755)
        domains = "".join(f" -d {name}" for name in names(host))
        for lineage in lineages(host):
            certificate = f"/etc/letsencrypt/live/{lineage}/fullchain.pem"
            look = f"openssl x509 -noout -in {certificate}"
            yield ensure(
                "certificate" if lineage == host.fqdn else f"certificate {lineage}",
                unless=" && ".join(
                    [
                        f"{look} -checkend {RENEW_DAYS * 86400}",
                        *(f"{look} -checkhost {name} | grep -q 'does match'" for name in names(host)),
                    ]
                ),
                # The authority looks the name up in the world's DNS, so the host waits until that
                # knows it.
                run=(
                    f"for try in $(seq {WAIT_SECONDS}); do\n"
                    f"getent -s dns ahostsv4 {names(host)[-1]} | grep -q '^{host.ipv4.ip} ' && "
                    f"python3 -c 'import urllib.request as u; u.urlopen(\"{authority}\", timeout=5)' "
                    "2>/dev/null && break\n"
                    "sleep 1; done\n"
                    f"[ $try -lt {WAIT_SECONDS} ] || {{ echo 'error: the world does not find {host.fqdn} at "
                    f"{host.ipv4.ip}, or {authority} does not answer: look at the name servers'; exit 1; }}\n"
                    f"certbot certonly --quiet {way} --renew-with-new-domains --cert-name {lineage}{domains}"
                ),
                seconds=2 * WAIT_SECONDS + 60,
            )
        yield service("certbot.timer")

    return Role("certbot", declare, ports=() if challenges else PORTS, egress=egress, state=STATE)


def egress(host: Host) -> tuple[Egress, ...]:
    port = urlsplit(host.outside.acme_directory or DIRECTORY).port or 443
    return (Egress("root", port, "tcp", "the certificate authority"),)


ROLE = obtaining(lambda host: (host.fqdn,), lambda host: (host.fqdn,))
"""One certificate, for the host's own name, where there is no web server."""
