"""Candles and the intervals Binance offers them in.

Source: Binance spot REST docs, "Kline/Candlestick data": a kline is identified by its open time, its close time is
the last millisecond before the next one opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
# Weekly klines open on Monday; the epoch was a Thursday.
_FIRST_MONDAY_MS = 4 * DAY_MS

_FIXED_INTERVALS: dict[str, int] = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": HOUR_MS,
    "2h": 2 * HOUR_MS,
    "4h": 4 * HOUR_MS,
    "6h": 6 * HOUR_MS,
    "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
    "1w": 7 * DAY_MS,
}


@dataclass(frozen=True, slots=True)
class Candle:
    """One candle. `open_ms` in milliseconds since epoch; prices in quote per base; `volume` in base."""

    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal


@dataclass(frozen=True, slots=True)
class Interval:
    """A kline interval: where the candle around a moment opens, and where the next one does."""

    name: str

    @property
    def length_ms(self) -> int | None:
        """Milliseconds, or None for the calendar month."""
        return _FIXED_INTERVALS.get(self.name)

    def floor(self, moment_ms: int) -> int:
        """Open time of the candle that contains `moment_ms`."""
        length = _FIXED_INTERVALS.get(self.name)
        if length is None:
            moment = datetime.fromtimestamp(moment_ms // SECOND_MS, tz=UTC)
            return int(datetime(moment.year, moment.month, 1, tzinfo=UTC).timestamp()) * SECOND_MS
        offset = _FIRST_MONDAY_MS if self.name == "1w" else 0
        return moment_ms - (moment_ms - offset) % length

    def next(self, open_ms: int) -> int:
        """Open time of the candle after the one that opens at `open_ms`."""
        length = _FIXED_INTERVALS.get(self.name)
        if length is not None:
            return open_ms + length
        return self.floor(open_ms + 32 * DAY_MS)

    def previous(self, open_ms: int) -> int:
        """Open time of the candle before the one that opens at `open_ms`."""
        return self.floor(open_ms - 1)


def find_interval(name: str) -> Interval | None:
    """The interval of that Binance name ("1m" .. "1M"), or None when Binance has no such interval."""
    return Interval(name) if name in _FIXED_INTERVALS or name == "1M" else None


def interval_of_length(length_ms: int) -> Interval | None:
    """The fixed interval that lasts `length_ms`, or None."""
    for name, known in _FIXED_INTERVALS.items():
        if known == length_ms:
            return Interval(name)
    return None


def known_intervals() -> tuple[str, ...]:
    """The names of all intervals, shortest first."""
    return (*_FIXED_INTERVALS, "1M")


def combine(open_ms: int, candles: list[Candle]) -> Candle:
    """One larger candle out of smaller ones in time order. Raises ValueError on an empty list."""
    if not candles:
        raise ValueError(f"no candles to combine at {open_ms}, expected at least one")
    return Candle(
        open_ms=open_ms,
        open=candles[0].open,
        high=max(candle.high for candle in candles),
        low=min(candle.low for candle in candles),
        close=candles[-1].close,
        volume=sum((candle.volume for candle in candles), Decimal(0)),
        quote_volume=sum((candle.quote_volume for candle in candles), Decimal(0)),
    )
