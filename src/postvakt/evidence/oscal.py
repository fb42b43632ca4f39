"""The bundle in NIST's Open Security Controls Assessment Language, OSCAL 1.2.1: the catalog of promises,
what each kind of machine does for them, and the results of a run.

Identifiers are made from what they name (UUID version 5), so two runs of an unchanged estate differ in
times alone. OSCAL knows satisfied and not-satisfied only; the whole status stands beside it in a property.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, time
from itertools import groupby
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from postvakt.evidence.found import Found
from postvakt.policy import Catalog, Clause
from postvakt.records import Waiver
from postvakt.results import Result, Verdict
from postvakt.status import Status
from postvakt.terms import Kind

VERSION = "1.2.1"
NAMESPACE = "https://postvakt.example/ns/oscal"
CATALOG_FILE = "catalog.oscal.json"
GOOD = (Status.SATISFIED, Status.ATTESTED, Status.NOT_APPLICABLE)
REASONS = {Status.SATISFIED: "pass", Status.ATTESTED: "pass", Status.VIOLATED: "fail", Status.WAIVED: "fail"}
"""Why a finding is what it is; all else is ``other``."""

Object = dict[str, Any]


def _id(*words: str) -> str:
    return str(uuid5(NAMESPACE_URL, "/".join((NAMESPACE, *words))))


def _when(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _line(text: str) -> str:
    """Text without the line breaks and the outer spaces that OSCAL's strings may not have."""
    return " ".join(text.split())


def _property(name: str, value: object) -> Object:
    return {"name": name, "ns": NAMESPACE, "value": _line(str(value))}


def _metadata(found: Found, title: str) -> Object:
    return {
        "title": title,
        "last-modified": _when(found.ended),
        "version": found.catalog.version.id,
        "oscal-version": VERSION,
    }


