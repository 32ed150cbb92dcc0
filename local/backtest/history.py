"""Recorded candles in columns: what a backtest reads from, with its gaps known and its length changeable."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from local.errors import LocalError
from surefill.domain.candles import Candles
from surefill.domain.times import from_milliseconds, timeframe_seconds

if TYPE_CHECKING:
    from datetime import datetime

PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """Candles missing between the first and the last: how many holes, candles in all, and the longest one."""

    count: int
    missing: int
    longest: int
    longest_from: datetime | None
    first_from: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Candles of one symbol, oldest first. Open times in ms since 1970 UTC (int64), the rest float64 columns."""

    symbol: str
    timeframe: str
    opened_ms: Any
    open: Any
    high: Any
    low: Any
    close: Any
    volume: Any

    def __len__(self) -> int:
        return len(self.opened_ms)

    @property
    def length_ms(self) -> int:
        """Length of one candle in ms."""
        return timeframe_seconds(self.timeframe) * 1_000

    def gaps(self) -> Gaps:
        """What is missing."""
        steps = np.diff(self.opened_ms) // self.length_ms - 1
        holes = np.flatnonzero(steps)
        if not len(holes):
            return Gaps(count=0, missing=0, longest=0, longest_from=None, first_from=None)
        widest = int(holes[np.argmax(steps[holes])])
        return Gaps(
            count=len(holes),
            missing=int(steps.sum()),
            longest=int(steps[widest]),
            longest_from=from_milliseconds(int(self.opened_ms[widest]) + self.length_ms),
            first_from=from_milliseconds(int(self.opened_ms[holes[0]]) + self.length_ms),
        )

    def candles(self) -> Candles:
        """The candles as strategies read them."""
        return Candles(
            timeframe=self.timeframe,
            opened_ms=_as_array("q", self.opened_ms),
            open=_as_array("d", self.open),
            high=_as_array("d", self.high),
            low=_as_array("d", self.low),
            close=_as_array("d", self.close),
            volume=_as_array("d", self.volume),
        )


def between(history: History, *, since_ms: int | None, until_ms: int | None) -> History:
    """Candles that open at or after `since_ms` and before `until_ms`."""
    times = history.opened_ms
    first = 0 if since_ms is None else int(np.searchsorted(times, since_ms))
    last = len(times) if until_ms is None else int(np.searchsorted(times, until_ms))
    return _cut(history, slice(first, max(first, last)))


def resample(history: History, *, timeframe: str) -> History:
    """Longer candles out of shorter ones, on UTC boundaries; begun ones at both ends are left out.

    A longer candle with gaps inside is made of what there is, as a venue does. Raises LocalError when the candles are
    longer than asked for, or do not fit into what is asked for.
    """
    own, wanted = history.length_ms, timeframe_seconds(timeframe) * 1_000
    if own == wanted:
        return history
    if own > wanted or wanted % own:
        raise LocalError(
            f"candles of {history.symbol} are {history.timeframe}: {timeframe} candles can't be made of them, expected"
            f" a file with {timeframe} candles or shorter ones that fit"
        )
    shift = first_boundary(wanted)
    buckets = (history.opened_ms - shift) // wanted
    starts = np.flatnonzero(np.concatenate([[True], buckets[1:] != buckets[:-1]]))
    opened = buckets[starts] * wanted + shift
    first = 0 if history.opened_ms[0] == opened[0] else 1
    last = len(starts) if history.opened_ms[-1] + own == opened[-1] + wanted else len(starts) - 1
    if last <= first:
        raise LocalError(f"candles of {history.symbol} must hold one whole {timeframe} candle, hold none")
    ends = np.concatenate([starts[1:], [len(buckets)]]) - 1
    longer = History(
        symbol=history.symbol,
        timeframe=timeframe,
        opened_ms=opened,
        open=history.open[starts],
        high=np.maximum.reduceat(history.high, starts),
        low=np.minimum.reduceat(history.low, starts),
        close=history.close[ends],
        volume=np.add.reduceat(history.volume, starts),
    )
    return _cut(longer, slice(first, last))


def first_boundary(length_ms: int) -> int:
    """Where candles of this length begin, in ms after 1970-01-01: weeks begin on Mondays, and that was a Thursday."""
    return 4 * 86_400_000 if length_ms % 604_800_000 == 0 else 0


def _cut(history: History, part: slice) -> History:
    columns = {name: getattr(history, name)[part] for name in ("opened_ms", *PRICES, "volume")}
    return History(symbol=history.symbol, timeframe=history.timeframe, **columns)


def _as_array(kind: str, column: Any) -> array[Any]:
    values = array(kind)
    values.frombytes(np.ascontiguousarray(column).tobytes())
    return values
