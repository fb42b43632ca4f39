from __future__ import annotations

from testinfra.host import Host as Nouns

from postvakt.inventory import Host


def resolve(host: Nouns, name: str) -> str:
    script = (
        "import socket, sys; "
        "print(socket.getaddrinfo(sys.argv[1], 25, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])"
    )
    return host.check_output(f"python3 -c '{script}' {name}")


def test_names_are_resolved_here(host: Nouns, declared: Host) -> None:
    assert host.service("unbound").is_running
    servers = [
        line.split()[1]
        for line in host.file("/etc/resolv.conf").content_string.splitlines()
        if line.startswith("nameserver")
    ]
    assert servers == ["127.0.0.1"]
    assert resolve(host, f"mail1.no.{'postvakt.example'}")


def test_signatures_are_validated(host: Nouns, declared: Host) -> None:
    """The AD flag on a signed name: unbound sets it only when the chain holds up to the root."""
    script = (
        "import socket; q=bytes.fromhex('1234012000010000000000000000')[:12]; "
        "q=q+b'\\x08postvakt\\x07example\\x00'+bytes.fromhex('00060001'); "
        "s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5); "
        "s.sendto(q, ('127.0.0.1', 53)); a=s.recv(4096); print(a[3] & 0x0f, a[3] & 0x20)"
    )
    assert host.check_output(f'python3 -c "{script}"') == "0 32"
