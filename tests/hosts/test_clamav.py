from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind

KINDS = {Kind.MAIL}


def scan(host: Nouns, make: str) -> str:
    """What clamd says to the output of this Python expression."""
    script = (
        "import socket,struct,io,zipfile; "
        "s=socket.socket(socket.AF_UNIX); s.settimeout(30); s.connect('/run/clamav/clamd.ctl'); "
        f"b={make}; s.sendall(b'zINSTREAM\\0'+struct.pack('!L',len(b))+b+struct.pack('!L',0)); "
        "print(s.recv(4096).decode())"
    )
    return host.check_output("python3 -c %s", script)


def test_it_knows_a_virus_when_it_sees_one(host: Nouns, declared: Host) -> None:
    """The string is put together on the host, so that no scanner on the way takes this file for one."""
    halves = "b'X5O!P%@AP[4\\\\PZX54(P^)7CC)7}$EICAR-STANDARD-'+b'ANTIVIRUS-TEST-FILE!$H+H*'"
    assert "FOUND" in scan(host, halves)
    assert scan(host, "b'God dag'").startswith("stream: OK")


def test_its_socket_is_for_its_group(host: Nouns, declared: Host) -> None:
    socket = host.file("/run/clamav/clamd.ctl")
    assert socket.is_socket
    assert (socket.user, socket.group, socket.mode) == ("clamav", "clamav", 0o660)
    listening = host.check_output("ss -Hlntp")
    assert "sshd" in listening
    assert "clamd" not in listening
    members = host.check_output("getent group clamav").split(":")[3]
    assert members == ""


def test_its_memory_is_bounded(host: Nouns, declared: Host) -> None:
    limit = host.check_output("systemctl show --value --property MemoryMax clamav-daemon")
    assert limit == str(3 * 2**30)


def test_signatures_are_fetched(host: Nouns, declared: Host) -> None:
    for unit in ("clamav-daemon", "clamav-freshclam"):
        assert host.service(unit).is_running
        assert host.service(unit).is_enabled
    assert host.check_output("find /var/lib/clamav -name 'freshclam.dat' -mtime -2")


def test_it_writes_no_log_of_its_own(host: Nouns, declared: Host) -> None:
    assert host.check_output("find /var/log/clamav -type f -size +0 | head -n 1") == ""
