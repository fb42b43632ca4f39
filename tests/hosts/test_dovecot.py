from __future__ import annotations

import pytest
from testinfra.host import Host as Nouns

from postvakt.clauses import Recorder
from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}


def setting(host: Nouns, name: str) -> str:
    return host.check_output(f"doveconf -h {name}")


@pytest.mark.clause("SEC-02")
def test_logins_are_encrypted(host: Nouns, declared: Host, observe: Recorder) -> None:
    names = ("ssl", "auth_allow_cleartext")
    observe("required, no", ", ".join(setting(host, name) for name in names))
    assert setting(host, "ssl") == "required"
    assert setting(host, "auth_allow_cleartext") == "no"
    listening = host.check_output("ss -Hlnt")
    for port in (993, 995, 4190):
        assert f":{port} " in listening
    for port in (143, 110):
        assert f":{port} " not in listening


@pytest.mark.clause("CNF-03")
def test_nobody_reads_as_somebody_else(host: Nouns, declared: Host, observe: Recorder) -> None:
    """No master users."""
    assert setting(host, "auth_master_user_separator") == ""
    masters = host.check_output("doveconf -n").count("master = yes")
    observe("0 master logins", f"{masters} master logins")
    assert "master = yes" not in host.check_output("doveconf -n")


@pytest.mark.clause("LOG-01")
def test_log_lines_hold_no_password(host: Nouns, declared: Host, observe: Recorder) -> None:
    observe("no", setting(host, "auth_verbose_passwords"))
    assert setting(host, "auth_verbose_passwords") == "no"
    assert setting(host, "log_path") == "syslog"


def test_sockets_are_for_one_user_each(host: Nouns, declared: Host) -> None:
    listening = host.check_output("ss -Hlx")
    for name, owner in (
        ("postfix-auth", "postfix"),
        ("postfix-lmtp", "postfix"),
        ("quota-status", "postfix"),
        ("quota-warning", "vmail"),
        ("auth-userdb", "vmail"),
    ):
        socket = host.file(f"/run/dovecot/{name}")
        assert socket.is_socket
        assert (socket.user, socket.mode) == (owner, 0o600)
        assert f"/{name} " in listening
    # Where any program on the host could put mail into any mailbox.
    assert "/dovecot/lmtp " not in listening


def test_what_an_account_has_lies_in_its_home(host: Nouns, declared: Host) -> None:
    """EML-01, SCN-02: mail, index of words, rules. A path that does not begin with ~ is elsewhere."""
    assert setting(host, "mail_path") == "~/mail"
    for name in ("mail_index_path", "mail_control_path", "mail_volatile_path", "mail_alt_path"):
        assert setting(host, name) == ""
    shown = host.check_output("doveconf -n")
    for line in ("path = ~/sieve", "active_path = ~/sieve.active"):
        assert line in shown
    assert "fts flatcurve" in shown
    for elsewhere in ("fts solr", "fts_decoder_tika_url", "type = shared", "type = public", "acl"):
        assert elsewhere not in shown


def test_room_is_asked_for_before_mail_is_taken(host: Nouns, declared: Host) -> None:
    assert setting(host, "quota_status_overquota").startswith("452 4.2.2 ")
    assert setting(host, "quota_status_nouser") == "DUNNO"
    assert "unix:/run/dovecot/quota-status" in host.check_output("postconf -xh smtpd_recipient_restrictions")


def test_the_configuration_is_whole(host: Nouns, declared: Host) -> None:
    """Dovecot warns there of limits that do not fit together."""
    assert host.run("doveconf -n 2>&1 >/dev/null").stdout == ""


@pytest.mark.clause("CNF-01")
def test_mailboxes_are_their_owners(host: Nouns, declared: Host, observe: Recorder) -> None:
    found = host.file("/var/vmail")
    observe("vmail vmail 750", f"{found.user} {found.group} {found.mode:o}")
    assert (found.user, found.group, found.mode) == ("vmail", "vmail", 0o750)
    assert host.check_output("find /var/vmail -mindepth 1 ! -user vmail | head -n 3") == ""
    assert host.check_output("find /var/vmail -mindepth 1 -type d -perm /077 | head -n 3") == ""


@pytest.mark.clause("SEC-04")
def test_old_protocols_are_refused(host: Nouns, declared: Host, observe: Recorder) -> None:
    """By a prober that can speak the old ones: it lowers its own security level."""
    for old in ("-tls1", "-tls1_1"):
        done = host.run(
            f"openssl s_client -connect {declared.ipv4.ip}:993 {old} -cipher ALL:@SECLEVEL=0 </dev/null"
        )
        observe(
            f"{old} refused by the server", "alert" if "alert protocol version" in done.stderr else "none"
        )
        assert "alert protocol version" in done.stderr
    new = host.run(f"openssl s_client -brief -connect {declared.ipv4.ip}:993 </dev/null")
    assert "TLSv1.3" in new.stderr
    assert "X25519MLKEM768" in new.stderr


@pytest.mark.clause("SEC-04")
def test_ciphers_are_aead_with_forward_secrecy(host: Nouns, declared: Host, observe: Recorder) -> None:
    """Sub-check c: what is not that is refused, as is a curve that is not on the list."""
    probe = f"openssl s_client -connect {declared.ipv4.ip}:993 -tls1_2"
    for offer in (
        "-cipher AES128-GCM-SHA256",
        "-cipher ECDHE+AES:!AESGCM:!AESCCM",
        "-cipher DHE",
        "-curves P-521",
    ):
        done = host.run(f"{probe} {offer} </dev/null")
        observe(f"{offer} refused", "alert" if "alert handshake failure" in done.stderr else "none")
        assert "alert handshake failure" in done.stderr, offer
    assert host.run(f"{probe} -cipher ECDHE+CHACHA20:ECDHE+AESGCM </dev/null").rc == 0
