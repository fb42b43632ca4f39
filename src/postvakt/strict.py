"""TOML read strictly: what a file says is exactly what a dataclass takes, or it is refused."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from typing import Any, get_args, get_origin, get_type_hints

from postvakt.errors import PostvaktError


class PolicyError(PostvaktError):
    """What is promised, waived or attested cannot be used. One line: which clause, what is wrong."""


def table_of(where: str, text: str, known: Sequence[str]) -> dict[str, Any]:
    """A TOML file with these keys at its top. A key that stands twice is refused by TOML itself."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{where}: {error}") from error
    for name in said:
        if name not in known:
            raise PolicyError(f"{where}: unknown key {name}: it knows {' and '.join(known)}")
    return said


def _typed(where: str, kind: Any, value: Any) -> Any:
    """A TOML value as this type, or PolicyError. ``where`` is the clause and the key."""
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise PolicyError(f"{where}: must be a list")
        each = tuple(_typed(where, get_args(kind)[0], one) for one in value)
        if any(each.count(one) > 1 for one in each):
            raise PolicyError(f"{where}: names something twice")
        return each
    if is_dataclass(kind):
        return record(where, kind, value)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        if value not in [str(one) for one in kind]:
            raise PolicyError(f"{where}: {value!r} is none of {', '.join(kind)}")
        return kind(value)
    if kind is Any or get_origin(kind) is not None:
        return value
    if type(value) is not kind:
        raise PolicyError(f"{where}: {value!r} is not of type {kind.__name__}")
    return value


def record(where: str, kind: Any, table: Any, **given: Any) -> Any:
    """A TOML table as this dataclass, with no key more and none less."""
    if not isinstance(table, dict):
        raise PolicyError(f"{where}: must be a table")
    hints = get_type_hints(kind)
    known = {one.name: one for one in fields(kind) if one.name not in given}
    for name in table:
        if name not in known:
            raise PolicyError(f"{where}: unknown key {name}: it knows {', '.join(known)}")
    for name, one in known.items():
        if name not in table and one.default is MISSING and one.default_factory is MISSING:
            raise PolicyError(f"{where}: {name} is missing")
    return kind(**given, **{name: _typed(f"{where}: {name}", hints[name], table[name]) for name in table})
