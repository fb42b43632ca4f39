"""The host's certificate, by ACME (RFC 8555), renewed by itself with the same key."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from deploy.ops import Egress, Port, Resource, Role, config, directory, ensure, packages, service
from postvakt.inventory import Host

PORTS = (Port(80),)
STATE = ("/etc/letsencrypt",)
DIRECTORY = "https://acme-v02.api.letsencrypt.org/directory"
RENEW_DAYS = 30
WAIT_SECONDS = 150


def declare(host: Host) -> Iterator[Resource]:
    live = f"/etc/letsencrypt/live/{host.fqdn}"
    yield packages("certbot", "openssl")
    yield directory("/etc/letsencrypt", mode=0o755)
    yield config(
        "certbot/etc/letsencrypt/cli.ini",
        directory=host.outside.acme_directory or DIRECTORY,
        contact=host.estate.contact,
    )
    yield config("certbot/etc/letsencrypt/renewal-hooks/deploy/services", mode=0o755)
    authority = host.outside.acme_directory or DIRECTORY
    yield ensure(
        "certificate",
        unless=f"openssl x509 -noout -checkend {RENEW_DAYS * 86400} -in {live}/fullchain.pem",
        # The authority looks the name up in the world's DNS, so the host waits until that knows it.
        run=(
            f"for try in $(seq {WAIT_SECONDS}); do\n"
            f"getent -s dns ahostsv4 {host.fqdn} | grep -q '^{host.ipv4.ip} ' && "
            f"python3 -c 'import urllib.request as u; u.urlopen(\"{authority}\", timeout=5)' "
            "2>/dev/null && break\n"
            "sleep 1; done\n"
            f"[ $try -lt {WAIT_SECONDS} ] || {{ echo 'error: the world does not find {host.fqdn} at "
            f"{host.ipv4.ip}, or {authority} does not answer: look at the name servers'; exit 1; }}\n"
            f"certbot certonly --quiet --standalone --cert-name {host.fqdn} -d {host.fqdn}"
        ),
        seconds=2 * WAIT_SECONDS + 60,
    )
    yield service("certbot.timer")


def egress(host: Host) -> tuple[Egress, ...]:
    port = urlsplit(host.outside.acme_directory or DIRECTORY).port or 443
    return (Egress("root", port, "tcp", "the certificate authority"),)


ROLE = Role("certbot", declare, ports=PORTS, egress=egress, state=STATE)
