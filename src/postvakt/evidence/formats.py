"""What pipelines and monitoring read: JUnit XML and a Prometheus textfile."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from xml.etree import ElementTree as Xml

from postvakt.results import Result, Verdict
from postvakt.status import Status

JUNIT = {
    Status.VIOLATED: "failure",
    Status.ATTESTATION_EXPIRED: "failure",
    Status.ERROR: "error",
    Status.NOT_TESTED: "error",
    Status.WAIVED: "skipped",
}
"""JUnit has no word for accepted: a waiver is shown as skipped, with the waiver in its message."""
OLDEST = re.compile(r"\boldest (\d+(?:\.\d+)?) d\b")
"""How a check of retention says the age of the oldest record that it found, in days."""
DAY = 86400


def oldest_days(result: Result) -> float | None:
    """The age in days of the oldest record, where a check looked for it."""
    found = [OLDEST.search(one.observed) for one in result.observations]
    ages = [float(one[1]) for one in found if one]
    return max(ages, default=None)


def junit(verdicts: Sequence[Verdict], began: datetime, name: str) -> bytes:
    """A suite a clause, a case a host; organisational clauses have the provider as their host."""
    root = Xml.Element("testsuites", name=name, tests=str(len(verdicts)))
    for kind in ("failure", "error", "skipped"):
        word = kind if kind == "skipped" else f"{kind}s"
        root.set(word, str(sum(JUNIT.get(one.status) == kind for one in verdicts)))
    for clause in dict.fromkeys(one.clause for one in verdicts):
        mine = [one for one in verdicts if one.clause == clause]
        suite = Xml.SubElement(root, "testsuite", name=clause, tests=str(len(mine)))
        suite.set("timestamp", began.strftime("%Y-%m-%dT%H:%M:%S"))
        for kind in ("failure", "error", "skipped"):
            word = kind if kind == "skipped" else f"{kind}s"
            suite.set(word, str(sum(JUNIT.get(one.status) == kind for one in mine)))
        for one in mine:
            seconds = sum(each.seconds for each in one.results)
            case = Xml.SubElement(suite, "testcase", classname=clause, name=one.host or "the provider")
            case.set("time", f"{seconds:.3f}")
            properties = Xml.SubElement(case, "properties")
            for key, value in (("clause", clause), ("status", one.status), ("host", one.host)):
                Xml.SubElement(properties, "property", name=key, value=str(value))
            if kind := JUNIT.get(one.status, ""):
                Xml.SubElement(case, kind, message=one.reason, type=str(one.status))
    Xml.indent(root)
    text = Xml.tostring(root, encoding="unicode")
    return f"<?xml version='1.0' encoding='utf-8'?>\n{text}\n".encode()


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    said = ",".join(f'{key}="{text}"' for key, text in labels.items())
    return f"{name}{{{said}}} {value:.0f}\n" if said else f"{name} {value:.0f}\n"


def metrics(verdicts: Sequence[Verdict], results: Sequence[Result], ended: datetime) -> bytes:
    """For the textfile collector of the Prometheus node exporter: 1 for the status that a clause has on a
    host, 0 for the others; the age of the oldest record; when the audit ended."""
    lines = [
        "# HELP postvakt_clause_status 1 for the status that the clause has on the host.\n",
        "# TYPE postvakt_clause_status gauge\n",
    ]
    for one in verdicts:
        labels = {"clause": one.clause, "host": one.host}
        lines += [
            _sample("postvakt_clause_status", labels | {"status": str(status)}, one.status is status)
            for status in Status
        ]
    ages: dict[tuple[str, str], float] = {}
    for each in results:
        if (age := oldest_days(each)) is not None:
            pair = each.clause, each.host
            ages[pair] = max(age, ages.get(pair, age))
    if ages:
        lines += [
            "# HELP postvakt_oldest_record_seconds Age of the oldest record that a check found.\n",
            "# TYPE postvakt_oldest_record_seconds gauge\n",
        ]
    for (clause, host), days in ages.items():
        lines.append(_sample("postvakt_oldest_record_seconds", {"clause": clause, "host": host}, days * DAY))
    lines += [
        "# HELP postvakt_audit_end_timestamp_seconds When the audit ended.\n",
        "# TYPE postvakt_audit_end_timestamp_seconds gauge\n",
        _sample("postvakt_audit_end_timestamp_seconds", {}, ended.timestamp()),
    ]
    return "".join(lines).encode()
