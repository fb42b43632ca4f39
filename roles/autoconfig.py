"""How mail programs learn our settings by themselves: Thunderbird, Outlook, Apple's, and SRV records."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_DNS, uuid5

from deploy.ops import text
from postvakt.inventory import Host
from roles.nginx import Page, Site


@dataclass(frozen=True)
class Service:
    """A service that a mail program logs in to, with TLS from the first byte (RFC 8314)."""

    name: str
    srv: str
    port: int


SERVICES = (Service("imap", "_imaps", 993), Service("smtp", "_submissions", 465))
"""What a mail program is told of. POP3 and ManageSieve follow when they are there."""
ABSENT = ("_imap", "_pop3", "_submission")
"""What there is not: without TLS from the first byte nothing is offered, and the zone says so."""


def records(mail: Host) -> tuple[str, ...]:
    """SRV records of the provider's domain (RFC 6186, RFC 8314), and Outlook's."""
    offered = [f"{one.srv}._tcp SRV 0 1 {one.port} {mail.fqdn}." for one in SERVICES]
    denied = [f"{name}._tcp SRV 0 0 0 ." for name in ABSENT]
    outlook = f"_autodiscover._tcp SRV 0 1 443 autodiscover.{mail.estate.domain}."
    return (*offered, *denied, outlook)


def sites(mail: Host) -> tuple[Site, ...]:
    """The settings in the three forms that mail programs ask for."""
    domain = mail.estate.domain
    values = {"mail": mail, "services": SERVICES}
    thunderbird = text("autoconfig/config-v1.1.xml", **values)
    outlook = text("autoconfig/autodiscover.xml", **values)
    profile = text(
        "autoconfig/profile.mobileconfig",
        **values,
        profile=uuid5(NAMESPACE_DNS, f"profile.{domain}"),
        account=uuid5(NAMESPACE_DNS, f"account.{domain}"),
    )
    return (
        Site(
            (f"autoconfig.{domain}",),
            (
                Page("/mail/config-v1.1.xml", "application/xml", thunderbird),
                Page("/.well-known/autoconfig/mail/config-v1.1.xml", "application/xml", thunderbird),
                Page("/profile.mobileconfig", "application/x-apple-aspen-config", profile),
            ),
        ),
        Site(
            (f"autodiscover.{domain}",),
            (
                Page("/autodiscover/autodiscover.xml", "application/xml", outlook),
                Page("/Autodiscover/Autodiscover.xml", "application/xml", outlook),
            ),
        ),
    )
