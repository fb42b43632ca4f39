"""The catalog of promises: what it must hold, and what it refuses."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from deploy.converge import resources_of
from deploy.kinds import roles_of
from deploy.ops import File
from deploy.render import TEMPLATES
from inventories.hosts import HOSTS
from postvakt.inventory import Country, DataSet, InventoryError, Kind
from postvakt.obligations import obligations
from postvakt.policy import CATALOG, PARAMETERS, ClauseKind, PolicyError, catalog, kept_in, load
from postvakt.sentences import digest, sentences

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 24)
TEXT = CATALOG.read_text()

PUBLISHED = (Path(__file__).with_name("policy_sentences.sha256")).read_text().split()
"""SHA-256 of each sentence of the text of 2015-07-01 in order, made from the text, not the catalog."""

PROMISED = {
    "PRV-02": {"min_notice_days": 30},
    "EML-03": {"max_months": 3},
    "EML-04": {"max_months": 6},
    "BAK-02": {"max_months": 6},
    "BAK-03": {"max_months": 6},
    "LOG-02": {"max_age_days": 7},
}
"""The numbers that those sentences name."""


def test_every_sentence_of_the_policy_is_mapped() -> None:
    version = catalog().version
    assert len(PUBLISHED) == len(set(PUBLISHED)) == 68
    assert list(version.sentences) == PUBLISHED
    assert version.limits == PROMISED
    restated = {number for one in catalog() for number in one.sentences}
    assert restated | set(version.informative) == set(range(1, 69))
    assert not restated & set(version.informative)


def test_all_clauses_are_there() -> None:
    kinds = [one.kind for one in catalog()]
    assert kinds.count(ClauseKind.ORGANISATIONAL) == 22
    assert kinds.count(ClauseKind.TECHNICAL) + kinds.count(ClauseKind.DERIVED) == 62
    assert set(PARAMETERS) <= set(catalog().clauses)


def test_a_clause_is_said_in_two_languages_and_mapped() -> None:
    for one in catalog():
        assert one.english != one.norwegian
        assert one.english.endswith(".")
        assert one.norwegian.endswith(".")
        for name in one.nist:
            assert re.fullmatch(r"[a-z]{2}-\d+(\.\d+)?", name), one.id
        for name in one.iso27001:
            assert re.fullmatch(r"[5-8]\.\d+", name), one.id
        for name in one.gdpr:
            assert re.fullmatch(r"\d+(\(\d\))?(\([a-z]\))?", name), one.id
        for name in one.rfc:
            assert re.fullmatch(r"RFC \d+", name), one.id


def test_where_a_clause_is_set_is_where_the_deploy_writes_it() -> None:
    written = {
        (file.path, line.strip())
        for one in HOSTS
        for file in resources_of(one, roles_of(one))
        if isinstance(file, File)
        for line in file.content.splitlines()
    }
    seen = 0
    for clause in catalog():
        for setting in clause.settings:
            path, key = setting.split(" ", 1)
            assert any(file == path and line.startswith(key) for file, line in written), (clause.id, setting)
            seen += 1
    assert seen > 20


def changed(old: str, new: str) -> str:
    assert TEXT.count(old) >= 1, old
    return TEXT.replace(old, new, 1)


def clause_text(name: str) -> str:
    return TEXT[TEXT.index(f"[clause.{name}]") :].split("\n\n")[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('[clause.LOG-02]\nsection', '[clause.LOG-02]\ncolour = 1\nsection', "LOG-02: unknown key colour"),
        ('[clause.LOG-03]', '[clause.LOG-02]', "LOG-02"),
        ('[clause.LOG-03]\nsection', '[clause.LOG-03]\nsection = "x"\nsection', r"policy\.toml: Cannot over"),
        ('[clause.LOG-02]\nsection = "Server logs"', '[clause.LOG-02]\nsection = 7', "LOG-02: section: 7"),
        ('keep_days = 6', 'keep_weeks = 6', "LOG-02: parameters: unknown key keep_weeks"),
        (', keep_days = 6', '', "LOG-02: parameters: keep_days is missing"),
        ('keep_days = 6', 'keep_days = 6.5', "LOG-02: parameters: keep_days: 6.5 is not of type int"),
        ('keep_days = 6', 'keep_days = 7', "LOG-02: .*outlives the promised 7"),
        ('parameters = { max_age_days', 'parameter = { max_age_days', "LOG-02: parameters are missing"),
        ('machines = ["mail"]', 'machines = ["mial"]', "REG-01: machines: 'mial' is none of mail"),
        ('machines = ["mail"]\n', '', "REG-01: machines is missing"),
        ('data = ["delivery-logs"]', 'data = ["delivery-log"]', "LOG-02: data: 'delivery-log' is none"),
        ('sentences = [38]', 'sentences = [99]', "COR-01: there is no sentence 99"),
        ('sentences = [40]', 'sentences = [39]', "no clause restates sentence 40"),
        ('sentences = [40]', 'sentences = [40, 42]', "SUP-01: sentence 42 is said to be informative"),
        ('LOG-02 = { max_age_days = 7 }', 'LOG-99 = { max_age_days = 7 }', "LOG-99: .*not there"),
        ('[clause.DER-01]', '[clause.DER-09]', "DER-09: unknown key parameters"),
        ('[[version]]', '[[text]]', "unknown key text"),
        ('[clause.LOG-02]', '[clause.LOG-02', r"policy\.toml: "),
    ],
)  # fmt: skip
def test_what_is_not_strict_is_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(PolicyError, match=said) as refused:
        load(changed(old, new), TODAY)
    assert len(str(refused.value).splitlines()) == 1


def test_an_interpretation_is_not_left_out() -> None:
    """Of all that is vague in a policy, what it was taken to mean is disputed first."""
    for name in ("BCN-01", "ORG-07"):
        whole = clause_text(name)
        without = re.sub(r'interpretation = ("""(.|\n)*?"""|"[^"\n]*")\n', "", whole)
        assert without != whole
        with pytest.raises(PolicyError, match=f"{name}: interpretation is missing"):
            load(TEXT.replace(whole, without), TODAY)


LATER = """[[version]]
id = "2027-02-01"
announced = 2026-12-01
effective = 2027-02-01
informative = []
sentences = ["{}"]
limits = {{ LOG-02 = {{ max_age_days = 14 }} }}

