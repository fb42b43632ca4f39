from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}


def setting(host: Nouns, name: str) -> str:
    return host.check_output(f"postconf -xh {name}")


def test_it_relays_for_nobody(host: Nouns, declared: Host) -> None:
    """Tried for real, from the outside of its own networks."""
    script = (
        "import smtplib; s=smtplib.SMTP('"
        + str(declared.ipv4.ip)
        + "'); s.ehlo('probe.example'); s.mail('<>'); "
        "print(s.rcpt('somebody@elsewhere.example')[0])"
    )
    done = host.check_output(f'python3 -c "{script}"')
    assert done == "554"


def test_a_stranger_cannot_send_as_ours_through_submission(host: Nouns, declared: Host) -> None:
    listed = host.check_output("postconf -P")
    for service in ("submission", "submissions"):
        assert f"{service}/inet/smtpd_sasl_auth_enable = yes" in listed
        rules = f"{service}/inet/smtpd_sender_restrictions = reject_sender_login_mismatch"
        assert rules in listed


def test_what_leaves_is_encrypted_as_its_receiver_promised(host: Nouns, declared: Host) -> None:
    """SEC-04.k: DANE, by a resolver of our own."""
    assert setting(host, "smtp_tls_security_level") == "dane"
    assert setting(host, "smtp_dns_support_level") == "dnssec"


def test_the_queue_is_short(host: Nouns, declared: Host) -> None:
    assert setting(host, "maximal_queue_lifetime") == "48h"
    assert setting(host, "bounce_queue_lifetime") == "24h"


def test_faults_are_told_without_content(host: Nouns, declared: Host) -> None:
    assert setting(host, "notify_classes") == "resource, software"
    assert setting(host, "always_bcc") == ""


def test_the_configuration_is_whole(host: Nouns, declared: Host) -> None:
    done = host.run("postfix check")
    assert (done.rc, done.stderr) == (0, "")
    unused = host.run("postconf -n 2>&1 >/dev/null").stdout
    assert unused == ""


def test_old_protocols_are_refused(host: Nouns, declared: Host) -> None:
    for port, start in ((25, "-starttls smtp"), (465, ""), (587, "-starttls smtp")):
        for old in ("-tls1", "-tls1_1"):
            done = host.run(
                f"openssl s_client -connect {declared.ipv4.ip}:{port} {start} {old} "
                "-cipher ALL:@SECLEVEL=0 </dev/null"
            )
            assert "alert protocol version" in done.stderr, (port, old)
