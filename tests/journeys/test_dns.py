"""The world finds and believes the provider's names by DNS alone."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from postvakt.inventory import Host
from postvakt.lab.lab import Lab
from postvakt.lab.process import wait_for

SECONDS = 120
"""How long a newly signed zone may take until its parent vouches for it, and old answers are gone."""


def ask(lab: Lab, name: str, kind: str) -> dns.message.Message:
    query = dns.message.make_query(name, kind, want_dnssec=True)
    return dns.query.tcp(query, lab.resolver, timeout=10)


def test_the_mail_host_is_found_and_validated(lab: Lab, hosts: dict[str, Host]) -> None:
    """A validating resolver that trusts nothing but the root believes the MX and its addresses."""
    mail = hosts["mail1.no"]
    domain = mail.estate.domain

    def validated() -> bool:
        return bool(ask(lab, domain, "MX").flags & dns.flags.AD)

    assert wait_for(validated, SECONDS)
    answer = ask(lab, domain, "MX")
    targets = [
        str(row.exchange) for rrset in answer.answer if rrset.rdtype == dns.rdatatype.MX for row in rrset
    ]
    assert targets == [f"{mail.fqdn}."]
    for kind, address in (("A", mail.ipv4.ip), ("AAAA", mail.ipv6.ip)):
        found = ask(lab, mail.fqdn, kind)
        assert found.flags & dns.flags.AD
        assert str(address) in found.to_text()


def test_what_is_not_there_is_proved(lab: Lab) -> None:
    """Nobody in between can deny a name: its absence is signed too (RFC 5155)."""
    answer = ask(lab, "not-there.postvakt.example", "A")
    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert answer.flags & dns.flags.AD
    kinds = {rrset.rdtype for rrset in answer.authority}
    assert dns.rdatatype.NSEC3 in kinds