[clause.PRV-01]"""


def with_later_version(text: str = TEXT, effective: str = "2027-02-01") -> str:
    """The catalog with a second version that allows two weeks of logs and has all sentences of the first."""
    first = text[text.index("informative = [") : text.index("[version.limits]")]
    later = LATER.split("informative")[0] + first + LATER[LATER.index("limits") :].replace("{{", "{")
    later = later.replace("}}", "}").replace("effective = 2027-02-01", f"effective = {effective}")
    return text.replace("[clause.PRV-01]", later, 1)


LOOSE = {
    "max_age_days = 7, rotate_days = 1, keep_days = 6": "max_age_days = 14, rotate_days = 1, keep_days = 13"
}


def loosened(text: str) -> str:
    for old, new in LOOSE.items():
        assert old in text
        text = text.replace(old, new)
    return text


def test_a_loosened_number_waits_for_its_announcement() -> None:
    """PRV-02: not before thirty days after the announcement, and not without one."""
    with pytest.raises(PolicyError, match=r"LOG-02: max_age_days = 14 is looser than the 7 .*announce"):
        load(loosened(TEXT), TODAY)
    announced = with_later_version(loosened(TEXT))
    with pytest.raises(PolicyError, match=r"LOG-02: .*announce a version"):
        load(announced, date(2026, 11, 30))
    for day in (date(2026, 12, 1), date(2027, 1, 31)):
        with pytest.raises(PolicyError, match=r"LOG-02: .*wait until 2027-02-01"):
            load(announced, day)
    assert load(announced, date(2027, 2, 1))["LOG-02"].parameters.max_age_days == 14


def test_a_version_is_announced_in_time() -> None:
    with pytest.raises(PolicyError, match=r"version 2027-02-01: .*not before 2026-12-31"):
        load(with_later_version(effective="2026-12-30"), TODAY)
    found = load(with_later_version(effective="2026-12-31"), date(2026, 12, 30))
    assert (found.version.id, [one.id for one in found.announced]) == ("2015-07-01", ["2027-02-01"])
    with pytest.raises(PolicyError, match="in the order of their dates"):
        load(with_later_version(effective="2014-01-01"), TODAY)
    with pytest.raises(PolicyError, match="no version of the policy is in force on 2015-06-30"):
        load(TEXT, date(2015, 6, 30))


def test_less_notice_is_refused_as_any_looser_number() -> None:
    with pytest.raises(PolicyError, match="PRV-02: min_notice_days = 29 is looser than the 30"):
        load(TEXT.replace("min_notice_days = 30 }\ngdpr", "min_notice_days = 29 }\ngdpr"), TODAY)


def test_a_stricter_number_needs_no_notice() -> None:
    text = TEXT.replace(
        "max_age_days = 7, rotate_days = 1, keep_days = 6", "max_age_days = 5, rotate_days = 1, keep_days = 4"
    )
    assert load(text, TODAY)["LOG-02"].parameters.keep_days == 4


def test_obligations_bind_every_technical_clause_and_cover_every_data_set() -> None:
    found = obligations(catalog(), HOSTS)
    assert {one.clause.id for one in found} == {one.id for one in catalog() if one.technical}
    pairs = {(one.clause.id, one.host.name) for one in found}
    assert ("LOG-02", "mail1.no") in pairs
    assert ("WEB-02", "web1.us") in pairs
    assert ("EML-01", "support1.no") not in pairs
    assert set(DataSet) == {data for one in found for data in one.data}


def test_a_clause_without_a_host_is_refused() -> None:
    with pytest.raises(
        PolicyError, match=r"BAK-01: binds hosts of kind backup, and the inventories have none"
    ):
        obligations(catalog(), [one for one in HOSTS if one.kind != Kind.BACKUP])


def test_data_that_no_clause_covers_is_refused() -> None:
    dns = next(one for one in HOSTS if one.kind == Kind.DNS)
    odd = replace(dns, holds=(*dns.holds, DataSet.SUPPORT_TICKETS))
    others = [one for one in HOSTS if one is not dns]
    with pytest.raises(InventoryError, match=r"host dns1\.no holds support-tickets: no clause"):
        obligations(catalog(), [*others, odd])


def test_what_stays_in_norway_is_what_the_clauses_say() -> None:
    assert kept_in(Country.NO) == {
        DataSet.ACCOUNT_INFORMATION: "ACC-01",
        DataSet.LOGIN_CREDENTIALS: "ACC-01",
        DataSet.MAIL_CONTENT: "EML-01",
        DataSet.SEARCH_INDEXES: "EML-01",
        DataSet.DELIVERY_LOGS: "LOG-04",
        DataSet.USAGE_LOGS: "LOG-04",
        DataSet.SUPPORT_TICKETS: "SUP-01",
        DataSet.CORRESPONDENCE: "SUP-01",
        DataSet.BACKUPS: "BAK-01",
    }


def test_a_text_becomes_sentences() -> None:
    """The rule of docs/auditing.md, on a text of our own."""
    text = (
        "> A note about the text.\n\n# A heading\n\n_Made 1.1.2020. In force\n1.2.2020._\n\n"
        "We keep [logs](https://x.example/) for:\n\n  * one day; or\n  * **two** days.\n\nNo more! “Never.”\n"
    )
    assert sentences(text) == [
        "Made 1.1.2020.", "In force 1.2.2020.", "We keep logs for:", "one day; or two days.", "No more!",
        "“Never.”",
    ]  # fmt: skip
    assert digest("No more!") == "3c3bdea982e207bc7c10b070fe72652daacbe63a52abd64159133e4d28fc1141"


RETENTION = re.compile(
    r"(\b(keep|rotate|retention|maxage|max_?age|expire(?!date))|MaxRetention|MaxFile)(-|_)?\w*\W{1,3}\d",
    re.IGNORECASE,
)
REGION = re.compile(r"""(Country\.[A-Z]{2}\b|country\s*[=!]=\s*["'](NO|US)["']|["'](NO|US)["'])""")
COOKIE = re.compile(r"(__Host-\w+|__Secure-\w+|(session|cookie)_?name\W{1,6}\w)", re.IGNORECASE)


def test_the_rules_of_literals_see_one() -> None:
    for rule, line in (
        (REGION, 'if host.site.country == "NO":'),
        (REGION, "where = Country.US"),
        (COOKIE, "$config['session_name'] = 'roundcube_sessid'"),
        (COOKIE, "Set-Cookie: __Host-sid=1"),
        (RETENTION, "keep_days = 6"),
        (RETENTION, "MaxRetentionSec=6day"),
        (RETENTION, "max_age: 7"),
    ):
        assert rule.search(line), line
    for line in ("MaxRetentionSec={{ logs.keep_days }}day", "max_age=parameters.max_age_days"):
        assert not RETENTION.search(line)


@pytest.mark.parametrize(
    "path",
    [
        *(path for folder in TEMPLATES for path in sorted(folder.rglob("*.j2"))),
        *sorted((ROOT / "roles").glob("*.py")),
    ],
    ids=lambda path: path.name,
)
def test_no_retention_region_or_cookie_is_named_beside_the_catalog(path: Path) -> None:
    text = path.read_text()
    for rule in (REGION, COOKIE, RETENTION):
        assert not rule.search(text), f"{path.name} says what inventories/policy.toml has to say"
