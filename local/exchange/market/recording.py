"""Candles recorded in a CSV or CSV.GZ file, checked row by row before the first one is used.

Columns: `timestamp` (open time, milliseconds since epoch), `open`, `high`, `low`, `close` (quote per base), `volume`
(base). The candle length is the smallest distance between two rows. Binance publishes at most eight decimals, so
longer numbers (rounding noise of the recorder) are rounded to eight.
"""

from __future__ import annotations

import csv
import gzip
import itertools
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from local.exchange.market.candles import Candle, interval_of_length

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
_EIGHT_DECIMALS = Decimal("0.00000001")
# Before 2001-09-09 in milliseconds; a smaller number is a timestamp in seconds.
_SMALLEST_MS = 1_000_000_000_000


class CandleFileError(Exception):
    """A recording can't be used. The text names the file, the row and what was expected there."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Candles missing from a recording: `candles` of them from `first_missing_ms` on."""

    first_missing_ms: int
    candles: int


class RecordedCandles:
    """The candles of one file, by open time."""

    def __init__(
        self, *, candles: dict[int, Candle], interval_ms: int, price_step: Decimal, gaps: tuple[Gap, ...]
    ) -> None:
        self._candles = candles
        self._interval_ms = interval_ms
        self._price_step = price_step
        self._first_open_ms = next(iter(candles))
        self._end_ms = next(reversed(candles)) + interval_ms
        self.gaps = gaps

    def __len__(self) -> int:
        return len(self._candles)

    @property
    def interval_ms(self) -> int:
        """Length of a recorded candle in milliseconds."""
        return self._interval_ms

    @property
    def price_step(self) -> Decimal:
        """Smallest power of ten in which every recorded price can be written."""
        return self._price_step

    @property
    def first_open_ms(self) -> int:
        """Open time of the first recorded candle."""
        return self._first_open_ms

    @property
    def end_ms(self) -> int:
        """First moment after the last recorded candle."""
        return self._end_ms

    def candle(self, open_ms: int) -> Candle | None:
        """The recorded candle, or None outside the recording and in its gaps."""
        return self._candles.get(open_ms)


