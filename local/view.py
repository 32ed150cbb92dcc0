"""The live view: progress while the stage comes up, then bots, budgets, fills and balances tick by tick.

On a terminal it redraws in place; elsewhere (a log, a pipe) it writes plain lines.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from local.stage.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from rich.console import RenderableType

    from local.frame import Frame

_REFRESHES_PER_SECOND = 8
_PLAIN_EVERY_TICKS = 5
_BOT_COLUMNS = ("bot", "symbol", "price", "last decision", "order", "position")
_BUDGET_COLUMNS = ("budget", "available", "reserved", "deployed", "realised", "open", "trades today", "entries")
_FILL_COLUMNS = ("at", "bot", "symbol", "side", "quantity", "price", "why")


class View(Progress, AbstractContextManager["View"], Protocol):
    """Shows progress first and frames later."""

    def show(self, frame: Frame) -> None:
        """The state after a tick."""
        ...


def view_for(*, plain: bool) -> View:
    """The live view on a terminal, plain lines otherwise or when asked for."""
    console = Console(stderr=True)
    return PlainView() if plain or not console.is_terminal else LiveView(console)


class PlainView:
    """Lines on the error output."""

    def __init__(self) -> None:
        self._seen_fills: set[tuple[str, ...]] = set()

    def __enter__(self) -> View:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put back."""

    def begin(self, step: str) -> None:
        """A step starts."""
        self.say(f"{step} ...")

    def detail(self, text: str) -> None:
        """Left out: a log needs no ticker."""

    def end(self, step: str, *, seconds: float) -> None:
        """A step is done."""
        self.say(f"{step}: {seconds:.1f} s")

    def say(self, sentence: str) -> None:
        """One line."""
        sys.stderr.write(sentence + "\n")
        sys.stderr.flush()

    def show(self, frame: Frame) -> None:
        """New fills at once, a line of state every few ticks."""
        for fill in reversed(frame.fills):
            if fill not in self._seen_fills:
                self._seen_fills.add(fill)
                self.say("fill " + " ".join(fill))
        if frame.ticks % _PLAIN_EVERY_TICKS == 0:
            decisions = ", ".join(f"{reason} {count}" for reason, count in sorted(frame.decisions.items()))
            self.say(
                f"tick {frame.ticks} ({frame.tick:%H:%M}): {frame.entries} entries, {frame.exits} exits recorded; "
                f"decisions: {decisions or 'none yet'}"
            )


class LiveView:
    """One picture on a terminal, redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=_REFRESHES_PER_SECOND, transient=False)
        self._step: str | None = None
        self._last: Frame | None = None

    def __enter__(self) -> View:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.update(render(self._last) if self._last is not None else Text(""))
        self._live.stop()

    def begin(self, step: str) -> None:
        """A step starts."""
        self._step = step
        self._live.update(Text(f"{step} ...", style="bold"))

    def detail(self, text: str) -> None:
        """News from within the step, on the line below it."""
        self._live.update(Text.assemble((f"{self._step} ...", "bold"), f"\n  {text}"))

    def end(self, step: str, *, seconds: float) -> None:
        """A step is done."""
        self._console.print(f"[green]done[/green] {step} [dim]{seconds:.1f} s[/dim]", highlight=False)

    def say(self, sentence: str) -> None:
        """One line above the picture."""
        self._console.print(sentence, highlight=False, markup=False)

    def show(self, frame: Frame) -> None:
        """Redraw."""
        self._last = frame
        self._live.update(render(frame))


def render(frame: Frame) -> RenderableType:
    """The picture of a frame."""
    head = Text.assemble(
        (f"{frame.tick:%Y-%m-%d %H:%M} UTC (virtual)", "bold"),
        f"   tick {frame.ticks}, a minute every {frame.pace_seconds:g} s",
        f", {frame.late_ticks} took longer" if frame.late_ticks else "",
        f"   {frame.entries} entries and {frame.exits} exits recorded",
    )
    parts: list[RenderableType] = [
        head,
        _table(None, _BOT_COLUMNS, frame.bots),
        _table(None, _BUDGET_COLUMNS, frame.budgets),
        _table("last fills", _FILL_COLUMNS, frame.fills),
        Text("exchange " + "; ".join(frame.balances), style="dim"),
    ]
    parts += [Text(failure, style="red") for failure in frame.failures[-2:]]
    return Panel(Group(*parts), title="Surefill, local stage", subtitle="Ctrl-C stops everything")


def _table(title: str | None, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left", expand=True, box=None, header_style="bold dim", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
