"""Templates: one environment for all, strict about names."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = (ROOT / "templates", ROOT / "src" / "postvakt" / "lab" / "world" / "templates")


@cache
def environment() -> Environment:
    # No autoescape: these are configuration files, not web pages.
    return Environment(
        loader=FileSystemLoader([str(folder) for folder in TEMPLATES]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, **values: object) -> str:
    """The text of ``templates/<template>.j2``. ``source`` names the template in the file's header."""
    name = f"{template}.j2"
    source = f"Postvakt wrote this from templates/{name}; what is changed here is undone."
    return environment().get_template(name).render(source=source, **values)
