"""Candle files: CSV or CSV.GZ, read into columns and checked row by row before anything is decided on them.

Columns by name: `timestamp` (open time, ms since 1970 UTC), `open`, `high`, `low`, `close` (quote), `volume` (base).
"""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from local.backtest.candle_cache import keep, kept
from local.backtest.history import PRICES, History, first_boundary
from local.errors import LocalError
from surefill.domain.times import from_milliseconds

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = ("timestamp", *PRICES, "volume")
# Before 2001-09-09 in milliseconds: a smaller number is a time in seconds.
_SMALLEST_MS = 1_000_000_000_000
_UNITS = ((604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def read_candles(path: Path, *, symbol: str) -> History:
    """Read and check a file. Raises LocalError with the file, the row and what was expected there."""
    table = kept(path)
    if table is None:
        table = _checked(path)
        keep(path, table)
    times = table[0].astype(np.int64)
    columns = dict(zip(COLUMNS[1:], table[1:], strict=True))
    return History(symbol=symbol, timeframe=_timeframe(path, times), opened_ms=times, **columns)


def _checked(path: Path) -> Any:
    """The columns of a file, one row each."""
    header, body = _text(path)
    table = np.ascontiguousarray(_table(path, header=header, body=body).T)
    times = table[0].astype(np.int64)
    _check_times(path, times, raw=table[0])
    _check_values(path, dict(zip(COLUMNS[1:], table[1:], strict=True)))
    _timeframe(path, times)
    return table


def timeframe_name(seconds: int) -> str:
    """The name of a candle length: 300 -> "5m"."""
    return next(f"{seconds // size}{unit}" for size, unit in _UNITS if seconds % size == 0)


def _text(path: Path) -> tuple[list[str], bytes]:
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except FileNotFoundError:
        raise LocalError(f"{path}: no such file, expected a CSV or CSV.GZ file of candles") from None
    except (OSError, EOFError, zlib.error) as error:
        raise LocalError(f"{path}: can't be read ({error}), expected a CSV or CSV.GZ file of candles") from None
    first, _, body = content.partition(b"\n")
    return [name.strip().lower() for name in first.decode(errors="replace").split(",")], body


def _table(path: Path, *, header: list[str], body: bytes) -> Any:
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise LocalError(
            f"{path}, row 1: header is {','.join(header)[:80]!r}, expected the columns {','.join(COLUMNS)}"
        )
    places = [header.index(name) for name in COLUMNS]
    lines = body.decode("ascii", errors="replace").splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) < 2:
        raise LocalError(f"{path}: has {len(lines)} candles, expected at least 2")
    if body.count(b",") != len(lines) * (len(header) - 1):
        raise _bad_row(path, lines, header=header)
    try:
        return np.loadtxt(lines, delimiter=",", usecols=places, ndmin=2, comments=None)
    except ValueError:
        raise _bad_row(path, lines, header=header) from None


def _bad_row(path: Path, lines: list[str], *, header: list[str]) -> LocalError:
    for row, line in enumerate(lines, start=2):
        fields = line.split(",")
        if len(fields) != len(header):
            return LocalError(f"{path}, row {row}: has {len(fields)} fields, expected {len(header)}")
        for name, field in zip(header, fields, strict=True):
            if name in COLUMNS and not _is_number(field):
                return LocalError(f"{path}, row {row}: {name} is {field.strip()!r}, expected a number")
    return LocalError(f"{path}: can't be read as numbers, expected the columns {','.join(COLUMNS)}")


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _check_times(path: Path, times: Any, *, raw: Any) -> None:
    wrong = np.flatnonzero(~(np.isfinite(raw) & (raw == times) & (raw >= _SMALLEST_MS)))
    if len(wrong):
        row = int(wrong[0])
        raise LocalError(
            f"{path}, row {row + 2}: timestamp is {raw[row]:.15g}, expected whole milliseconds since 1970 (13 digits)"
        )
    back = np.flatnonzero(np.diff(times) <= 0)
    if len(back):
        row = int(back[0]) + 1
        same = times[row] == times[row - 1]
        raise LocalError(
            f"{path}, row {row + 2}: timestamp {times[row]} {'repeats the' if same else 'is before the'} row above"
            f" ({times[row - 1]}), expected each candle once, oldest first"
        )


def _check_values(path: Path, columns: dict[str, Any]) -> None:
    for name in PRICES:
        # Written so that NaN fails and is found with the rest.
        wrong = np.flatnonzero(~((columns[name] > 0) & (columns[name] < np.inf)))
        if len(wrong):
            row = int(wrong[0])
            raise LocalError(f"{path}, row {row + 2}: {name} is {columns[name][row]}, expected a price above 0")
    wrong = np.flatnonzero(~((columns["volume"] >= 0) & (columns["volume"] < np.inf)))
    if len(wrong):
        row = int(wrong[0])
        raise LocalError(f"{path}, row {row + 2}: volume is {columns['volume'][row]}, expected 0 or more")
    lowest = np.minimum(columns["open"], columns["close"])
    highest = np.maximum(columns["open"], columns["close"])
    wrong = np.flatnonzero((columns["low"] > lowest) | (columns["high"] < highest))
    if len(wrong):
        row = int(wrong[0])
        seen = ", ".join(f"{name} {columns[name][row]}" for name in PRICES)
        raise LocalError(f"{path}, row {row + 2}: {seen}, expected low <= open, close <= high")


def _timeframe(path: Path, times: Any) -> str:
    steps = np.diff(times)
    length = int(steps.min())
    if length % 1_000:
        raise LocalError(f"{path}: candles are {length} ms apart, expected whole seconds")
    odd = np.flatnonzero((times - first_boundary(length)) % length)
    if len(odd):
        row = int(odd[0])
        raise LocalError(
            f"{path}, row {row + 2}: {from_milliseconds(int(times[row])).isoformat()} is inside a"
            f" {timeframe_name(length // 1_000)} candle (the shortest distance in the file), expected its open time"
        )
    return timeframe_name(length // 1_000)
