"""Addresses, passwords, and the operator's side of the account store."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postvakt import accounts
from postvakt.accounts import ALPHABET, Account, AccountError, Store, generate_password
from postvakt.onhost.accounts import (
    FIELDS,
    RefusalError,
    arguments,
    read_fields,
    read_password,
    read_said,
    split,
)
from postvakt.ssh import Done

MIGRATION = (
    Path(__file__).resolve().parents[2] / "templates/accounts/usr/share/postvakt/accounts/001-accounts.sql.j2"
)


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("Kari@Postvakt.Example", ("kari", "postvakt.example")),
        ("kari.nordmann@postvakt.example", ("kari.nordmann", "postvakt.example")),
        (" kari_nordmann-2@postvakt.example ", ("kari_nordmann-2", "postvakt.example")),
        ("k" * 64 + "@postvakt.example", ("k" * 64, "postvakt.example")),
    ],
)
def test_addresses_are_taken_in_lower_case(address: str, parts: tuple[str, str]) -> None:
    assert split(address) == parts


@pytest.mark.parametrize(
    "address",
    [
        "kari",
        "@postvakt.example",
        "kari@",
        "kari@localhost",
        "kari@-bad.example",
        ".kari@postvakt.example",
        "kari.@postvakt.example",
        "ka..ri@postvakt.example",
        "kari+x@postvakt.example",
        "kari nordmann@postvakt.example",
        '"kari"@postvakt.example',
        "kari\n@postvakt.example",
        "kåre@postvakt.example",
        "../kari@postvakt.example",
        "k" * 65 + "@postvakt.example",
        "-kari@postvakt.example",
        "o'hara@postvakt.example",
        "kari%elsewhere.example@postvakt.example",
        "kari@postvakt.example.",
        "kari@198.51.100.10",
        "kari@" + "a" * 64 + ".example",
        "k" * 64 + "@" + ".".join(["a" * 63] * 3) + ".example",
        "kari@" + "a" * 250 + ".example",
    ],
)
def test_what_is_no_mailbox_is_refused(address: str) -> None:
    with pytest.raises(RefusalError) as refused:
        split(address)
    assert refused.value.code == 2
    assert len(str(refused.value).splitlines()) <= 2


@given(st.text())
def test_any_text_is_split_or_refused(text: str) -> None:
    try:
        localpart, domain = split(text)
    except RefusalError:
        return
    assert f"{localpart}@{domain}" == text.strip().lower()
    assert set(localpart) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    assert set(domain) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    assert len(text.strip()) <= 254


def test_passwords_are_long_and_never_the_same() -> None:
    made = {generate_password() for _ in range(200)}
    assert len(made) == 200
    for one in made:
        assert len(one.replace("-", "")) * 5 >= 125
        assert set(one) <= set(ALPHABET) | {"-"}


def test_a_foreign_address_may_be_any_dot_string() -> None:
    assert split("O'Hara+post@elsewhere.example", ours=False) == ("o'hara+post", "elsewhere.example")
    with pytest.raises(RefusalError):
        split("o'hara post@elsewhere.example", ours=False)


def test_both_sides_and_the_table_know_the_same_fields() -> None:
    """REG-01: what is known of a subscriber is said once more by each of them."""
    (table,) = re.findall(r"CREATE TABLE account \((.*?)\n\);", MIGRATION.read_text(), re.DOTALL)
    columns = re.findall(r"^    ([a-z_]+) (?:text|uuid|timestamptz)", table, re.MULTILINE)
    own = ["id", "localpart", "domain", "password", "plan", "state", "created"]
    assert columns == [*own, *FIELDS]
    assert accounts.FIELDS == FIELDS
    assert set(FIELDS) <= set(Account.__dataclass_fields__)


def test_fields_are_read() -> None:
    said = {
        "first_name": " Kåre ",
        "company": "",
        "country": "NO",
        "alternative_address": "k+x@e.example",
    }
    assert read_fields(said) == ["Kåre", None, None, None, "NO", "k+x@e.example"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("country", "Norway"),
        ("country", "no"),
        ("first_name", "K" * 201),
        ("last_name", "Nord\nmann"),
        ("alternative_address", "nowhere"),
    ],
)
def test_fields_that_are_none_are_refused(name: str, value: str) -> None:
    with pytest.raises(RefusalError) as refused:
        read_fields({name: value})
    assert refused.value.code == 2


def typed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_what_is_said_is_one_json_object_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, '{"password": "snø på fjellet", "country": "NO"}'.encode())
    said = read_said()
    assert read_password(said) == "snø på fjellet"
    assert said["country"] == "NO"


@pytest.mark.parametrize(
    "data",
    [b"", b"snow on the mountain", b"[]", b'{"password": 7}', b'{"pass": 1}', b'"\xff"', b"\xff" * 20],
)
def test_anything_else_is_refused(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    typed(monkeypatch, data)
    with pytest.raises(RefusalError) as refused:
        read_said()
    assert refused.value.code == 2
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("password", ["", "short", "x" * 257, "tab\tin the middle", "two lines\nof words"])
def test_what_is_no_password_is_refused(password: str) -> None:
    with pytest.raises(RefusalError) as refused:
        read_password({"password": password})
    assert refused.value.code == 2


def test_wrong_usage_is_bad_input_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in ([], ["remove", "kari@postvakt.example"], ["add"], ["add", "a@b.example", "--country=NO"]):
        with pytest.raises(SystemExit) as ended:
            arguments(argv)
        assert ended.value.code == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


KARI = Account("5b0c", "kari@postvakt.example", "trial", "active", "2026-01-02T03:04:05+00:00", country="NO")


@dataclass
class Host:
    """Answers like the program on the host, and remembers what it was asked."""

    answer: Done
    asked: list[tuple[list[str], str]] = field(default_factory=list)

    def run(self, command: str | Sequence[str], *, stdin: str | bytes = b"", sudo: bool = False) -> Done:
        assert sudo
        assert isinstance(stdin, str)
        self.asked.append((list(command), stdin))
        return self.answer


def saying(answer: object) -> Host:
    return Host(Done(0, json.dumps(answer), ""))


def test_what_is_personal_travels_on_standard_input_alone() -> None:
    host = saying(asdict(KARI))
    fields = {"first_name": None, "country": "NO"}
    made = Store(host).add(KARI.address, "one-two-three", plan="trial", fields=fields)
    assert made == KARI
    ((argv, stdin),) = host.asked
    assert argv == [accounts.PROGRAM, "add", KARI.address]
    assert json.loads(stdin) == {"password": "one-two-three", "plan": "trial", "country": "NO"}
    assert vars(arguments(argv[1:]))["address"] == KARI.address


def test_a_password_of_two_lines_does_not_leave() -> None:
    host = saying(asdict(KARI))
    with pytest.raises(AccountError):
        Store(host).add(KARI.address, "one-two\nthree", plan="trial", fields={})
    with pytest.raises(AccountError):
        Store(host).set_password(KARI.address, "one-two\nthree")
    assert host.asked == []


def test_accounts_are_listed_and_shown() -> None:
    short = {name: value for name, value in asdict(KARI).items() if name not in FIELDS}
    assert [one.address for one in Store(saying([short])).all()] == [KARI.address]
    assert Store(saying(asdict(KARI))).show(KARI.address).fields()["company"] == ""
    assert Store(saying(asdict(KARI))).set_password(KARI.address, "one-two-three") == KARI


@pytest.mark.parametrize(
    "answer",
    [
        Done(3, "", "kari@postvakt.example is taken\n"),
        Done(5, "", ""),
        Done(0, "", ""),
        Done(0, "[1, 2]", ""),
        Done(0, '{"address": "kari@postvakt.example"}', ""),
    ],
)
def test_what_goes_wrong_is_one_line(answer: Done) -> None:
    store = Store(Host(answer))
    with pytest.raises(AccountError) as shown:
        store.show(KARI.address)
    with pytest.raises(AccountError) as listed:
        store.all()
    for error in (shown, listed):
        assert len(str(error.value).splitlines()) == 1
        assert not answer.err or str(error.value) == answer.err.strip()
