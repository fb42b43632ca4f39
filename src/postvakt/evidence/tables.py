"""The bundle's tables as CSV (RFC 4180), for those who read them in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from deploy.kinds import roles_of
from postvakt.inventory import Country, DataSet, Host
from postvakt.obligations import Obligation
from postvakt.policy import Catalog, Clause, Cookies, DeliveryLogs, Erasure, Months, WebLogs, parameters
from postvakt.records import Attestation, Waiver
from postvakt.results import Verdict
from postvakt.status import Status, worst

SUBJECTS: Mapping[DataSet, str] = {
    DataSet.ACCOUNT_INFORMATION: "subscribers",
    DataSet.LOGIN_CREDENTIALS: "subscribers",
    DataSet.MAIL_CONTENT: "subscribers and those who write to them",
    DataSet.SEARCH_INDEXES: "subscribers and those who write to them",
    DataSet.DELIVERY_LOGS: "subscribers and those who write to them",
    DataSet.USAGE_LOGS: "subscribers",
    DataSet.WEB_SESSIONS: "subscribers and visitors",
    DataSet.DOMAIN_REGISTRATIONS: "subscribers with a domain",
    DataSet.SUPPORT_TICKETS: "those who ask for support",
    DataSet.CORRESPONDENCE: "those who write to the provider",
    DataSet.BACKUPS: "subscribers and those who write to them",
    DataSet.WEB_UPLOADS: "subscribers with a web site",
    DataSet.WEB_LOGS: "visitors of subscribers' web sites",
    DataSet.DNS_ZONES: "subscribers with a domain",
}
"""Whom a data set is about (GDPR Article 30(1)(c))."""


@dataclass(frozen=True)
class Seen:
    """What a host answered when the run began. ``reason``: why it did not; ``offset_ms``: how far its
    clock is ahead of the controller's, in milliseconds."""

    host: str
    reason: str = ""
    debian: str = ""
    kernel: str = ""
    offset_ms: int = 0

    @property
    def reached(self) -> bool:
        return not self.reason


def _guarded(cell: object) -> str:
    """A spreadsheet takes a cell that begins like a formula for one."""
    text = str(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_guarded(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


def inventory(hosts: Sequence[Host], seen: Mapping[str, Seen], verdicts: Sequence[Verdict]) -> bytes:
    """Every host of the estate, whether it was reached or not, or was outside this run."""
    columns = (
        "host", "kind", "country", "site", "facility", "legal entity", "contract", "ipv4", "ipv6", "holds",
        "team", "reached", "why not", "debian", "kernel", "clock ahead ms", "status",
    )  # fmt: skip
    rows = []
    for one in hosts:
        site, answer = one.site, seen.get(one.name)
        status = worst(each.status for each in verdicts if each.host == one.name) if answer else ""
        said = ("not asked", "", "", "", "")
        if answer is not None:
            reached = "yes" if answer.reached else "no"
            offset = str(answer.offset_ms) if answer.reached else ""
            said = (reached, answer.reason, answer.debian, answer.kernel, offset)
        rows.append(
            (
                one.name, one.kind, site.country, site.name, site.facility, site.legal_entity, site.contract,
                one.ipv4.ip, one.ipv6.ip, ", ".join(one.holds), one.team, *said, status,
            )
        )  # fmt: skip
    return table(columns, rows)


def limit(clause: Clause) -> str:
    """How long, in words, where the clause's parameters say it."""
    match clause.parameters:
        case Months(max_months=months):
            return f"{months} months"
        case DeliveryLogs(max_age_days=days) | WebLogs(max_raw_days=days):
            return f"{days} days"
        case Erasure(max_hours=hours):
            return f"{hours} hours after a request"
        case _:
            return ""


def processing(controller: str, hosts: Sequence[Host], duties: Sequence[Obligation]) -> bytes:
    """The record of processing activities of GDPR Article 30(1), (a) to (g), as far as the catalog and the
    inventory know it; what they do not know is left empty."""
    columns = (
        "data", "controller (a)", "purposes (b)", "data subjects (c)", "clauses", "recipients (d)",
        "third countries (e)", "time limits (f)", "security (g)", "hosts",
    )  # fmt: skip
    rows = []
    security = sorted({one.clause.id for one in duties if one.clause.id.startswith(("SEC-", "CNF-"))})
    for data in DataSet:
        held = [one for one in hosts if data in one.holds]
        mine = [one for one in duties if data in one.data]
        if not held:
            continue
        clauses = list({one.clause.id: one.clause for one in mine}.values())
        purposes = sorted({str(each) for one in clauses for each in one.purposes})
        limits = [f"{one.id}: {limit(one)}" for one in clauses if limit(one)]
        operators = sorted({f"{one.site.legal_entity} ({one.site.facility})" for one in held})
        abroad = sorted({str(one.site.country) for one in held if one.site.country is not Country.NO})
        rows.append(
            (
                data, controller, ", ".join(purposes), SUBJECTS[data], ", ".join(one.id for one in clauses),
                "; ".join(operators), ", ".join(abroad), "; ".join(limits), ", ".join(security),
                ", ".join(one.name for one in held),
            )
        )  # fmt: skip
    return table(columns, rows)


def egress(hosts: Sequence[Host]) -> bytes:
    """What the roles declare may leave each host. The firewall lets nothing else out (LOG-05)."""
    columns = ("host", "country", "role", "user", "protocol", "port", "purpose")
    rows = [
        (one.name, one.site.country, role.name, way.user, way.protocol, way.port, way.purpose)
        for one in hosts
        for role in roles_of(one)
        for way in sorted(role.egress(one))
    ]
    return table(columns, rows)


def cookies() -> bytes:
    """The closed list of cookies (COK-02). ``max_days`` 0: until the browser closes."""
    found = parameters("COK-02", Cookies).cookies
    rows = [(one.name, one.set_by, one.purpose, one.max_days) for one in found]
    return table(("name", "set by", "purpose", "max days"), rows)


def clauses(catalog: Catalog, status: Mapping[str, Status]) -> bytes:
    columns = (
        "clause", "kind", "section", "promise", "norsk", "interpretation", "data", "locations", "limit",
        "gdpr", "nist 800-53r5", "iso 27001:2022", "rfc", "severity", "law", "status",
    )  # fmt: skip
    rows = [
        (
            one.id, one.kind, one.section, one.english.strip(), one.norwegian.strip(),
            one.interpretation.strip(), ", ".join(one.data), ", ".join(one.locations), limit(one),
            ", ".join(one.gdpr), ", ".join(one.nist), ", ".join(one.iso27001), ", ".join(one.rfc),
            one.severity, one.legal, status.get(one.id, "not in this run"),
        )
        for one in catalog
    ]  # fmt: skip
    return table(columns, rows)


def waivers(found: Sequence[Waiver]) -> bytes:
    columns = (
        "id", "clause", "hosts", "reason", "risk", "owner", "approver", "created", "expires",
        "compensating", "ticket",
    )  # fmt: skip
    rows = [
        (
            one.id, one.clause, ", ".join(one.hosts), one.reason, one.risk, one.owner, one.approver,
            one.created, one.expires, one.compensating, one.ticket,
        )
        for one in found
    ]  # fmt: skip
    return table(columns, rows)


def attestations(found: Iterable[Attestation]) -> bytes:
    columns = ("clause", "statement", "by", "role", "made", "expires", "document sha256", "method")
    rows = [
        (one.clause, one.statement, one.by, one.role, one.made, one.expires, one.document, one.method)
        for one in found
    ]
    return table(columns, rows)
