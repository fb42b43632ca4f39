"""Addresses, passwords, and the operator's side of the account store."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postvakt.accounts import ALPHABET, generate_password
from postvakt.onhost.accounts import RefusalError, split


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("Kari@Postvakt.Example", ("kari", "postvakt.example")),
        ("kari.nordmann@postvakt.example", ("kari.nordmann", "postvakt.example")),
        (" o'hara@postvakt.example ", ("o'hara", "postvakt.example")),
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
    assert "/" not in domain
    assert "+" not in localpart


def test_passwords_are_long_and_never_the_same() -> None:
    made = {generate_password() for _ in range(200)}
    assert len(made) == 200
    for one in made:
        assert len(one.replace("-", "")) * 5 >= 125
        assert set(one) <= set(ALPHABET) | {"-"}
