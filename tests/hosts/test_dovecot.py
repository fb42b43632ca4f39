from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}


def setting(host: Nouns, name: str) -> str:
    return host.check_output(f"doveconf -h {name}")


def test_logins_are_encrypted(host: Nouns, declared: Host) -> None:
    assert setting(host, "ssl") == "required"
    assert setting(host, "auth_allow_cleartext") == "no"
    listening = host.check_output("ss -Hlnt")
    assert ":993 " in listening
    assert ":143 " not in listening


def test_nobody_reads_as_somebody_else(host: Nouns, declared: Host) -> None:
    """CNF-03: no master users."""
    assert setting(host, "auth_master_user_separator") == ""
    assert "master = yes" not in host.check_output("doveconf -n")


def test_log_lines_hold_no_password(host: Nouns, declared: Host) -> None:
    assert setting(host, "auth_verbose_passwords") == "no"
    assert setting(host, "log_path") == "syslog"


def test_sockets_are_for_one_user_each(host: Nouns, declared: Host) -> None:
    for name in ("auth", "dovecot-lmtp"):
        socket = host.file(f"/var/spool/postfix/private/{name}")
        assert socket.is_socket
        assert (socket.user, socket.group, socket.mode) == ("postfix", "postfix", 0o600)


def test_mailboxes_are_their_owners(host: Nouns, declared: Host) -> None:
    found = host.file("/var/vmail")
    assert (found.user, found.group, found.mode) == ("vmail", "vmail", 0o750)
    strangers = host.check_output("find /var/vmail -mindepth 1 ! -user vmail | head -n 3")
    assert strangers == ""


def test_old_protocols_are_refused(host: Nouns, declared: Host) -> None:
    """SEC-04, by a prober that can speak the old ones: it lowers its own security level."""
    for old in ("-tls1", "-tls1_1"):
        done = host.run(
            f"openssl s_client -connect {declared.ipv4.ip}:993 {old} -cipher ALL:@SECLEVEL=0 </dev/null"
        )
        assert "alert protocol version" in done.stderr
    new = host.run(f"openssl s_client -brief -connect {declared.ipv4.ip}:993 </dev/null")
    assert "TLSv1.3" in new.stderr
