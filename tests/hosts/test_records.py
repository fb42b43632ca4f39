from __future__ import annotations

import pytest
from testinfra.host import Host as Nouns

from postvakt.inventory import Host, Kind

KINDS = {Kind.DNS}
TAKE = "/usr/lib/postvakt/take-records mail1.no"
DIGEST = "00" * 32


@pytest.mark.parametrize(
    "record",
    [
        f"_25._tcp.dns1.no.postvakt.example. 300 TLSA 3 1 1 {DIGEST}",
        f"postvakt.example. 300 TLSA 3 1 1 {DIGEST}",
        f"a._25._tcp.mail1.no.postvakt.example. 300 TLSA 3 1 1 {DIGEST}",
        "_25._tcp.mail1.no.postvakt.example. 300 TLSA 3 1 1 00",
        "_25._tcp.mail1.no.postvakt.example. 300 A 192.0.2.1",
        "$INCLUDE /etc/passwd",
        'a._domainkey.postvakt.example. 300 TXT "v=DKIM1" ; b',
        '_dmarc.postvakt.example. 300 TXT "v=DMARC1; p=none"',
    ],
)
def test_a_host_publishes_its_own_names_only(host: Nouns, declared: Host, record: str) -> None:
    """What is refused changes nothing: the check only reads."""
    look = "stat -c %z /var/lib/postvakt/published/mail1.no"
    before = host.check_output(look)
    done = host.run(f"echo '{record}' | {TAKE}")
    assert done.rc == 1
    assert record[:10] in done.stderr
    assert host.check_output(look) == before


def test_a_publishers_key_opens_nothing_else(host: Nouns, declared: Host) -> None:
    lines = [
        line
        for line in host.file("/etc/ssh/publishers/publisher").content_string.splitlines()
        if not line.startswith("#")
    ]
    assert lines
    for line in lines:
        assert line.startswith("restrict,from=")
        assert 'command="/usr/lib/postvakt/take-records ' in line
    shown = host.check_output("id publisher")
    assert "knot" not in shown
    assert "operators" not in shown


def test_knot_is_told_by_the_publisher_only(host: Nouns, declared: Host) -> None:
    socket = host.file("/run/postvakt-published.socket")
    assert socket.is_socket
    assert (socket.user, socket.mode) == ("publisher", 0o600)
