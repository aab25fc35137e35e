"""How the demo shows on a terminal: a line a phase with its time, bars for what takes long, tables of sums."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table


class Terminal:
    """Writes the story; on a pipe it stays plain lines."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.console = Console(highlight=False)
        self._seconds = seconds

    @contextmanager
    def phase(self, name: str, title: str) -> Iterator[None]:
        """Show a phase while it lasts and note its seconds."""
        began = time.monotonic()
        self.console.print(f"[bold]{title}[/bold]")
        yield
        took = time.monotonic() - began
        self._seconds[name] = round(self._seconds.get(name, 0.0) + took, 2)
        self.console.print(f"  [dim]{took:.1f} s[/dim]")

    def say(self, text: str) -> None:
        """Write one line below the present phase."""
        self.console.print(f"  {text}")

    @contextmanager
    def bar(self, title: str, total: float) -> Iterator[Callable[[float], None]]:
        """Show a bar; call what is given with how much is done."""
        with Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=36, complete_style="cyan"),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
        ) as shown:
            task = shown.add_task(title, total=max(total, 1))
            yield lambda done: shown.update(task, completed=done)

    def table(self, title: str, rows: Sequence[Sequence[str]], headings: Sequence[str]) -> None:
        """Show a small table; a column of numbers is set to the right."""
        table = Table(title=title, title_justify="left", title_style="bold", pad_edge=False, box=None)
        for place, heading in enumerate(headings):
            numbers = all(row[place].replace(",", "").isdigit() for row in rows)
            table.add_column(heading, justify="right" if numbers else "left")
        for row in rows:
            table.add_row(*row)
        self.console.print()
        self.console.print(table)

    def sums(self, title: str, sums: Mapping[str, int], whole: int) -> None:
        """Show counts as bars that people can compare, largest first."""
        table = Table(title=title, title_justify="left", title_style="bold", pad_edge=False, box=None)
        table.add_column("")
        table.add_column("")
        table.add_column("", justify="right")
        for name, count in sorted(sums.items(), key=lambda item: -item[1]):
            width = round(32 * count / whole) if whole else 0
            table.add_row(name, f"[cyan]{'█' * max(width, 1)}[/cyan]", f"{count:,}")
        self.console.print()
        self.console.print(table)
