"""Public records go from the host that bore their keys to the zone, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import dns.message
import dns.query
import pytest

from postvakt.inventory import Host
from postvakt.lab.process import wait_for

Shell = Callable[[str, str], str]
PUBLISH = "/usr/lib/postvakt/publish"
NAME = "journey._domainkey.postvakt.example."


@pytest.fixture
def emptied(sh: Shell) -> Iterator[None]:
    yield
    sh("mail1.no", f"{PUBLISH} journey </dev/null && rm -f /var/lib/postvakt/records/journey")


def answer(hosts: dict[str, Host]) -> str:
    query = dns.message.make_query(NAME, "TXT")
    found = dns.query.tcp(query, str(hosts["dns1.no"].ipv4.ip), timeout=10).answer
    return " ".join(str(row) for rrset in found for row in rrset)


@pytest.mark.usefixtures("emptied")
def test_a_record_is_published_and_withdrawn(sh: Shell, hosts: dict[str, Host]) -> None:
    assert answer(hosts) == ""
    sh("mail1.no", f"""echo '{NAME} 60 TXT "v=test" "more"' | {PUBLISH} journey""")
    assert answer(hosts) == '"v=test" "more"'
    sh("mail1.no", f"{PUBLISH} journey </dev/null")
    assert wait_for(lambda: answer(hosts) == "", 10)


@pytest.mark.usefixtures("emptied")
def test_what_is_not_the_hosts_own_is_refused(sh: Shell, hosts: dict[str, Host]) -> None:
    """Through the whole way, with the key that the name server knows."""
    said = sh("mail1.no", f"echo 'www.postvakt.example. 60 TXT \"x\"' | {PUBLISH} journey 2>&1; echo $?")
    assert "is not this host's to publish" in said
    assert said.endswith("1")


def test_the_key_opens_no_shell(sh: Shell, hosts: dict[str, Host]) -> None:
    said = sh(
        "mail1.no",
        "ssh -F none -i /etc/ssh/ssh_host_ed25519_key -o UserKnownHostsFile=/etc/postvakt/nameservers.keys "
        f"-o HostKeyAlias=dns1.no.postvakt.example publisher@{hosts['dns1.no'].ipv4.ip} "
        "id </etc/hostname 2>&1; echo $?",
    )
    assert "is no record" in said
    assert "uid=" not in said


def test_another_host_publishes_nothing(sh: Shell, hosts: dict[str, Host]) -> None:
    said = sh(
        "web1.no",
        "ssh -F none -i /etc/ssh/ssh_host_ed25519_key -o StrictHostKeyChecking=no -o BatchMode=yes "
        f"-o UserKnownHostsFile=/dev/null publisher@{hosts['dns1.no'].ipv4.ip} </dev/null 2>&1; echo $?",
    )
    assert said.endswith("255")
