"""Evidence obeys the policy that it proves: counts, times and digests, and nothing of anybody (DER-03).

Every file of a bundle goes through ``personal`` before it is written; one finding refuses the bundle.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

ADDRESS = re.compile(r"([\w.+=-]+)@((?:[\w-]+\.)+[a-z][\w-]+)", re.IGNORECASE)
NOT_PEOPLE = {"abuse", "dpo", "hostmaster", "mailer-daemon", "noreply", "postmaster", "security", "webmaster"}
"""Mailboxes of a function (RFC 2142 and our own). ``nobody...`` is nobody."""
UNITS = ("service", "socket", "target", "timer", "mount", "slice", "path")
"""How a systemd instance ends, which otherwise looks like an address."""
ALGORITHMS = ("openssh.com", "libssh.org", "lysator.liu.se")
"""Where OpenSSH's algorithms say that they come from (RFC 4250 section 4.6.1)."""
IPV4 = r"\d{1,3}(?:\.\d{1,3}){3}"
IPV6 = r"[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}"
IP = re.compile(rf"(?<![\w.:])(?:{IPV4}|{IPV6})(?![\w:]|\.\d)", re.IGNORECASE)
NOBODYS = ip_network("192.0.2.0/24")
"""TEST-NET-1 (RFC 5737), which checks call in vain."""
SECRETS = (
    re.compile(r"PRIVATE KEY-----"),
    re.compile(r"\$(?:argon2id\$v=|argon2i\$v=|y\$|6\$|5\$|2[aby]\$)\S{8,}"),
    re.compile(r"\b(?:password|passwd|secret|token)\s*[=:]\s*['\"]?[^\s'\"<>{}()|,;\\]{6,}", re.IGNORECASE),
)
PROGRAM = r"[\w.-]+ [\w./-]+(?:\[\d+\])?: "
MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
LOG_LINES = (
    # The three forms in which logs on a Debian host begin their lines.
    re.compile(rf"\b{MONTH} [ \d]\d \d\d:\d\d:\d\d {PROGRAM}"),
    re.compile(rf"\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(?:Z|[+-]\d\d:?\d\d)? {PROGRAM}"),
    re.compile(r'"(?:GET|POST|HEAD|PUT) \S+ HTTP/\d'),
)


def personal(files: Mapping[str, bytes], hosts: Collection[IPv4Address | IPv6Address]) -> list[str]:
    """Where something stands that evidence may not hold: file, line and what it is, never the thing.

    ``hosts`` are the estate's own addresses.
    """
    found = []
    for name, content in files.items():
        for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
            found += [f"{name}, line {number}: {what}" for what in _in(line, hosts)]
    return found


def _in(line: str, hosts: Collection[IPv4Address | IPv6Address]) -> list[str]:
    what = []
    if any(_of_a_person(*one) for one in ADDRESS.findall(line)):
        what.append("the e-mail address of a person")
    if any(_of_a_client(one, hosts) for one in IP.findall(line)):
        what.append("an address that is no host's")
    if any(one.search(line) for one in SECRETS):
        what.append("a secret")
    if any(one.search(line) for one in LOG_LINES):
        what.append("a line of a log")
    return what


def _of_a_person(local: str, domain: str) -> bool:
    if domain.lower() in ALGORITHMS or domain.rsplit(".", 1)[-1].lower() in UNITS:
        return False
    return local.lower() not in NOT_PEOPLE and not local.lower().startswith("nobody")


def _of_a_client(text: str, hosts: Collection[IPv4Address | IPv6Address]) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return not (address in hosts or address.is_loopback or address.is_unspecified or address in NOBODYS)
