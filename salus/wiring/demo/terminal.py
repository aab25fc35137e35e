"""How the demo shows on a terminal: a line a phase with its time, bars for what takes long, tables of sums."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

WIDTH_OF_A_PIPE = 100
_BAR = 24


class Terminal:
    """Writes the story; on a pipe it stays plain lines."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.console = Console(highlight=False)
        if not self.console.is_terminal:
            self.console = Console(highlight=False, width=WIDTH_OF_A_PIPE)
        self._seconds, self._table_above = seconds, False

    @contextmanager
    def phase(self, name: str, title: str) -> Iterator[None]:
        """Show a phase while it lasts and note its seconds."""
        began = time.monotonic()
        if self._table_above:
            self.console.print()
        self._table_above = False
        self.console.print(f"[bold]{title}[/bold]")
        yield
        took = time.monotonic() - began
        self._seconds[name] = round(self._seconds.get(name, 0.0) + took, 2)
        self.console.print(f"  [dim]{took:.1f} s[/dim]")

    def say(self, text: str) -> None:
        """Write one line below the present phase."""
        self.console.print(f"  {text}", soft_wrap=True)

    @contextmanager
    def bar(self, title: str, total: float) -> Iterator[Callable[[float], None]]:
        """Show a bar on a terminal; call what is given with how much is done."""
        if not self.console.is_terminal:
            yield lambda _: None
            return
        with Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=36, complete_style="cyan"),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
        ) as shown:
            task = shown.add_task(title, total=max(total, 1))
            yield lambda done: shown.update(task, completed=done)

    def table(self, title: str, rows: Sequence[Sequence[str]], headings: Sequence[str]) -> None:
        """Show a small table; a column of numbers is set to the right, and nothing is cut off."""
        table = _table(title, has_header=any(headings))
        for place, heading in enumerate(headings):
            numbers = all(row[place].replace(",", "").isdigit() for row in rows)
            table.add_column(heading, justify="right" if numbers else "left", overflow="fold")
        for row in rows:
            table.add_row(*row)
        self._show(table)

    def sums(self, title: str, sums: Mapping[str, int], whole: int) -> None:
        """Show counts as bars that people can compare, largest first."""
        table = _table(title, has_header=False)
        table.add_column()
        table.add_column()
        table.add_column(justify="right")
        for name, count in sorted(sums.items(), key=lambda item: -item[1]):
            width = round(_BAR * count / whole) if whole else 0
            table.add_row(name, f"[cyan]{'█' * max(width, 1)}[/cyan]", f"{count:,}")
        self._show(table)

    def _show(self, table: Table) -> None:
        self.console.print()
        self.console.print(table)
        self._table_above = True


def _table(title: str, *, has_header: bool) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        show_header=has_header,
        header_style="dim",
        pad_edge=False,
        box=None,
    )