def _written(said: Object) -> bytes:
    return (json.dumps(said, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()


def _properties(clause: Clause) -> list[Object]:
    properties = [
        {"name": "label", "value": clause.id},
        _property("kind", clause.kind),
        _property("severity", clause.severity),
        _property("legal-status", clause.legal),
    ]
    for name, values in (
        ("gdpr", clause.gdpr),
        ("nist-sp-800-53r5", clause.nist),
        ("iso-27001-2022-annex-a", clause.iso27001),
        ("rfc", clause.rfc),
        ("data", clause.data),
        ("location", clause.locations),
    ):
        properties += [_property(name, one) for one in values]
    return properties


def _control(clause: Clause) -> Object:
    name = clause.id.lower()
    parts = [{"id": f"{name}_smt", "name": "statement", "prose": _line(clause.english)}]
    if clause.interpretation:
        parts.append({"id": f"{name}_gdn", "name": "guidance", "prose": _line(clause.interpretation)})
    return {"id": name, "title": clause.id, "props": _properties(clause), "parts": parts}


def catalog(found: Found) -> bytes:
    """Every promise as a control; a group for each section of the policy."""
    sections = groupby(found.catalog, lambda one: one.section)
    by_title: dict[str, list[Clause]] = {}
    for title, clauses in sections:
        by_title.setdefault(title, []).extend(clauses)
    groups = [
        {"id": f"section-{number}", "title": title, "controls": [_control(one) for one in clauses]}
        for number, (title, clauses) in enumerate(by_title.items(), 1)
    ]
    uuid = _id("catalog", found.catalog.version.id)
    metadata = _metadata(found, "The promises of the privacy policy")
    return _written({"catalog": {"uuid": uuid, "metadata": metadata, "groups": groups}})


def _component(kind: Kind, clauses: Sequence[Clause]) -> Object:
    requirements = []
    for one in clauses:
        said: Object = {
            "uuid": _id("requirement", kind, one.id),
            "control-id": one.id.lower(),
            "description": _line(one.interpretation),
        }
        if one.settings:
            said["props"] = [_property("setting", setting) for setting in one.settings]
        requirements.append(said)
    implementation = {
        "uuid": _id("implementation", kind),
        "source": CATALOG_FILE,
        "description": f"How hosts of the kind {kind} keep the promises that bind them.",
        "implemented-requirements": requirements,
    }
    return {
        "uuid": _id("component", kind),
        "type": "service",
        "title": str(kind),
        "description": f"A host of the kind {kind} with its roles.",
        "control-implementations": [implementation],
    }


def components(found: Found) -> bytes:
    """Each kind of machine as a component, with the promises that bind it."""
    bound = _bound(found.catalog)
    said = {
        "uuid": _id("component-definition"),
        "metadata": _metadata(found, "The kinds of machines and the promises that bind them"),
        "components": [_component(kind, clauses) for kind, clauses in bound.items()],
    }
    return _written({"component-definition": said})


def _bound(catalog: Catalog) -> dict[Kind, list[Clause]]:
    bound = {kind: [one for one in catalog if one.technical and kind in one.machines] for kind in Kind}
    return {kind: clauses for kind, clauses in bound.items() if clauses}


def _observation(result: Result) -> Object:
    seen = "; ".join(f"expected {one.expected}, observed {one.observed}" for one in result.observations)
    return {
        "uuid": _id("observation", result.clause, result.host, result.check),
        "title": result.check.split("::")[-1],
        "description": _line(seen or result.reason or "nothing was observed"),
        "methods": ["TEST"],
        "subjects": [{"subject-uuid": _id("host", result.host), "type": "inventory-item"}],
        "collected": _when(datetime.fromisoformat(result.started).astimezone(UTC)),
        "props": [_property("status", result.status), _property("host", result.host)],
    }


def _finding(verdict: Verdict, waiver: Waiver | None) -> Object:
    where = verdict.host or "provider"
    finding: Object = {
        "uuid": _id("finding", verdict.clause, where),
        "title": f"{verdict.clause} on {where}",
        "description": _line(verdict.reason or str(verdict.status)),
        "target": {
            "type": "statement-id",
            "target-id": f"{verdict.clause.lower()}_smt",
            "status": {
                "state": "satisfied" if verdict.status in GOOD else "not-satisfied",
                "reason": REASONS.get(verdict.status, "other"),
            },
        },
        "props": [_property("status", verdict.status), _property("host", where)],
    }
    if verdict.results:
        finding["related-observations"] = [
            {"observation-uuid": _id("observation", one.clause, one.host, one.check)}
            for one in verdict.results
        ]
    if waiver is not None and verdict.status is Status.WAIVED:
        finding["related-risks"] = [{"risk-uuid": _id("risk", waiver.id)}]
    return finding


def _risk(waiver: Waiver) -> Object:
    """A broken promise that somebody has accepted for a while."""
    return {
        "uuid": _id("risk", waiver.id),
        "title": f"{waiver.id}: {waiver.clause}",
        "description": _line(waiver.reason),
        "statement": _line(waiver.risk),
        "status": "deviation-approved",
        "deadline": _when(datetime.combine(waiver.expires, time(), UTC)),
        "mitigating-factors": [
            {"uuid": _id("mitigation", waiver.id), "description": _line(waiver.compensating)}
        ],
    }


def results(found: Found) -> bytes:
    """What the run found: an observation a check, a finding for each clause on each host."""
    waived = {(one.clause, host): one for one in found.plan.waivers for host in one.hosts}
    plan = _id("plan")
    hosts = [
        {
            "uuid": _id("host", one.host),
            "description": one.host,
            "props": [_property("reached", "yes" if one.reached else "no")],
        }
        for one in found.seen.values()
    ]
    clauses = dict.fromkeys(one.clause for one in found.verdicts)
    result: Object = {
        "uuid": _id("result", found.plan.estate, _when(found.began)),
        "title": f"Audit of {found.plan.estate}",
        "description": "Every host asked over SSH, every promise judged by what its checks found.",
        "start": _when(found.began),
        "end": _when(found.ended),
        "local-definitions": {"inventory-items": hosts},
        "reviewed-controls": {
            "control-selections": [{"include-controls": [{"control-id": one.lower()} for one in clauses]}]
        },
        "findings": [_finding(one, waived.get((one.clause, one.host))) for one in found.verdicts],
    }
    if found.results:
        result["observations"] = [_observation(one) for one in found.results]
    if found.plan.waivers:
        result["risks"] = [_risk(one) for one in found.plan.waivers]
    said = {
        "uuid": _id("results", found.plan.estate, _when(found.began)),
        "metadata": _metadata(found, f"Audit of {found.plan.estate}"),
        "import-ap": {"href": f"#{plan}"},
        "results": [result],
        "back-matter": {
            "resources": [
                {
                    "uuid": plan,
                    "title": "The plan",
                    "description": "What is checked and how stands in the catalog and in the checks of the "
                    "commit that manifest.json names.",
                }
            ]
        },
    }
    return _written({"assessment-results": said})
