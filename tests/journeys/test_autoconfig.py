"""What mail programs are told, read by parsers of our own choice, and used to log in."""

from __future__ import annotations

import imaplib
import plistlib
import smtplib
import ssl
import urllib.request
from collections.abc import Callable
from xml.etree import ElementTree

import dns.message
import dns.query
import pytest

from postvakt.lab import deliver
from postvakt.lab.deliver import Provider
from postvakt.lab.lab import Lab
from postvakt.lab.process import wait_for
from postvakt.target import LAB

Shell = Callable[[str, str], str]
DOMAIN = "postvakt.example"


@pytest.fixture(scope="module")
def ours(lab: Lab) -> Provider:
    return deliver.providers(LAB)[0]


def get(url: str, trust: ssl.SSLContext, form: bytes | None = None) -> tuple[bytes, str]:
    """The text at a URL, and its media type."""
    headers = {"Content-Type": "text/xml"} if form else {}
    request = urllib.request.Request(url, data=form, headers=headers)
    with urllib.request.urlopen(request, timeout=20, context=trust) as answer:
        return answer.read(), answer.headers.get_content_type()


def log_in(ours: Provider, imap: tuple[str, int], smtp: tuple[str, int]) -> None:
    with imaplib.IMAP4_SSL(*imap, ssl_context=ours.trust, timeout=20) as reader:
        assert reader.login(ours.person.address, ours.person.password)[0] == "OK"
    with smtplib.SMTP_SSL(*smtp, context=ours.trust, timeout=20) as sender:
        assert sender.login(ours.person.address, ours.person.password)[0] == 235


@pytest.mark.parametrize(
    "url",
    [
        f"https://autoconfig.{DOMAIN}/mail/config-v1.1.xml?emailaddress=kari%40{DOMAIN}",
        f"https://autoconfig.{DOMAIN}/.well-known/autoconfig/mail/config-v1.1.xml",
    ],
)
def test_thunderbird(ours: Provider, url: str) -> None:
    text, kind = get(url, ours.trust)
    assert kind == "application/xml"
    provider = ElementTree.fromstring(text).find("emailProvider")
    assert provider is not None
    assert provider.findtext("domain") == DOMAIN
    found = {}
    for name in ("incomingServer", "outgoingServer"):
        (server,) = provider.findall(name)
        assert server.findtext("socketType") == "SSL"
        assert server.findtext("username") == "%EMAILADDRESS%"
        found[server.get("type")] = (server.findtext("hostname") or "", int(server.findtext("port") or 0))
    log_in(ours, found["imap"], found["smtp"])


def test_outlook(ours: Provider) -> None:
    """Outlook asks with a form (POX)."""
    form = (
        '<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">'
        f"<Request><EMailAddress>{ours.person.address}</EMailAddress></Request></Autodiscover>"
    )
    url = f"https://autodiscover.{DOMAIN}/autodiscover/autodiscover.xml"
    text, kind = get(url, ours.trust, form.encode())
    assert kind == "application/xml"
    space = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"
    found = {}
    for one in ElementTree.fromstring(text).iter(f"{space}Protocol"):
        assert one.findtext(f"{space}SSL") == "on"
        found[one.findtext(f"{space}Type")] = (
            one.findtext(f"{space}Server") or "",
            int(one.findtext(f"{space}Port") or 0),
        )
    log_in(ours, found["IMAP"], found["SMTP"])


def test_apple(ours: Provider) -> None:
    text, kind = get(f"https://autoconfig.{DOMAIN}/profile.mobileconfig", ours.trust)
    assert kind == "application/x-apple-aspen-config"
    (account,) = plistlib.loads(text)["PayloadContent"]
    assert account["PayloadType"] == "com.apple.mail.managed"
    assert account["IncomingMailServerUseSSL"]
    assert account["OutgoingMailServerUseSSL"]
    imap, smtp = [
        (account[f"{way}MailServerHostName"], account[f"{way}MailServerPortNumber"])
        for way in ("Incoming", "Outgoing")
    ]
    log_in(ours, imap, smtp)


def test_service_records(ours: Provider, lab: Lab) -> None:
    """RFC 6186 and RFC 8314; what is not offered is denied."""

    def service(name: str) -> tuple[str, int]:
        query = dns.message.make_query(f"{name}._tcp.{DOMAIN}", "SRV")
        (rrset,) = dns.query.tcp(query, lab.resolver, timeout=10).answer
        (row,) = rrset
        return str(row.target).rstrip("."), row.port

    log_in(ours, service("_imaps"), service("_submissions"))
    for absent in ("_imap", "_pop3", "_submission"):
        assert service(absent) == ("", 0)


def test_where_weaknesses_are_reported(ours: Provider) -> None:
    """RFC 9116."""
    text, kind = get(f"https://{DOMAIN}/.well-known/security.txt", ours.trust)
    assert kind == "text/plain"
    lines = text.decode().splitlines()
    assert f"Contact: mailto:security@{DOMAIN}" in lines
    assert f"Canonical: https://{DOMAIN}/.well-known/security.txt" in lines


@pytest.mark.parametrize(
    "name",
    ["postmaster", "abuse", "security", "dpo", "hostmaster", "webmaster", "tls-reports", "dmarc-reports"],
)
def test_addresses_that_must_be_answered(ours: Provider, sh: Shell, name: str) -> None:
    """RFC 2142: what is sent there lies in a mailbox."""
    theirs = deliver.providers(LAB)[1]
    sent = deliver.send(theirs, f"{name}@{DOMAIN}", "Hei", "Et spørsmål.\n")
    assert wait_for(lambda: sh("mail1.no", f"grep -rlF '{sent}' /var/vmail || true") != "", 30)
