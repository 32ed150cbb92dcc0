"""`surefill candles fetch`: public candles into CSV files, continued where a file ends, with what is missing told."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress, TextColumn, TimeRemainingColumn

from local.backtest.candle_files import COLUMNS, read_candles
from local.errors import LocalError
from surefill.adapters.clocks import WallClock
from surefill.adapters.memory import MemoryStore
from surefill.adapters.venues import PROFILES, RealVenues
from surefill.domain.orders import VenueError
from surefill.domain.times import from_milliseconds, parse_time, timeframe_seconds, to_milliseconds
from surefill.settings import VenueHosts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from surefill.adapters.credentials import Credentials
    from surefill.ports import MarketData

# Rows asked for in one go: what Binance gives at most.
_PAGE = 1_000
_HEADER = ",".join(COLUMNS)


def run_fetch(
    *,
    venue: str,
    symbols: Sequence[str],
    timeframe: str,
    since: str,
    until: str | None,
    folder: Path,
    url: str | None,
) -> int:
    """The whole command; its exit code. Raises LocalError with one sentence."""
    data = public_data(venue, url=url)
    length_ms = _length_ms(timeframe)
    first_ms = _moment_ms(since, option="--since")
    try:
        now_ms = to_milliseconds(data.server_time())
    except VenueError as error:
        raise LocalError(f"{venue} does not answer: {error}") from None
    last_ms = now_ms if until is None else min(_moment_ms(until, option="--until"), now_ms)
    if first_ms >= last_ms:
        raise LocalError(f"--since must be before --until and before now, was {since!r}")
    folder.mkdir(parents=True, exist_ok=True)
    columns = (TextColumn("{task.description}"), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for symbol in symbols:
            path = folder / f"{symbol.replace('/', '-')}-{timeframe}.csv"
            task = progress.add_task(symbol, total=max(last_ms - first_ms, 1))
            fetch_file(
                path,
                data=data,
                symbol=symbol,
                timeframe=timeframe,
                span=(_up_to_grid(first_ms, length_ms), last_ms),
                tell=lambda at_ms, task=task: progress.update(task, completed=at_ms - first_ms),  # type: ignore[misc]
            )
            sys.stdout.write(_summary(path, symbol=symbol) + "\n")
    return 0


def public_data(venue: str, *, url: str | None) -> MarketData:
    """Public data of a venue, without keys. `url` is another address of its API: one on this machine."""
    if venue not in PROFILES:
        raise LocalError(f"--venue must be one of {', '.join(sorted(PROFILES))}, was {venue!r}")
    hosts = {venue: VenueHosts(endpoint=url, hosts=())}
    venues = RealVenues(hosts=hosts, secrets=_NoSecrets(), secret_prefix="", store=MemoryStore(), clock=WallClock())
    return venues.market_data(venue)


def fetch_file(
    path: Path,
    *,
    data: MarketData,
    symbol: str,
    timeframe: str,
    span: tuple[int, int],
    tell: Callable[[int], None] = lambda at_ms: None,
) -> None:
    """Append the candles of `span` (ms, first included, last left out) that are closed and not in the file yet."""
    length_ms = _length_ms(timeframe)
    first_ms, last_ms = span
    at_ms = max(first_ms, _begin_or_continue(path, length_ms=length_ms))
    with path.open("a", newline="", encoding="ascii") as file:
        writer = csv.writer(file, lineterminator="\n")
        while at_ms + length_ms <= last_ms:
            end_ms = min(at_ms + _PAGE * length_ms, last_ms)
            rows = _page(data, symbol=symbol, timeframe=timeframe, at_ms=at_ms, end_ms=end_ms)
            closed = [row for row in rows if at_ms <= row[0] and row[0] + length_ms <= last_ms]
            writer.writerows([int(row[0]), *(repr(float(value)) for value in row[1:6])] for row in closed)
            file.flush()
            at_ms = end_ms if not closed else max(end_ms - end_ms % length_ms, int(closed[-1][0]) + length_ms)
            tell(at_ms)


def _page(data: MarketData, *, symbol: str, timeframe: str, at_ms: int, end_ms: int) -> Sequence[Sequence[float]]:
    try:
        return data.candle_rows(
            symbol=symbol,
            timeframe=timeframe,
            until=from_milliseconds(end_ms),
            limit=min(_PAGE, -(-(end_ms - at_ms) // _length_ms(timeframe))),
        )
    except VenueError as error:
        raise LocalError(f"candles of {symbol}: {error}; what was fetched is kept, run it again to go on") from None


def _begin_or_continue(path: Path, *, length_ms: int) -> int:
    """Open time of the first candle that is missing at the end of the file; a line cut short is taken off."""
    if not path.exists() or path.stat().st_size == 0:
        path.write_text(_HEADER + "\n", encoding="ascii")
        return 0
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    lines = whole.splitlines()
    if not lines or lines[0].decode("ascii", errors="replace") != _HEADER:
        raise LocalError(f"{path}: is there and no file of candles to be continued, expected the header {_HEADER}")
    if len(whole) != len(content):
        path.write_bytes(whole)
    if len(lines) == 1:
        return 0
    try:
        return int(lines[-1].split(b",")[0]) + length_ms
    except ValueError:
        raise LocalError(f"{path}, row {len(lines)}: {lines[-1]!r} is no candle, expected {_HEADER}") from None


def _summary(path: Path, *, symbol: str) -> str:
    rows = path.read_bytes().count(b"\n") - 1
    if rows < 2:
        return f"{path}: {rows} candles of {symbol}"
    history = read_candles(path, symbol=symbol)
    gaps = history.gaps()
    first = from_milliseconds(int(history.opened_ms[0]))
    last = from_milliseconds(int(history.opened_ms[-1]) + history.length_ms)
    missing = (
        f"; {gaps.missing} missing in {gaps.count} gaps, the longest {gaps.longest}"
        f" from {gaps.longest_from:%Y-%m-%d %H:%M}"
        if gaps.longest_from is not None
        else ", no gaps"
    )
    return f"{path}: {rows:,} candles of {symbol}, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}{missing}"


class _NoSecrets:
    """Implements `credentials.Secrets`: public data needs none."""

    def credentials(self, secret_name: str) -> Credentials:
        raise AssertionError("public data is read without keys")


def _length_ms(timeframe: str) -> int:
    try:
        return timeframe_seconds(timeframe) * 1_000
    except ValueError as error:
        raise LocalError(f"--timeframe: {error}") from None


def _up_to_grid(moment_ms: int, length_ms: int) -> int:
    return -(-moment_ms // length_ms) * length_ms


def _moment_ms(text: str, *, option: str) -> int:
    try:
        return to_milliseconds(parse_time(text if "T" in text else f"{text}T00:00:00Z"))
    except ValueError:
        raise LocalError(f"{option} must be a date or an ISO 8601 time with a zone, was {text!r}") from None
