from __future__ import annotations

import pytest
from testinfra.host import Host as Nouns

from postvakt.clauses import Recorder
from postvakt.inventory import Host, Kind
from postvakt.policy import TRANSPORT_SECURITY

KINDS = {Kind.MAIL}


def certificate(host: Nouns, declared: Host) -> str:
    return f"/etc/letsencrypt/live/{declared.fqdn}/fullchain.pem"


@pytest.mark.clause("SEC-04")
def test_the_certificate_is_for_this_host_and_lasts(host: Nouns, declared: Host, observe: Recorder) -> None:
    path = certificate(host, declared)
    names = host.check_output(f"openssl x509 -noout -ext subjectAltName -in {path}")
    assert f"DNS:{declared.fqdn}" in names
    days = TRANSPORT_SECURITY.min_certificate_days
    end = host.check_output(f"openssl x509 -noout -enddate -in {path}").removeprefix("notAfter=")
    observe(f"{days} days or more left", f"ends {end}")
    assert host.run(f"openssl x509 -noout -checkend {days * 86400} -in {path}").rc == 0
    key = host.check_output(f"openssl x509 -noout -text -in {path} | grep 'ASN1 OID'")
    assert "prime256v1" in key


def test_its_key_is_roots_alone(host: Nouns, declared: Host) -> None:
    for folder in ("live", "archive"):
        assert host.file(f"/etc/letsencrypt/{folder}").mode == 0o700


def test_it_is_renewed_with_the_same_key(host: Nouns, declared: Host) -> None:
    assert host.service("certbot.timer").is_running
    renewal = host.file(f"/etc/letsencrypt/renewal/{declared.fqdn}.conf").content_string
    assert "reuse_key = True" in renewal