def read_recording(path: Path | str, *, allow_gaps: bool = False) -> RecordedCandles:
    """Read and check a recording. Raises CandleFileError, also for gaps unless `allow_gaps`."""
    file = Path(path)
    candles: dict[int, Candle] = {}
    last: int | None = None
    for row, fields in _rows(file):
        candle = _candle(file, row, fields)
        if last is not None and candle.open_ms <= last:
            what = "repeats" if candle.open_ms == last else "goes back behind"
            raise CandleFileError(
                f"{file}, row {row}: timestamp {candle.open_ms} {what} {last} of the row before, "
                "expected rising timestamps"
            )
        candles[candle.open_ms] = candle
        last = candle.open_ms
    if len(candles) < 2:
        raise CandleFileError(f"{file}, row {len(candles) + 1}: has {len(candles)} candles, expected at least 2")
    interval_ms = _interval(file, candles)
    gaps = tuple(_gaps(file, candles, interval_ms))
    if gaps and not allow_gaps:
        first = gaps[0]
        raise CandleFileError(
            f"{file}, row {_row_of(candles, first.first_missing_ms, interval_ms)}: {first.candles} candles missing "
            f"from {first.first_missing_ms} on ({len(gaps)} gaps in the file), "
            f"expected one candle every {interval_ms} ms; "
            "allow gaps to use the file as it is"
        )
    return RecordedCandles(candles=candles, interval_ms=interval_ms, price_step=_price_step(candles), gaps=gaps)


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Data rows with their line numbers in the file (the header is line 1), in the order of COLUMNS."""
    compressed = file.suffix == ".gz"
    try:
        with gzip.open(file, "rt", newline="") if compressed else file.open("rt", newline="") as text:
            reader = csv.reader(text)
            header = [name.strip().lower() for name in next(reader, [])]
            missing = [name for name in COLUMNS if name not in header]
            if missing:
                raise CandleFileError(
                    f"{file}, row 1: header is {','.join(header) or 'empty'}, expected the columns {','.join(COLUMNS)}"
                )
            places = [header.index(name) for name in COLUMNS]
            for row, fields in enumerate(reader, start=2):
                if len(fields) != len(header):
                    raise CandleFileError(f"{file}, row {row}: has {len(fields)} fields, expected {len(header)}")
                yield row, [fields[place] for place in places]
    except FileNotFoundError:
        raise CandleFileError(f"{file}, row 1: no such file, expected a CSV or CSV.GZ file of candles") from None
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as problem:
        kind = "gzip-compressed CSV" if compressed else "CSV"
        raise CandleFileError(f"{file}, row 1: can't be read ({problem}), expected {kind} text") from problem


def _candle(file: Path, row: int, fields: list[str]) -> Candle:
    if not fields[0].strip().isdigit():
        raise CandleFileError(f"{file}, row {row}: timestamp is {fields[0]!r}, expected whole milliseconds since 1970")
    open_ms = int(fields[0])
    if open_ms < _SMALLEST_MS:
        raise CandleFileError(
            f"{file}, row {row}: timestamp is {open_ms}, expected milliseconds since 1970 (13 digits), not seconds"
        )
    numbers = [_number(file, row, name, text) for name, text in zip(COLUMNS[1:], fields[1:], strict=True)]
    opened, high, low, closed, volume = numbers
    if not low <= opened <= high or not low <= closed <= high:
        raise CandleFileError(
            f"{file}, row {row}: open {opened}, high {high}, low {low}, close {closed}, "
            "expected low <= open, close <= high"
        )
    quote_volume = (volume * (high + low) / 2).quantize(_EIGHT_DECIMALS)
    return Candle(open_ms, opened, high, low, closed, volume, quote_volume)


def _number(file: Path, row: int, name: str, text: str) -> Decimal:
    wanted = "a number of at least 0" if name == "volume" else "a number above 0"
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise CandleFileError(f"{file}, row {row}: {name} is {text!r}, expected {wanted}") from None
    if not number.is_finite() or number < 0 or (number == 0 and name != "volume"):
        raise CandleFileError(f"{file}, row {row}: {name} is {text}, expected {wanted}")
    if len(text) <= 9 and "e" not in text.lower():  # too short to have more than eight decimals
        return number
    rounded = number.quantize(_EIGHT_DECIMALS, ROUND_HALF_EVEN)
    if rounded == 0 and number != 0 and name != "volume":
        raise CandleFileError(f"{file}, row {row}: {name} is {text}, expected at least {_EIGHT_DECIMALS:f}")
    return rounded if rounded != number else number


def _interval(file: Path, candles: dict[int, Candle]) -> int:
    times = list(candles)
    length = min(later - earlier for earlier, later in itertools.pairwise(times))
    interval = interval_of_length(length)
    if interval is None:
        raise CandleFileError(
            f"{file}, row 3: rows are {length} ms apart, expected the length of a Binance interval (60000 for 1m, ...)"
        )
    for row, time in enumerate(times, start=2):
        if interval.floor(time) != time:
            raise CandleFileError(
                f"{file}, row {row}: timestamp {time} is inside a {interval.name} candle, "
                f"expected its open time {interval.floor(time)}"
            )
    return length


def _gaps(file: Path, candles: dict[int, Candle], interval_ms: int) -> Iterator[Gap]:
    times = list(candles)
    for earlier, later in itertools.pairwise(times):
        missing = (later - earlier) // interval_ms - 1
        if missing:
            yield Gap(first_missing_ms=earlier + interval_ms, candles=missing)


def _row_of(candles: dict[int, Candle], first_missing_ms: int, interval_ms: int) -> int:
    """Line number of the row that follows a gap."""
    return list(candles).index(first_missing_ms - interval_ms) + 3


def _price_step(candles: dict[int, Candle]) -> Decimal:
    """The power of ten that every price is a multiple of, at least eight decimals deep."""
    step, places = Decimal(1), 0
    for candle in candles.values():
        for price in (candle.open, candle.high, candle.low, candle.close):
            while places < 8 and price.quantize(step) != price:
                places += 1
                step = Decimal(1).scaleb(-places)
    return step
