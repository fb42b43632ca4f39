from __future__ import annotations

import pytest
from testinfra.host import Host as Nouns

from postvakt.clauses import Recorder
from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}
SUBMISSION = ("submission", "submissions")


def setting(host: Nouns, name: str) -> str:
    return host.check_output(f"postconf -xh {name}")


def talk(host: Nouns, declared: Host, *lines: str) -> list[str]:
    """The codes with which port 25 answers these lines of a stranger on the host itself."""
    script = (
        f"import smtplib; s=smtplib.SMTP('{declared.ipv4.ip}'); s.ehlo('probe.example'); "
        f"print(*[s.docmd(line)[0] for line in {list(lines)!r}])"
    )
    return host.check_output(f'python3 -c "{script}"').split()


def test_it_relays_for_nobody(host: Nouns, declared: Host) -> None:
    """Tried for real; nobody is trusted for where they call from."""
    refused = talk(host, declared, "MAIL FROM:<>", "RCPT TO:<somebody@elsewhere.example>")
    assert refused == ["250", "554"]
    assert setting(host, "mynetworks") == ""


@pytest.mark.clause("SEC-03")
def test_a_stranger_does_not_speak_for_us(host: Nouns, declared: Host, observe: Recorder) -> None:
    for name in ("postmaster", "nobody-of-this-name"):
        sender = f"MAIL FROM:<{name}@{declared.estate.domain}>"
        codes = talk(host, declared, sender, f"RCPT TO:<postmaster@{declared.estate.domain}>")
        observe("250 550", " ".join(codes))
        assert codes == ["250", "550"]


def test_it_tells_nothing_of_who_is_there(host: Nouns, declared: Host) -> None:
    assert talk(host, declared, "VRFY postmaster") == ["502"]
    assert setting(host, "smtpd_banner") == f"{declared.fqdn} ESMTP"


@pytest.mark.clause("SEC-03")
def test_a_stranger_cannot_send_as_ours_through_submission(
    host: Nouns, declared: Host, observe: Recorder
) -> None:
    listed = host.check_output("postconf -P")
    rule = "/revoked.cf reject_sender_login_mismatch permit_sasl_authenticated reject"
    observe("2 services hold senders to their login", f"{listed.count(rule)} services")
    for service in ("submission", "submissions"):
        assert f"{service}/inet/smtpd_sasl_auth_enable = yes" in listed
        rules = f"{service}/inet/smtpd_sender_restrictions = check_sasl_access "
        (line,) = [one for one in listed.splitlines() if one.startswith(rules)]
        assert line.endswith("/revoked.cf reject_sender_login_mismatch permit_sasl_authenticated reject")
        assert f"{service}/inet/smtpd_tls_security_level = encrypt" in listed
    assert "smtp/inet/smtpd_sasl_auth_enable" not in listed


@pytest.mark.clause("TRK-02")
def test_what_is_submitted_does_not_tell_from_where(host: Nouns, declared: Host, observe: Recorder) -> None:
    listed = host.check_output("postconf -P")
    hidden = [name for name in SUBMISSION if f"{name}/inet/smtpd_hide_client_session = yes" in listed]
    cleaned = [
        name for name in SUBMISSION if f"{name}/inet/cleanup_service_name = submission-cleanup" in listed
    ]
    observe(
        "2 services hide it", f"{len(hidden)} services, {len(cleaned)} of them through a cleanup of their own"
    )
    assert (tuple(hidden), tuple(cleaned)) == (SUBMISSION, SUBMISSION)


@pytest.mark.clause("SEC-04")
def test_what_leaves_is_encrypted_as_its_receiver_promised(
    host: Nouns, declared: Host, observe: Recorder
) -> None:
    """Sub-check k: DANE, by a resolver of our own."""
    observe("dane", setting(host, "smtp_tls_security_level"))
    assert setting(host, "smtp_tls_security_level") == "dane"
    assert setting(host, "smtp_dns_support_level") == "dnssec"


def test_the_queue_is_short(host: Nouns, declared: Host) -> None:
    assert setting(host, "maximal_queue_lifetime") == "48h"
    assert setting(host, "bounce_queue_lifetime") == "24h"


@pytest.mark.clause("LOG-01")
def test_faults_are_told_without_content(host: Nouns, declared: Host, observe: Recorder) -> None:
    observe("resource, software", setting(host, "notify_classes"))
    assert setting(host, "notify_classes") == "resource, software"
    assert setting(host, "always_bcc") == ""


def test_the_configuration_is_whole(host: Nouns, declared: Host) -> None:
    done = host.run("postfix check")
    assert (done.rc, done.stderr) == (0, "")
    unused = host.run("postconf -n 2>&1 >/dev/null").stdout
    assert unused == ""


@pytest.mark.clause("SEC-04")
def test_old_protocols_are_refused(host: Nouns, declared: Host, observe: Recorder) -> None:
    for port, start in ((25, "-starttls smtp"), (465, ""), (587, "-starttls smtp")):
        for old in ("-tls1", "-tls1_1"):
            done = host.run(
                f"openssl s_client -connect {declared.ipv4.ip}:{port} {start} {old} "
                "-cipher ALL:@SECLEVEL=0 </dev/null"
            )
            refused = "alert protocol version" in done.stderr
            observe(f"{port}: {old} refused by the server", "alert" if refused else "none")
            assert refused, (port, old)


@pytest.mark.clause("SEC-04")
def test_ciphers_are_aead_with_forward_secrecy(host: Nouns, declared: Host, observe: Recorder) -> None:
    """Sub-check c."""
    for port, start in ((25, "-starttls smtp"), (465, ""), (587, "-starttls smtp")):
        probe = f"openssl s_client -connect {declared.ipv4.ip}:{port} {start}"
        for offer in ("-cipher AES128-GCM-SHA256", "-cipher ECDHE+AES:!AESGCM:!AESCCM", "-cipher DHE"):
            refused = "alert handshake failure" in host.run(f"{probe} -tls1_2 {offer} </dev/null").stderr
            observe(f"{port}: {offer} refused", "alert" if refused else "none")
            assert refused, (port, offer)
        best = host.run(f"{probe} -brief </dev/null").stderr
        assert "TLSv1.3" in best
        assert "X25519MLKEM768" in best
