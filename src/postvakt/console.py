"""What a person sees: a live table on a terminal, plain lines everywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
"""Piped into a file, tables keep the width that they need."""
PLAIN_PHASES = ("base image", "boot", "up", "connecting", "packages", "certificate", "stop", "down")
ENDS = ("up", "done", "failed", "down")


class Board:
    """One line a host: what it is at, and for how long. Call it with (host, phase)."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.start = time.monotonic()
        self.rows: dict[str, tuple[str, float, float | None]] = {}
        self.live = Live(get_renderable=self.table, console=console, refresh_per_second=8)

    def __call__(self, host: str, phase: str) -> None:
        now = time.monotonic()
        began = self.rows[host][1] if host in self.rows else now
        self.rows[host] = (phase, began, now if phase in ENDS else None)
        if not console.is_terminal and (phase in PLAIN_PHASES or phase in ENDS):
            console.print(f"{now - self.start:6.1f} s  {host:<12} {phase}", markup=False)

    def __enter__(self) -> Board:
        if console.is_terminal:
            self.live.start()
        else:
            console.print(f"== {self.title}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if console.is_terminal:
            self.live.stop()

    def table(self) -> Table:
        now = time.monotonic()
        table = Table.grid(padding=(0, 2))
        table.title = f"{self.title}  {now - self.start:.0f} s"
        table.title_justify = "left"
        for host, (phase, began, ended) in self.rows.items():
            style = {"failed": "red", "done": "green", "up": "green"}.get(phase, "")
            table.add_row(host, f"{(ended or now) - began:5.1f} s", Text(phase), style=style)
        return table


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table that stays readable when it is piped into a file."""
    shown = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    console.print(shown)


def fail(line: str) -> None:
    """One line on standard error."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"postvakt: {line}", markup=False)
