from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}
SOCKETS = ("/run/dane-first/socket", "/run/mta-sts/socket")


def test_postfix_asks_for_dane_first(host: Nouns, declared: Host) -> None:
    """SEC-04.k: MTA-STS must not override DANE (RFC 8461, section 2)."""
    maps = host.check_output("postconf -xh smtp_tls_policy_maps")
    assert maps == f"socketmap:unix:{SOCKETS[0]}:policy, socketmap:unix:{SOCKETS[1]}:postfix"
    assert host.check_output("postconf -h smtp_tls_enforce_sts_mx_patterns") == "yes"


def test_only_postfix_is_answered(host: Nouns, declared: Host) -> None:
    for path in SOCKETS:
        socket = host.file(path)
        assert socket.is_socket
        assert (socket.group, socket.mode) == ("postfix", 0o660)


def test_our_own_domain_has_dane(host: Nouns, declared: Host) -> None:
    """Answers by the way that Postfix goes: of a domain with DANE, and of one that is not there."""
    ask = f"postmap -q %s socketmap:unix:{SOCKETS[0]}:policy"
    assert host.check_output(ask % declared.estate.domain) == "dane"
    absent = host.run(ask % f"not-there.{declared.estate.domain}")
    assert (absent.rc, absent.stdout) == (1, "")


def test_nobody_is_sent_statistics(host: Nouns, declared: Host) -> None:
    """LOG-06."""
    assert host.check_output("postconf -h smtp_tlsrpt_enable") == "no"
