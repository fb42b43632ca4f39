"""What leaves the mail host while mail with links flows, seen on the wire (SCN-01)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator

import pytest

from deploy.kinds import roles_of
from postvakt.inventory import Host
from postvakt.lab import deliver
from postvakt.lab.deliver import Provider
from postvakt.lab.lab import Lab
from postvakt.target import LAB

Shell = Callable[..., str]

WATCH = r"""
import json, socket, struct, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
while True:
    packet, (device, kind, way, _, _) = wire.recvfrom(65535)
    if way != 4 or device == "lo":
        continue
    if kind == 0x0800:
        protocol, to, rest = packet[9], socket.inet_ntop(2, packet[16:20]), packet[(packet[0] & 15) * 4:]
    elif kind == 0x86DD:
        protocol, to, rest = packet[6], socket.inet_ntop(10, packet[24:40]), packet[40:]
    else:
        continue
    if protocol not in (6, 17) or protocol == 6 and rest[13] & 0x12 != 2:
        continue
    source, port = struct.unpack("!HH", rest[:4])
    name, at = [], 20
    while protocol == 17 and port == 53 and rest[at]:
        name.append(rest[at + 1 : at + 1 + rest[at]].decode().lower())
        at += 1 + rest[at]
    print(json.dumps([{6: "tcp", 17: "udp"}[protocol], port, to, source, ".".join(name)]), flush=True)
"""
"""Every connection that is opened and every datagram that is sent, with the name that a query asks for."""


@pytest.fixture(scope="module")
def providers(lab: Lab) -> tuple[Provider, Provider]:
    return deliver.providers(LAB)


@pytest.fixture
def watch(sh: Shell) -> Iterator[Callable[[], list[tuple[str, int, str, int, str]]]]:
    """Watch the mail host's network; call it for what was seen so far."""
    unit, path = f"watch-{uuid.uuid4()}", f"/run/{uuid.uuid4()}"
    sh("mail1.no", f"cat > {path}.py <<'END'\n{WATCH}\nEND")
    sh(
        "mail1.no",
        f"systemd-run --quiet --collect --unit {unit} -p StandardOutput=file:{path}.out "
        f"python3 {path}.py; sleep 1",
    )

    def seen() -> list[tuple[str, int, str, int, str]]:
        rows = [json.loads(line) for line in sh("mail1.no", f"cat {path}.out").splitlines()]
        return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]

    yield seen
    sh("mail1.no", f"systemctl stop {unit}; rm -f {path}.*")


def test_nothing_that_is_scanned_leaves_the_house(
    providers: tuple[Provider, Provider],
    hosts: dict[str, Host],
    sh: Shell,
    watch: Callable[[], list[tuple[str, int, str, int, str]]],
) -> None:
    """No list is asked about a link, an address or an attachment, and no link is followed."""
    ours, theirs = providers
    mark = uuid.uuid4().hex[:12]
    sh("mail1.no", "unbound-control flush_zone .")
    text = (
        f"Se https://klikk.{mark}.example/a?b=c og http://198.18.0.77/x, eller skriv til "
        f"salg@kontakt.{mark}.example.\n"
    )
    for sender, recipient in ((theirs, ours), (ours, theirs)):
        deliver.wait_for(recipient, deliver.send(sender, recipient.person.address, f"Tilbud {mark}", text))
    seen = watch()
    declared = {
        (one.protocol, one.port)
        for role in roles_of(hosts["mail1.no"])
        for one in role.egress(hosts["mail1.no"])
    }
    # Answers to those who asked first (UDP has no other mark) are none of ours.
    asked = {(protocol, port, to) for protocol, port, to, source, _ in seen if source >= 1024}
    assert {(protocol, port) for protocol, port, _ in asked} <= declared
    names = {name for protocol, port, _, _, name in seen if (protocol, port) == ("udp", 53)}
    # The controls: the watch did see a name asked, and mail go out.
    world = {str(address) for address in hosts["world"].addresses}
    assert any(name.endswith("elsewhere.example") for name in names)
    assert {to for protocol, port, to in asked if (protocol, port) == ("tcp", 25)} <= world
    assert ("tcp", 25) in {(protocol, port) for protocol, port, _ in asked}
    assert not [name for name in names if mark in name]
    assert "198.18.0.77" not in {to for _, _, to in asked}
    # Of all names that were asked, none is of somebody who has no part in this mail.
    parties = ("elsewhere.example", "postvakt.example", "arpa")
    strangers = {name for name in names if name not in ("", "example") and not name.endswith(parties)}
    # (The resolver tells the root which of its keys it trusts: RFC 8145.)
    assert not [name for name in strangers if not name.startswith("_ta-")]
