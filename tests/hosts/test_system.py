"""What every host owes: it runs, nothing has failed, nothing listens that no role declares."""

from __future__ import annotations

import pytest
from testinfra.host import Host as Nouns

from deploy.kinds import roles_of
from postvakt.clauses import Recorder
from postvakt.inventory import Host, Kind


def test_no_unit_has_failed(host: Nouns, declared: Host) -> None:
    assert host.check_output("systemctl is-system-running") == "running"
    assert host.check_output("systemctl --failed --no-legend --plain") == ""


@pytest.mark.clause("DER-04")
def test_it_is_the_declared_host(host: Nouns, declared: Host, observe: Recorder) -> None:
    name = host.check_output("hostname --fqdn")
    observe(declared.fqdn, name)
    assert name == declared.fqdn
    shown = host.check_output("ip -oneline address show scope global")
    for address in (declared.ipv4, declared.ipv6):
        assert f" {address} " in shown
    assert host.file("/etc/debian_version").content_string.startswith("13.")


@pytest.mark.clause("DER-04")
def test_nothing_listens_that_is_not_declared(host: Nouns, declared: Host, observe: Recorder) -> None:
    if declared.kind in set(Kind):
        roles = roles_of(declared)
        expected = {(port.protocol, port.number) for role in roles for port in role.ports}
    else:
        expected = LAB_WORLD[declared.kind]
    rows = [line.split() for line in host.check_output("ss -Hlntu").splitlines()]
    assert rows, "ss shows no socket at all, not even that of SSH"
    found = set()
    for row in rows:
        address, _, port = row[4].rpartition(":")
        if not address.strip("[]").split("%")[0].startswith(("127.", "::1")):
            found.add((row[0], int(port)))
    observe(f"{len(expected)} declared listeners", f"{len(found)}, {len(found - expected)} undeclared")
    # Port 80 is the challenge's: it listens only while a certificate is fetched.
    assert found | {("tcp", 80)} == expected | {("tcp", 80)}


LAB_WORLD = {
    "world": {("tcp", port) for port in (22, 25, 53, 443, 465, 993, 8080, 14000, 15000)} | {("udp", 53)},
    "client": {("tcp", 22), ("tcp", 53), ("udp", 53)},
}
