"""How things look: tables, amounts, times, states. Colours only on a terminal; the API's own JSON when asked for."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

NONE = "-"
# Wide enough that a pipe gets every row on one line.
_PIPE_WIDTH = 240
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_GOOD, _MIDDLING, _BAD, _QUIET = "green", "yellow", "bold red", "dim"
_STYLES: Mapping[str, str] = {
    **dict.fromkeys(("ACTIVE", "OK", "OPEN", "FILLED", "ADOPTED", "on", "ok", "yes", "running", "healthy"), _GOOD),
    **dict.fromkeys(
        ("PAUSED", "DRAINING", "OPENING", "CLOSING", "ADDING", "REDUCING", "RESERVED", "SENT", "ACCEPTED", "UNKNOWN",
         "OUT_OF_SYNC", "late"),
        _MIDDLING,
    ),
    **dict.fromkeys(
        ("HALTED", "HELD", "AUTH_FAILED", "off", "no", "NO_NEW", "CLOSE_ALL", "FREEZE", "FAILED", "failed", "stopped",
         "unhealthy"),
        _BAD,
    ),
    **dict.fromkeys(("EMPTY", "VOID"), _QUIET),
}  # fmt: skip
_REASONS: Sequence[tuple[str, str]] = (
    ("decision.", "bold cyan"),
    ("order.filled", _GOOD),
    ("order.", "cyan"),
    ("exit.", "magenta"),
    ("signal.hold", _QUIET),
    ("waiting.", _QUIET),
    ("stopped.", _BAD),
    ("limit.", _MIDDLING),
    ("budget.", _MIDDLING),
    ("gate.", _MIDDLING),
    ("market.", _MIDDLING),
    ("account.", _BAD),
    ("venue.", _BAD),
    ("data.", _BAD),
    ("internal.", _BAD),
)


def console(*, stderr: bool = False) -> Console:
    """The terminal; wide and plain when it is none."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr, highlight=False, markup=False, emoji=False, width=None if stream.isatty() else _PIPE_WIDTH
    )


def print_json(document: Any) -> None:
    """One JSON document, as the API answered it."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    sys.stdout.flush()


def right(name: str) -> Column:
    """A column of amounts."""
    return Column(name, justify="right", no_wrap=True)


def whole(name: str) -> Column:
    """A column that is never wrapped."""
    return Column(name, no_wrap=True)


def table(columns: Sequence[str | Column], rows: Sequence[Sequence[Any]], *, title: str | None = None) -> Table:
    """A table without lines. Cells that are None are shown as "-"."""
    made = Table(
        *(column if isinstance(column, Column) else Column(column, overflow="fold") for column in columns),
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        header_style="bold dim",
    )
    for row in rows:
        made.add_row(*(cell(value) for value in row))
    return made


def facts(pairs: Sequence[tuple[str, Any]]) -> Table:
    """Names and values, one below the other; values that are None are left out."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs:
        if value is not None:
            made.add_row(name, cell(value))
    return made


def cell(value: Any) -> RenderableType:
    """Anything as a cell."""
    if isinstance(value, Text):
        return value
    if value is None or value in ("", [], (), {}):
        return Text(NONE, style=_QUIET)
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, list | tuple):
        return Text(", ".join(str(item) for item in value))
    if isinstance(value, dict):
        return Text(numbers(value))
    return Text(str(value))


def state(value: str | None) -> Text | None:
    """A state in its colour."""
    return None if value is None else Text(value, style=_STYLES.get(value, ""))


def reason(value: str | None) -> Text | None:
    """A reason in the colour of its family."""
    if value is None:
        return None
    return Text(value, style=next((style for start, style in _REASONS if value.startswith(start)), ""))


def decimal(value: Any) -> Decimal | None:
    """An amount of the API; None when it is none."""
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None


def exact(value: Any) -> str | None:
    """An amount to its last digit, thousands apart, without trailing zeros."""
    amount = decimal(value)
    if amount is None:
        return None
    text = f"{amount:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(value: Any) -> str | None:
    """An amount of quote money, to two places."""
    amount = decimal(value)
    return None if amount is None else f"{_to_places(amount):,.2f}"


def _to_places(amount: Decimal) -> Decimal:
    """To two places, the same whatever rounding another library has set for the thread."""
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)


def gain(value: Any) -> Text | None:
    """A profit or loss with its sign, green or red."""
    amount = decimal(value)
    if amount is None:
        return None
    return Text(f"{_to_places(amount):+,.2f}", style=_GOOD if amount > 0 else "red" if amount < 0 else "")


def percent(value: Any, *, signed: bool = False) -> str | None:
    """A number of per cent."""
    amount = decimal(value)
    if amount is None:
        return None
    return f"{amount:+,.2f} %" if signed else f"{exact(amount)} %"


def numbers(values: Mapping[str, Any]) -> str:
    """The numbers behind a decision: "available 20, needed 25"."""
    return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)


def duration(seconds: float) -> str:
    """A time span in its two largest units: "2 h 5 min"."""
    left = int(abs(seconds))
    if left < _MINUTE:
        return f"{left} s"
    if left < _HOUR:
        return f"{left // _MINUTE} min" + (f" {left % _MINUTE} s" if left < 10 * _MINUTE and left % _MINUTE else "")
    if left < _DAY:
        return f"{left // _HOUR} h" + (f" {left % _HOUR // _MINUTE} min" if left % _HOUR >= _MINUTE else "")
    return f"{left // _DAY} d" + (f" {left % _DAY // _HOUR} h" if left % _DAY >= _HOUR else "")


def moment(value: Any) -> datetime | None:
    """A time of the API: ISO 8601, aware."""
    if not isinstance(value, str) or not value:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def when(value: Any, *, now: datetime) -> Text | None:
    """A time in the local zone and how far it is from now: "13:04:05 (3 min ago)", with the date when not today."""
    found = moment(value)
    if found is None:
        return None
    local, today = found.astimezone(), now.astimezone()
    form = "%H:%M:%S" if local.date() == today.date() else "%d %b %H:%M" if local.year == today.year else "%d %b %Y"
    return Text.assemble(local.strftime(form), (f" ({distance(found - now)})", _QUIET))


def at(value: Any, *, now: datetime) -> Text | None:
    """A time in a row of a table: "13:04:05 (3m)", "18 Nov 13:04 (2d)"."""
    found = moment(value)
    if found is None:
        return None
    local, today = found.astimezone(), now.astimezone()
    form = "%H:%M:%S" if local.date() == today.date() else "%d %b %H:%M"
    return Text.assemble(local.strftime(form), (f" ({age(value, now=now)})", _QUIET))


def age(value: Any, *, now: datetime) -> str | None:
    """How long ago in one unit: "3m", "2d"; "in 3m" for what is to come."""
    found = moment(value)
    if found is None:
        return None
    seconds = int((now - found).total_seconds())
    left = abs(seconds)
    for unit, length in (("d", _DAY), ("h", _HOUR), ("m", _MINUTE)):
        if left >= length:
            return f"{'in ' if seconds < 0 else ''}{left // length}{unit}"
    return f"{'in ' if seconds < 0 else ''}{left}s"


def distance(span: timedelta) -> str:
    """How far a moment is: "3 min ago", "in 2 h", "now"."""
    seconds = span.total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"{duration(seconds)} ago" if seconds < 0 else f"in {duration(seconds)}"
