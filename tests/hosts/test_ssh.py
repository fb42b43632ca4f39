from __future__ import annotations

import pytest
from testinfra.host import Host as Nouns

from postvakt.clauses import Recorder
from postvakt.inventory import Host

OLD = ("sha1", "ssh-rsa", "ecdsa", "cbc", "diffie-hellman", "umac", "hmac-md5")


@pytest.mark.clause("SEC-01", "CNF-01")
def test_only_keys_open_the_door(host: Nouns, declared: Host, observe: Recorder) -> None:
    found = dict(line.split(" ", 1) for line in host.check_output("sshd -T").splitlines() if " " in line)
    names = ("permitrootlogin", "passwordauthentication", "authenticationmethods")
    observe("no, no, publickey", ", ".join(found[name] for name in names))
    assert found["permitrootlogin"] == "no"
    assert found["passwordauthentication"] == "no"
    assert found["kbdinteractiveauthentication"] == "no"
    assert found["authenticationmethods"] == "publickey"


@pytest.mark.clause("SEC-01")
def test_algorithms_are_modern(host: Nouns, declared: Host, observe: Recorder) -> None:
    """What the server really offers, read from its own key exchange."""
    shown = host.run(
        "ssh -vv -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "
        "-o ConnectTimeout=3 nobody@127.0.0.1 true"
    ).stderr
    offered = shown.split("peer server KEXINIT proposal", 1)[1].split("debug2: compression", 1)[0]
    old = [name for name in OLD if name in offered]
    observe("no old algorithm is offered", f"{len(offered.split(','))} offered, {len(old)} old")
    assert old == []
    for new in ("mlkem768x25519-sha256", "ssh-ed25519", "chacha20-poly1305@openssh.com"):
        assert new in offered


@pytest.mark.clause("CNF-01")
def test_root_has_no_password_and_no_key(host: Nouns, declared: Host, observe: Recorder) -> None:
    locked = host.check_output("getent shadow root | cut -c6")
    observe("locked", "locked" if locked in ("!", "*") else "has a password")
    assert locked in ("!", "*")
    assert not host.file("/root/.ssh/authorized_keys").exists
    assert not host.file("/etc/ssh/authorized_keys/root").exists
