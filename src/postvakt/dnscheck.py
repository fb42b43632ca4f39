"""What the world sees of a mail domain: asked of the authoritative servers, validated from the root.

No resolver's word is trusted: this module follows the chain of signatures itself, from the trust anchor
of the DNS root down to the zone, and validates every answer with the zone's own keys. That something is
absent is taken from the servers as they say it.
"""

from __future__ import annotations

import hashlib
import http.client
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.reversename
import dns.rrset
import dns.zonefile
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dns.rdatatype import RdataType

from postvakt.errors import PostvaktError
from postvakt.policy import TRANSPORT_SECURITY

SECONDS = 5
ROOT_ANCHORS = """\
. DS 20326 8 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d
. DS 38696 8 2 683d2d0acb8c9b712a1948b27f741219298d0a450d612c483af444a4c0fb2b16"""
"""The DNS root's keys of 2017 and 2024, as IANA publishes them."""
ROOT_HINTS = """\
. 3600 NS k.root-servers.net.
. 3600 NS l.root-servers.net.
k.root-servers.net. 3600 A 193.0.14.129
l.root-servers.net. 3600 A 199.7.83.42"""


class CheckError(PostvaktError):
    """Something is not as it must be. One line: what the world sees instead."""


@dataclass(frozen=True)
class Finding:
    """One line of the table."""

    what: str
    well: bool
    detail: str


@dataclass(frozen=True)
class Zone:
    """A zone whose keys are validated, and the addresses of its servers."""

    name: dns.name.Name
    servers: tuple[str, ...]
    keys: dns.rrset.RRset


def _query(server: str, name: dns.name.Name, kind: RdataType) -> dns.message.Message:
    question = dns.message.make_query(name, kind, want_dnssec=True)
    question.flags &= ~dns.flags.RD
    try:
        return dns.query.tcp(question, server, timeout=SECONDS)
    except (OSError, EOFError, dns.exception.DNSException) as error:
        raise CheckError(f"{server} does not answer for {name}: {error}") from error


def _validated(zone: Zone, answer: dns.message.Message, name: dns.name.Name, kind: RdataType) -> list[str]:
    """The data of a record set in an answer, validated; empty where the server says there is none."""
    rrset = answer.get_rrset(answer.answer, name, dns.rdataclass.IN, kind)
    if rrset is None:
        return []
    signatures = answer.get_rrset(answer.answer, name, dns.rdataclass.IN, RdataType.RRSIG, kind)
    if signatures is None:
        raise CheckError(f"{name} {dns.rdatatype.to_text(kind)} is not signed")
    try:
        dns.dnssec.validate(rrset, signatures, {zone.name: zone.keys})
    except dns.exception.DNSException as error:
        raise CheckError(f"{name} {dns.rdatatype.to_text(kind)} has no valid signature: {error}") from error
    return [row.to_text() for row in rrset]


