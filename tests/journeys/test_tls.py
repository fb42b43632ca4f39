"""SEC-04: what every TLS port agrees to, seen from a subscriber's machine."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.kinds import web_names
from postvakt.inventory import Host
from postvakt.lab.process import wait_for
from postvakt.ssh import Connection

PROBER = Path(__file__).with_name("tls_prober.py")
OLD_PORT = 4455
AEAD = {
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
}  # fmt: skip
GROUPS = {"X25519MLKEM768", "X25519", "P-256", "P-384"}
PLAIN = {22, 80}
STARTTLS = {25: "smtp", 587: "smtp", 4190: "sieve"}

Connect = Callable[[str], Connection]


def probe(connect: Connect, targets: list[list[Any]]) -> list[dict[str, Any]]:
    client = connect("client")
    client.run("cat > /tmp/tls_prober.py", stdin=PROBER.read_text())
    done = client.run("python3 -I /tmp/tls_prober.py", sudo=True, stdin=json.dumps(targets), seconds=300)
    assert done.code == 0, done.err
    seen: list[dict[str, Any]] = json.loads(done.out)
    return seen


def test_the_prober_sees_what_is_weak(connect: Connect) -> None:
    """A server that agrees to everything old, so that the other tests' silence means something."""
    client = connect("client")
    serve = (
        "cd /tmp && openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=old -keyout old.key -out "
        "old.pem 2>/dev/null && systemd-run --quiet --unit old-tls --working-directory=/tmp openssl "
        f"s_server -accept 127.0.0.1:{OLD_PORT} -key old.key -cert old.pem -cipher ALL:@SECLEVEL=0 "
        "-min_protocol TLSv1 -no_ems -www"
    )
    assert client.run(serve, sudo=True).code == 0
    try:
        assert wait_for(
            lambda: client.run(f"ss -Hlnt | grep -q :{OLD_PORT}").code == 0,
            10,
        )
        (seen,) = probe(connect, [["127.0.0.1", OLD_PORT, "old", ""]])
    finally:
        client.run("systemctl stop old-tls", sudo=True)
    assert seen["versions"] == ["-tls1", "-tls1_1", "-tls1_2", "-tls1_3"]
    assert "AES128-SHA" in seen["ciphers"]["-tls1"]
    assert "AES128-GCM-SHA256" in seen["ciphers"]["-tls1_2"]
    assert {"P-521", "ffdhe2048"} <= set(seen["groups"])
    assert "Extended master secret: no" in seen["session"]


@pytest.fixture(scope="module")
def ports(connect: Connect, hosts: dict[str, Host]) -> dict[str, dict[str, Any]]:
    """What every port of the mail host that listens to the world agrees to, by address and port."""
    mail = hosts["mail1.no"]
    rows = [line.split()[3] for line in connect(mail.name).run("ss -Hlnt", sudo=True).out.splitlines()]
    open_to_all = {
        int(port)
        for address, _, port in (row.rpartition(":") for row in rows)
        if not address.strip("[]").startswith(("127.", "::1"))
    } - PLAIN
    assert {25, 443, 465, 587, 993} <= open_to_all
    targets = [
        [address, port, web_names(mail)[0] if port == 443 else mail.fqdn, STARTTLS.get(port, "")]
        for port in sorted(open_to_all)
        for address in (str(mail.ipv4.ip), f"[{mail.ipv6.ip}]")
    ]
    seen = probe(connect, targets)
    return {f"{row[0]}:{row[1]}": one for row, one in zip(targets, seen, strict=True)}


def test_protocols(ports: dict[str, dict[str, Any]]) -> None:
    """SEC-04.b."""
    for where, one in ports.items():
        assert one["versions"] == ["-tls1_2", "-tls1_3"], where


def test_ciphers_and_groups(ports: dict[str, dict[str, Any]]) -> None:
    """SEC-04.c."""
    for where, one in ports.items():
        agreed = set(one["ciphers"]["-tls1_2"]) | set(one["ciphers"]["-tls1_3"])
        assert agreed == AEAD, where
        assert set(one["groups"]) == GROUPS, where


def test_sessions(ports: dict[str, dict[str, Any]]) -> None:
    """SEC-04.d: no compression, secure renegotiation at most, extended master secret, no early data."""
    for where, one in ports.items():
        assert "Compression: NONE" in one["session"], where
        assert "Secure Renegotiation IS supported" in one["session"], where
        assert "Extended master secret: yes" in one["session"], where


def test_certificates(ports: dict[str, dict[str, Any]], connect: Connect, hosts: dict[str, Host]) -> None:
    """SEC-04.e: the key, the names, the whole chain, and the time that is left."""
    mail = hosts["mail1.no"]
    for where, one in ports.items():
        leaf, *others = [x509.load_pem_x509_certificate(text.encode()) for text in one["chain"]]
        key = leaf.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey), where
        assert key.curve.name in ("secp256r1", "secp384r1")
        assert leaf.signature_hash_algorithm is not None
        assert leaf.signature_hash_algorithm.name in ("sha256", "sha384")
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert {mail.fqdn, *web_names(mail)} <= set(names.get_values_for_type(x509.DNSName))
        assert leaf.not_valid_after_utc > datetime.now(UTC) + timedelta(days=14)
        assert others, "no intermediate certificate is sent"
        leaf.verify_directly_issued_by(others[0])
    roots = connect("world").run("cat /var/lib/pebble/roots.pem").out
    trust = ssl.create_default_context(cadata=roots)
    with (
        socket.create_connection((mail.fqdn, 993)) as raw,
        trust.wrap_socket(raw, server_hostname=mail.fqdn) as wrapped,
    ):
        assert wrapped.version() == "TLSv1.3"
