"""No clause has a check that was never seen red."""

from __future__ import annotations

import tomllib
from pathlib import Path

from postvakt.promises import checks

SABOTAGE = Path(__file__).resolve().parents[1] / "sabotage.toml"


def test_every_clause_with_a_check_is_sabotaged() -> None:
    known = checks()
    assert known
    entries = tomllib.loads(SABOTAGE.read_text())["sabotage"]
    assert {one.clause for one in known} == {one["clause"] for one in entries}
    names = {(one.clause, one.host, one.name.split("::")[1].split("[")[0]) for one in known}
    for one in entries:
        for red in one["red"]:
            assert (one["clause"], one["host"], red) in names, f"{one['clause']}: there is no check {red}"
