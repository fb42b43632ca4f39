"""A bundle's seal, its linter and its formats, without a host."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from datetime import UTC, date, datetime
from ipaddress import ip_address
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from inventories.hosts import HOSTS, OBLIGATIONS
from postvakt.evidence import changes, formats, seal, tables
from postvakt.evidence.minimal import personal
from postvakt.evidence.seal import EvidenceError
from postvakt.inventory import Operator
from postvakt.results import Observation, Result, Verdict
from postvakt.status import Status

FILES = {"results.jsonl": b'{"clause": "LOG-02"}\n', "clauses.csv": b"clause\r\nLOG-02\r\n"}
STOCK = (
    "ssh-keygen -Y verify -f ../signers -I kari -n postvakt-evidence -s SHA256SUMS.sig <SHA256SUMS"
    " && sha256sum --quiet --strict -c SHA256SUMS"
    " && find . ! -type d ! -path ./SHA256SUMS ! -path ./SHA256SUMS.sig -exec sha256sum {} +"
    " | LC_ALL=C sort -k 2 | diff - SHA256SUMS"
)
"""The commands of docs/auditing.md."""


def operator(folder: Path, name: str, until: date = date.max) -> Operator:
    key = folder / f"key-of-{name}"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    return Operator(name, name, (key.with_name(f"{key.name}.pub").read_text(),), until)


def bundle(folder: Path, *, signed: bool = True, previous: dict[str, str] | None = None) -> Path:
    """A small bundle, put together here from the parts, and the file of those who may sign."""
    kari = operator(folder, "kari")
    (folder / "signers").write_text(seal.allowed_signers([kari]))
    entries = {name: {"sha256": seal.digest(one)} for name, one in FILES.items()}
    said: seal.Json = {"files": entries, "signed_by": "kari" if signed else "", "previous": previous}
    files = FILES | {"manifest.json": seal.canonical(said)}
    files["SHA256SUMS"] = seal.sums(files)
    if signed:
        files["SHA256SUMS.sig"] = seal.sign(files["SHA256SUMS"], folder / "key-of-kari")
    made = folder / "bundle"
    made.mkdir()
    for name, content in files.items():
        (made / name).write_bytes(content)
    return made


def ours(made: Path) -> bool:
    try:
        return seal.verify(made, (made.parent / "signers").read_text()) == "kari"
    except EvidenceError:
        return False


def stock(made: Path) -> bool:
    done = subprocess.run(["bash", "-o", "pipefail", "-c", STOCK], cwd=made, capture_output=True, check=False)
    return done.returncode == 0


def test_a_bundle_verifies_with_and_without_this_tool(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    assert ours(made)
    assert stock(made)


def test_any_changed_byte_is_found(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    paths = sorted(made.iterdir())
    assert len(paths) == len(FILES) + 3
    for path in paths:
        content = path.read_bytes()
        # Of the signature every byte, for its armour has room to spare; of the others the ends and middle.
        places = range(len(content)) if path.suffix == ".sig" else (0, len(content) // 2, len(content) - 1)
        for at in places:
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            assert not ours(made), f"{path.name}, byte {at}"
        middle = len(content) // 2
        for at in (0, middle):
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            assert not stock(made), f"{path.name}, byte {at}"
        path.write_bytes(content)
    assert ours(made)
    assert stock(made)


def test_added_and_removed_files_are_found(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    (made / "SHA256SUMS.more").write_text("")
    assert not ours(made)
    assert not stock(made)
    (made / "SHA256SUMS.more").unlink()
    for path in sorted(made.iterdir()):
        content = path.read_bytes()
        path.unlink()
        assert not ours(made), path.name
        assert not stock(made), path.name
        path.write_bytes(content)
    (made / "results.jsonl").rename(tmp_path / "elsewhere")
    (made / "results.jsonl").symlink_to("../elsewhere")
    assert not ours(made)


def test_a_bundle_of_somebody_else_is_refused(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    operator(tmp_path, "mallory")
    (made / "results.jsonl").write_bytes(b"{}\n")
    said = json.loads((made / "manifest.json").read_bytes())
    said["files"]["results.jsonl"]["sha256"] = seal.digest(b"{}\n")
    (made / "manifest.json").write_bytes(seal.canonical(said))
    inside = {path.name: path.read_bytes() for path in made.iterdir() if "SUMS" not in path.name}
    (made / "SHA256SUMS").write_bytes(seal.sums(inside))
    (made / "SHA256SUMS.sig").write_bytes(seal.sign(seal.sums(inside), tmp_path / "key-of-mallory"))
    with pytest.raises(EvidenceError, match="of no operator"):
        seal.verify(made, (tmp_path / "signers").read_text())


def test_a_signature_may_not_be_taken_away(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    (made / "SHA256SUMS.sig").unlink()
    with pytest.raises(EvidenceError, match="says it is signed by kari, and it is not"):
        seal.verify(made, (tmp_path / "signers").read_text())


def test_an_unsigned_bundle_says_so(tmp_path: Path) -> None:
    assert seal.verify(bundle(tmp_path, signed=False), (tmp_path / "signers").read_text()) == ""


def test_the_chain_is_looked_at(tmp_path: Path) -> None:
    before = tmp_path / "20260101T000000Z-postvakt"
    before.mkdir()
    (before / "manifest.json").write_bytes(b"{}\n")
    previous = {"bundle": before.name, "manifest_sha256": seal.digest(b"{}\n")}
    made = bundle(tmp_path, previous=previous)
    assert ours(made)
    (before / "manifest.json").write_bytes(b'{"another":1}\n')
    with pytest.raises(EvidenceError, match="is not the bundle that it followed"):
        seal.verify(made, (tmp_path / "signers").read_text())


def test_canonical_json_has_one_spelling() -> None:
    assert seal.canonical({"b": [1, True, None], "a": "é\n"}) == b'{"a":"\xc3\xa9\\n","b":[1,true,null]}\n'
    with pytest.raises(EvidenceError, match=r"floating-point number 0\.5"):
        seal.canonical(json.loads('{"a": [0.5]}'))


def test_only_an_operator_of_today_signs(tmp_path: Path) -> None:
    kari, gone = operator(tmp_path, "kari"), operator(tmp_path, "gone", date(2026, 1, 1))
    assert seal.who_signs(tmp_path / "key-of-kari", [kari], date(2026, 11, 24)) == "kari"
    with pytest.raises(EvidenceError, match="of no operator of the inventory"):
        seal.who_signs(tmp_path / "key-of-gone", [kari], date(2026, 11, 24))
    with pytest.raises(EvidenceError, match="valid until 2026-01-01"):
        seal.who_signs(tmp_path / "key-of-gone", [kari, gone], date(2026, 11, 24))
    with pytest.raises(EvidenceError, match="there is no key"):
        seal.who_signs(tmp_path / "nothing", [kari], date(2026, 11, 24))
    (tmp_path / "broken").write_text("no key\n")
    with pytest.raises(EvidenceError, match="does not sign"):
        seal.who_signs(tmp_path / "broken", [kari], date(2026, 11, 24))


OWN = [ip_address("198.51.100.10"), ip_address("2001:db8:47::10")]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("observed kari.nordmann@postvakt.example", "e-mail address"),
        ('"rcpt to: o@x.no"', "e-mail address"),
        ("from 203.0.113.7", "no host's"),
        ("[2001:db8:99::1]:443", "no host's"),
        ("{ARGON2ID}$argon2id$v=19$m=65536$abc", "secret"),
        ("root:$y$j9T$abcdefgh$xyz:1::", "secret"),
        ("password=hunter2hunter2", "secret"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "secret"),
        ("Nov 24 09:53:18 mail1 postfix/smtpd[123]: connect from x", "line of a log"),
        ("2026-11-24T09:53:18.123456+01:00 mail1 dovecot: imap-login", "line of a log"),
        ('- - "GET /secret HTTP/1.1" 200', "line of a log"),
    ],
)
def test_what_is_anybodys_is_refused(line: str, what: str) -> None:
    (found,) = personal({"results.jsonl": f"harmless\n{line}\n".encode()}, OWN)
    assert found.startswith("results.jsonl, line 2: ")
    assert what in found
    assert line not in found


@pytest.mark.parametrize(
    "line",
    [
        "counts: 12 files, the oldest 0.52 d, at 2026-11-24T09:53:18+00:00",
        "openssl s_client -connect 198.51.100.10:993; ss [::]:22 127.0.0.1 0.0.0.0 ::1 2001:db8:47::10",
        "RCPT TO:<postmaster@postvakt.example> as nobody-of-this-name@postvakt.example",
        "systemctl is-active postfix@-.service certbot@mail.timer; chacha20-poly1305@openssh.com",
        "PostgreSQL 17.6 on 09:53:18; $argon2id$% ; std::string ; WHERE password IS NOT NULL",
    ],
)
def test_what_is_nobodys_is_let_through(line: str) -> None:
    assert personal({"a": line.encode()}, OWN) == []


def result(clause: str, host: str, observed: str) -> Result:
    seen = (Observation("7 d", observed),)
    when = "2026-11-24T09:00:00+00:00"
    return Result(clause, host, "test_x", Status.SATISFIED, "host", seen, (), when, 0.5, when, "abc", "")


def test_junit_says_what_is_not_known_as_an_error() -> None:
    statuses = {one: f"host-{one}" for one in Status}
    verdicts = [Verdict("LOG-02", host, status, f"<{status}>") for status, host in statuses.items()]
    root = Xml.fromstring(formats.junit(verdicts, datetime(2026, 11, 24, tzinfo=UTC), "lab"))
    said = {
        case.get("name"): [one.tag for one in case if one.tag != "properties"]
        for case in root.iter("testcase")
    }
    assert said == {
        "host-satisfied": [],
        "host-attested": [],
        "host-not-applicable": [],
        "host-waived": ["skipped"],
        "host-attestation-expired": ["failure"],
        "host-not-tested": ["error"],
        "host-error": ["error"],
        "host-violated": ["failure"],
    }
    assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("2", "2", "1")


def test_metrics_name_one_status_a_host_and_the_oldest_record() -> None:
    verdicts = [Verdict("LOG-02", "mail1.no", Status.VIOLATED, "")]
    results = [
        result("LOG-02", "mail1.no", "the oldest 1.5 d in x"),
        result("LOG-02", "mail1.no", "oldest 2 d"),
    ]
    text = formats.metrics(verdicts, results, datetime.fromtimestamp(1800000000, UTC)).decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    set_to_one = [line for line in lines if line.startswith("postvakt_clause_status") and line.endswith(" 1")]
    assert set_to_one == ['postvakt_clause_status{clause="LOG-02",host="mail1.no",status="violated"} 1']
    assert 'postvakt_oldest_record_seconds{clause="LOG-02",host="mail1.no"} 172800' in lines
    assert lines[-1] == "postvakt_audit_end_timestamp_seconds 1800000000"


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_a_host_that_was_not_reached_is_in_the_inventory() -> None:
    name = HOSTS[0].name
    seen = {name: tables.Seen(name, "no route")}
    verdicts = [Verdict("LOG-02", name, Status.ERROR, "the host was not reached")]
    found = {one["host"]: one for one in rows(tables.inventory(HOSTS, seen, verdicts))}
    assert set(found) == {one.name for one in HOSTS}
    assert (found[name]["reached"], found[name]["why not"], found[name]["status"]) == (
        "no",
        "no route",
        "error",
    )
    assert {one["reached"] for other, one in found.items() if other != name} == {"not asked"}


def test_the_record_of_processing_knows_every_data_set() -> None:
    found = {one["data"]: one for one in rows(tables.processing("Postvakt", HOSTS, OBLIGATIONS))}
    assert set(found) == {data for one in HOSTS for data in one.holds}
    assert "LOG-02: 7 days" in found["delivery-logs"]["time limits (f)"]
    assert found["mail-content"]["third countries (e)"] == ""
    assert found["web-uploads"]["third countries (e)"] == "US"
    assert all(one["purposes (b)"] and one["data subjects (c)"] for one in found.values())


def test_a_spreadsheet_sees_no_formula() -> None:
    assert tables.table(("a",), [("=1+1",), ("-x",), ("fine",)]) == b"a\r\n'=1+1\r\n'-x\r\nfine\r\n"


def test_changes_are_told_in_both_directions() -> None:
    before = {("LOG-02", "a"): "satisfied", ("LOG-02", "gone"): "satisfied", ("ORG-01", ""): "attested"}
    after = {("LOG-02", "a"): "violated", ("ORG-01", ""): "attested", ("LOG-02", "new"): "error"}
    assert changes.changes(before, after) == [
        changes.Change("LOG-02", "a", "satisfied", "violated"),
        changes.Change("LOG-02", "new", changes.ABSENT, "error"),
        changes.Change("LOG-02", "gone", "satisfied", changes.ABSENT),
    ]
