"""The world outside the estate, as the lab makes it: its DNS root, its certificate authority, its keys.

Everything here is born once in the lab's state directory and handed to the hosts of ``world`` and,
as an overlay, to the estate. Nothing of it exists in production.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import dns.dnssec
import dns.name
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dns.dnssectypes import Algorithm

from postvakt.inventory import Operator, Outside

ROOT_SERVER = IPv4Address("198.18.0.2")
ROOT_SERVER6 = "2001:db8:18::2"
MX = "world.elsewhere.example"
POLICY_HOST = "mta-sts.elsewhere.example"
AUTHORITY = "acme.elsewhere.example"
SIGNATURES = "http://world.elsewhere.example:8080"
PACKAGE_PROXY = "http://{gateway}:3142"
OPERATOR = "lab"


@dataclass(frozen=True)
class Keys:
    """What the world needs and nobody else may have, as PEM text."""

    root_ksk: str
    authority: str
    acme_certificate: str
    acme_key: str
    mx_certificate: str
    mx_expired: str
    mx_key: str


def _once(path: Path, make: Callable[[], str]) -> str:
    """The file's text; made first where it is missing, whole or not at all."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        stage = path.with_suffix(".new")
        stage.touch(mode=0o600)
        stage.write_text(make())
        os.replace(stage, path)
    return path.read_text()


def _key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _load(pem: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _certificate(
    name: str, key: str, issuer: str | None, issuer_key: str, *others: str, expired: bool = False
) -> str:
    """A certificate for these names; self-signed and fit to sign others where no issuer is given."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = x509.load_pem_x509_certificate(issuer.encode()) if issuer else None
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.subject if signer else subject)
        .public_key(_load(key).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=-1 if expired else 3650))
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(_load(key).public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(_load(issuer_key).public_key()),
            critical=False,
        )
    )
    if signer is None:
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        builder = builder.add_extension(usage, critical=True)
    else:
        names = [x509.DNSName(one) for one in (name, *others)]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signed = builder.sign(_load(issuer_key), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def keys(state: Path) -> Keys:
    """The world's keys, from the lab's state directory; made on first use."""
    folder = state / "outside"
    root_ksk = _once(folder / "root-ksk.pem", _key)
    authority_key = _once(folder / "authority-key.pem", _key)
    authority = _once(
        folder / "authority.pem",
        lambda: _certificate("Postvakt lab authority", authority_key, None, authority_key),
    )
    acme_key = _once(folder / "acme-key.pem", _key)
    acme = _once(folder / "acme.pem", lambda: _certificate(AUTHORITY, acme_key, authority, authority_key))
    mx_key = _once(folder / "mx-key.pem", _key)

    def mx(expired: bool) -> str:
        return _certificate(MX, mx_key, authority, authority_key, POLICY_HOST, expired=expired)

    return Keys(
        root_ksk,
        authority,
        acme,
        acme_key,
        _once(folder / "mx.pem", lambda: mx(False)),
        _once(folder / "mx-expired.pem", lambda: mx(True)),
        mx_key,
    )


def root_anchor(root_ksk: str) -> str:
    """The DS record of the lab's DNS root, in presentation form."""
    public = _load(root_ksk).public_key()
    dnskey = dns.dnssec.make_dnskey(public, Algorithm.ECDSAP256SHA256, flags=257)
    ds = dns.dnssec.make_ds(dns.name.root, dnskey, "SHA256")
    return f". DS {ds.to_text()}"


def root_hints() -> str:
    server = "a.root-servers.elsewhere.example."
    return f". 3600 NS {server}\n{server} 3600 A {ROOT_SERVER}\n{server} 3600 AAAA {ROOT_SERVER6}"


def outside(state: Path, gateway: str) -> Outside:
    """The overlay for a host whose way out is ``gateway``."""
    secret = keys(state)
    public = (state / "ssh" / "id_ed25519.pub").read_text().strip()
    return Outside(
        root_hints=root_hints(),
        root_anchor=root_anchor(secret.root_ksk),
        acme_directory=f"https://{AUTHORITY}:14000/dir",
        authority=secret.authority,
        package_proxy=PACKAGE_PROXY.format(gateway=gateway),
        signature_mirror=SIGNATURES,
        operator=Operator(OPERATOR, "The lab", (public,), date.max),
    )