class World:
    """The DNS from its root: ``anchors`` are DS records as text, ``hints`` zone-file text."""

    def __init__(self, anchors: str = ROOT_ANCHORS, hints: str = ROOT_HINTS) -> None:
        rows = [line.split() for line in hints.splitlines()]
        servers = tuple(row[3] for row in rows if row[2] == "A")
        digests = [" ".join(line.split()[2:]) for line in anchors.splitlines()]
        self._zones = {dns.name.root: self._zone(dns.name.root, servers, digests)}

    def _zone(self, name: dns.name.Name, servers: tuple[str, ...], digests: list[str]) -> Zone:
        """The zone at a cut: the parent's digests vouch for one of its keys, and that for all of them."""
        answer = _query(servers[0], name, RdataType.DNSKEY)
        keys = answer.get_rrset(answer.answer, name, dns.rdataclass.IN, RdataType.DNSKEY)
        if keys is None:
            raise CheckError(f"{name} has no keys")
        known = {text.lower().replace(" ", "") for text in digests}
        vouched = [
            key
            for key in keys
            for kind in ("SHA256", "SHA384")
            if dns.dnssec.make_ds(name, key, kind, validating=True).to_text().replace(" ", "") in known
        ]
        if not vouched:
            raise CheckError(f"{name}: the parent zone vouches for none of its keys")
        zone = Zone(name, servers, dns.rrset.from_rdata_list(name, keys.ttl, vouched))
        _validated(zone, answer, name, RdataType.DNSKEY)
        return Zone(name, servers, keys)

    def _child(self, zone: Zone, name: dns.name.Name) -> Zone:
        """The zone that begins at a name, or the one above where none does."""
        answer = _query(zone.servers[0], name, RdataType.DS)
        digests = _validated(zone, answer, name, RdataType.DS)
        referral = _query(zone.servers[0], name, RdataType.NS)
        sections = (referral.answer, referral.authority)
        found = [
            rrset
            for section in sections
            for rrset in section
            if rrset.rdtype == RdataType.NS and rrset.name == name
        ]
        if not found:
            return zone
        if not digests:
            raise CheckError(f"{name} is delegated by {zone.name} without a signature (no DS record)")
        glue = {rrset.name: rrset for rrset in referral.additional if rrset.rdtype == RdataType.A}
        servers: list[str] = []
        for row in found[0]:
            target = row.target
            known = [one.address for one in glue[target]] if target in glue else self.ask(target, "A")
            servers += known
        if not servers:
            raise CheckError(f"no server of {name} has an address")
        return self._zone(name, tuple(servers), digests)

    def zone(self, name: dns.name.Name) -> Zone:
        """The zone that a name lies in, with every signature from the root down to it validated."""
        if name not in self._zones:
            self._zones[name] = self._child(self.zone(name.parent()), name)
        return self._zones[name]

    def ask(self, name: dns.name.Name | str, kind: str) -> list[str]:
        """A record set as every server of its zone gives it, validated; empty where there is none.

        Raises CheckError where a signature is missing or wrong, or where two servers differ.
        """
        where = dns.name.from_text(name) if isinstance(name, str) else name
        zone, wanted = self.zone(where), dns.rdatatype.from_text(kind)
        answers = [
            sorted(_validated(zone, _query(server, where, wanted), where, wanted)) for server in zone.servers
        ]
        if any(one != answers[0] for one in answers):
            raise CheckError(f"{where} {kind}: the servers of {zone.name} do not say the same")
        return answers[0]

    def text(self, name: str, begins: str) -> str:
        """The one TXT record at a name that begins with this."""
        rows = [one.replace('" "', "").strip('"') for one in self.ask(name, "TXT")]
        found = [one for one in rows if one.startswith(begins)]
        if len(found) != 1:
            raise CheckError(f"{name} has {len(found)} TXT records of {begins}, and must have one")
        return found[0]


