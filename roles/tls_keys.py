"""The host's TLS keys: one in use, the next one ready, and both told to the world by DANE (RFC 7671).

Each of the two keys has a certificate of its own at all times (two lineages of certbot). A rollover puts
the next key in place, which DNS has told of long before, and then has the old one made anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from deploy.ops import Resource, Role, config, directory, ensure, packages, program, secret, service
from postvakt.inventory import Host
from roles.records import published

KEYS = "/usr/lib/postvakt/tls-keys"
PORTS = (25, 443, 465, 587, 993, 995, 4190)
"""For which the host's key is told; a port on which nothing answers does no harm."""
TTL_SECONDS = 300
KEY_DAYS = 90
FOLDER = "/etc/postvakt/tls"
STATE = ("/var/lib/postvakt/tls",)


def pem(host: Host) -> str:
    """The key in use and its certificates, in one file: what reads it never sees half a change."""
    return f"{FOLDER}/{host.fqdn}.pem"


def lineages(host: Host) -> tuple[str, str]:
    """The names of the two certificates."""
    return host.fqdn, f"{host.fqdn}-next"


def placeholder(host: Host) -> Iterator[Resource]:
    """A certificate of the host's own making, so that the web server can answer the authority."""
    yield packages("openssl")
    yield directory(FOLDER, mode=0o700)
    yield secret(
        pem(host),
        make=(
            "d=$(mktemp -d); openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 "
            f"-subj /CN={host.fqdn} -keyout $d/k -out $d/c 2>/dev/null; cat $d/k $d/c; rm -r $d"
        ),
    )


def declare(host: Host) -> Iterator[Resource]:
    yield packages("certbot", "openssl", "python3-dnspython")
    yield config(
        "tls_keys/etc/postvakt/tls-keys.conf",
        host=host,
        pem=pem(host),
        lineages=lineages(host),
        ports=PORTS,
        ttl=TTL_SECONDS,
    )
    yield directory(STATE[0])
    yield program("tls_keys.py", KEYS)
    yield ensure("key in use", unless=f"{KEYS} installed", run=f"{KEYS} install")
    yield published("tlsa", f"{KEYS} records")
    for unit in ("postvakt-tls-keys.service", "postvakt-tls-keys.timer"):
        yield config(f"tls_keys/etc/systemd/system/{unit}", days=KEY_DAYS)
    yield service("postvakt-tls-keys.timer")


ROLE = Role("tls_keys", declare, state=STATE)
