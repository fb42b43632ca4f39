"""Drawings for the report, as inline SVG: the estate's map and the timelines of retention.

Everything is as wide as a phone; a wider page sets several side by side. Colours are the page's own
classes, so that they follow light and dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from deploy.kinds import roles_of
from postvakt.inventory import NORWAY_ONLY, Host

WIDTH = 328
LINE = 17
PAD = 12
LONGEST = 45
"""Characters that fit on a line of a drawing."""


@dataclass(frozen=True)
class Age:
    """How old the oldest record on a host is, in days."""

    host: str
    days: float


def _svg(title: str, height: int, parts: Sequence[Markup]) -> Markup:
    return Markup('<svg role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>').format(
        title, WIDTH, height, Markup("").join(parts)
    )


def _text(x: float, y: float, text: str, kind: str = "") -> Markup:
    shown = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return Markup('<text x="{:.0f}" y="{:.0f}" class="{}">{}</text>').format(x, y, kind, shown)


def _box(x: float, y: float, width: float, height: float, kind: str) -> Markup:
    form = '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="4" class="{}"/>'
    return Markup(form).format(x, y, width, height, kind)


def country(name: str, hosts: Sequence[Host]) -> Markup:
    """The hosts of a country: what each holds, and what may leave it."""
    parts: list[Markup] = []
    y = 4
    for host in hosts:
        ways = sorted({way for role in roles_of(host) for way in role.egress(host)})
        ports: dict[str, list[str]] = {}
        for way in ways:
            ports.setdefault(f"{way.user}: {way.purpose}", []).append(f"{way.port}/{way.protocol}")
        height = PAD + LINE * (2 + len(host.holds) + len(ports)) + PAD
        parts += [_box(1, y, WIDTH - 2, height, "host"), _text(PAD, y + PAD + 8, host.name, "strong")]
        parts.append(_text(PAD, y + PAD + 8 + LINE, f"{host.site.facility}", "soft"))
        row = y + PAD + 8 + 2 * LINE
        for data in host.holds:
            mark = "mark kept" if data in NORWAY_ONLY else "mark"
            parts += [_box(PAD, row - 9, 9, 9, mark), _text(PAD + 16, row, str(data))]
            row += LINE
        for why, through in ports.items():
            parts += [
                _text(PAD, row, "→", "way"),
                _text(PAD + 16, row, f"{', '.join(through)} {why}", "soft"),
            ]
            row += LINE
        y += height + 10
    return _svg(name, y, parts)


def timeline(title: str, promise: str, limit_days: float, ages: Sequence[Age], unit: str) -> Markup:
    """A bar a host: the oldest record against the promise."""
    span = max([limit_days, *(one.days for one in ages)]) * 1.08
    room = WIDTH - 4

    def at(days: float) -> float:
        return 2 + room * days / span

    parts = []
    y = 16
    parts.append(
        Markup('<text x="{:.0f}" y="{}" class="soft end">{}</text>').format(at(limit_days), 12, promise)
    )
    for one in ages:
        kind = "bar" if one.days <= limit_days else "bar over"
        parts += [
            _text(2, y + 16, f"{one.host}: {one.days:.2f} {unit}"),
            _box(2, y + 22, at(limit_days) - 2, 10, "track"),
            _box(2, y + 22, max(2.0, at(one.days) - 2), 10, kind),
        ]
        y += 40
    line = '<line x1="{0:.1f}" x2="{0:.1f}" y1="18" y2="{1}" class="limit"/>'
    parts.append(Markup(line).format(at(limit_days), y))
    return _svg(title, y + 6, parts)