def tags(text: str) -> dict[str, str]:
    """``v=DMARC1; p=reject`` as a mapping."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {key.strip(): value.strip() for key, _, value in pairs if key.strip()}


@dataclass
class Check:
    """All looks at one domain. ``trust`` are the certificate authorities; ``selectors`` DKIM's names."""

    world: World
    domain: str
    trust: ssl.SSLContext
    selectors: tuple[str, ...] = ()

    def run(self) -> Iterator[Finding]:
        looks: list[tuple[str, Callable[[], str]]] = [
            ("DNSSEC", self.dnssec), ("MX", self.mx), ("reverse DNS", self.reverse), ("DANE", self.dane),
            ("MTA-STS", self.mta_sts), ("TLSRPT", self.tlsrpt), ("SPF", self.spf), ("DMARC", self.dmarc),
            ("CAA", self.caa), *((f"DKIM {one}", lambda one=one: self.dkim(one)) for one in self.selectors),
        ]  # fmt: skip
        for what, look in looks:
            try:
                yield Finding(what, True, look())
            except CheckError as error:
                yield Finding(what, False, str(error))
            except (OSError, smtplib.SMTPException, http.client.HTTPException) as error:
                yield Finding(what, False, f"no answer: {error}")

    def hosts(self) -> list[str]:
        found = [row.split()[1] for row in self.world.ask(self.domain, "MX")]
        if not found:
            raise CheckError(f"{self.domain} has no MX record")
        return found

    def addresses(self, host: str) -> list[str]:
        return [one for kind in ("A", "AAAA") for one in self.world.ask(host, kind)]

    def dnssec(self) -> str:
        if not self.world.ask(self.domain, "SOA"):
            raise CheckError(f"{self.domain} is no zone of its own")
        zone = self.world.zone(dns.name.from_text(self.domain))
        return f"valid from the root to {zone.name}, on {len(zone.servers)} server addresses"

    def mx(self) -> str:
        for host in self.hosts():
            for kind in ("A", "AAAA"):
                if not self.world.ask(host, kind):
                    raise CheckError(f"{host} has no {kind} record")
        return ", ".join(self.hosts())

    def reverse(self) -> str:
        told = []
        for host in self.hosts():
            for address in self.addresses(host):
                names = self.world.ask(dns.reversename.from_address(address), "PTR")
                if names != [host]:
                    raise CheckError(f"{address} is called {', '.join(names) or 'nothing'}, not {host}")
                told.append(address)
        return ", ".join(told)

    def dane(self) -> str:
        for host in self.hosts():
            known = self.world.ask(f"_25._tcp.{host}", "TLSA")
            if len(known) < 2 or not all(row.startswith("3 1 1 ") for row in known):
                raise CheckError(f"{host} has {len(known)} TLSA records; two of 3 1 1 are wanted")
            for address in self.addresses(host):
                if f"3 1 1 {served_key(address)}" not in [row.lower() for row in known]:
                    raise CheckError(f"the key that {address} shows on port 25 is in no TLSA record")
        return "the served key and another are told"

    def mta_sts(self) -> str:
        said = tags(self.world.text(f"_mta-sts.{self.domain}", "v=STSv1"))
        name = f"mta-sts.{self.domain}"
        policy = fetch(self.addresses(name)[0], name, "/.well-known/mta-sts.txt", self.trust)
        rows = [line.split(":", 1) for line in policy.splitlines()]
        values = {row[0]: row[1].strip() for row in rows if len(row) == 2}
        patterns = sorted(f"{row[1].strip()}." for row in rows if row[0] == "mx")
        if values.get("mode") != "enforce":
            raise CheckError(f"the policy's mode is {values.get('mode')}, not enforce")
        if patterns != sorted(self.hosts()):
            raise CheckError(f"the policy names {', '.join(patterns)}, which is not the MX set")
        if int(values.get("max_age", "0")) < TRANSPORT_SECURITY.min_mta_sts_seconds:
            least = TRANSPORT_SECURITY.min_mta_sts_seconds
            raise CheckError(f"the policy's max_age is below {least} s (SEC-04)")
        if said.get("id") != hashlib.sha256(policy.encode()).hexdigest()[:32]:
            raise CheckError("the id in DNS is not that of the served text")
        return "enforce; the id in DNS is that of the served text"

    def reports_to_us(self, told: dict[str, str]) -> str:
        rua = told.get("rua", "")
        if not all(one.endswith(f"@{self.domain}") and one[:7] == "mailto:" for one in rua.split(",")):
            raise CheckError(f"reports go to {rua or 'nobody'}, not to an address of {self.domain}")
        return rua

    def tlsrpt(self) -> str:
        return self.reports_to_us(tags(self.world.text(f"_smtp._tls.{self.domain}", "v=TLSRPTv1")))

    def spf(self) -> str:
        text = self.world.text(self.domain, "v=spf1")
        terms = text.split()[1:]
        lookups = [
            one for one in terms if one.lstrip("+-~?").split(":")[0] in ("a", "mx", "include", "exists")
        ]
        if not terms or terms[-1] != "-all" or len(lookups) > 10 or any("ptr" in one for one in terms):
            raise CheckError(f"{text!r} does not end in -all, asks too much, or uses ptr")
        return text

    def dmarc(self) -> str:
        told = tags(self.world.text(f"_dmarc.{self.domain}", "v=DMARC1"))
        if told.get("p") != "reject" or told.get("sp", "reject") != "reject" or told.get("t") == "y":
            raise CheckError(f"the policy is not reject: p={told.get('p')}, sp={told.get('sp')}")
        return f"reject; {self.reports_to_us(told)}"

    def caa(self) -> str:
        rows = self.world.ask(self.domain, "CAA")
        for wanted in (" issue ", " issuewild ", " iodef "):
            if not any(wanted in row for row in rows):
                raise CheckError(f"no CAA record says{wanted.rstrip()}")
        return ", ".join(row for row in rows if " issue " in row)

    def dkim(self, selector: str) -> str:
        told = tags(self.world.text(f"{selector}._domainkey.{self.domain}", "v=DKIM1"))
        if not told.get("p"):
            raise CheckError(f"the key of {selector} is withdrawn")
        return f"{told.get('k', 'rsa')}, {len(told['p'])} characters"


def served_key(address: str) -> str:
    """SHA-256 of the public key that a mail host shows after STARTTLS, in hex."""
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP(address, 25, timeout=SECONDS) as smtp:
        smtp.starttls(context=anyone)
        assert isinstance(smtp.sock, ssl.SSLSocket)
        shown = smtp.sock.getpeercert(binary_form=True)
    if shown is None:
        raise CheckError(f"{address} shows no certificate on port 25")
    key = x509.load_der_x509_certificate(shown).public_key()
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def fetch(address: str, name: str, path: str, trust: ssl.SSLContext) -> str:
    """A text by HTTPS from this very address, with the certificate that the name must have."""
    connection = http.client.HTTPSConnection(name, timeout=SECONDS, context=trust)
    raw = socket.create_connection((address, 443), SECONDS)
    connection.sock = trust.wrap_socket(raw, server_hostname=name)
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read(65536).decode()
    connection.close()
    if answer.status != 200:
        raise CheckError(f"https://{name}{path} answers {answer.status}")
    return text
