"""Candles and quotes: what a market showed, and whether it is fresh enough to act on."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from surefill.domain.reasons import Reason
from surefill.domain.times import from_milliseconds, timeframe_seconds, to_milliseconds


class CandleError(ValueError):
    """Candles that no decision may rest on: out of order, repeated, or with impossible prices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candles:
    """Closed candles of one symbol, oldest first, in columns. Open times in ms since 1970 UTC, prices in quote.

    Prices are floats on purpose: they feed indicators only. Money is computed from quotes, which are Decimal.
    """

    timeframe: str
    opened_ms: "array[int]"
    open: "array[float]"
    high: "array[float]"
    low: "array[float]"
    close: "array[float]"
    volume: "array[float]"

    def __len__(self) -> int:
        return len(self.opened_ms)

    def closed_at(self) -> datetime:
        """When the newest candle closed."""
        return from_milliseconds(self.opened_ms[-1]) + timedelta(seconds=timeframe_seconds(self.timeframe))


def closed_candles(*, timeframe: str, rows: Sequence[Sequence[float]], tick: datetime) -> Candles:
    """Columns of the rows [open time ms, open, high, low, close, volume] that had closed at `tick`.

    The venue's last row is usually still open and is left out: a decision must not see the future.
    Raises CandleError for rows that are out of order, repeated, or hold prices that can't be.
    """
    length = timeframe_seconds(timeframe) * 1_000
    until = to_milliseconds(tick)
    kept = [row for row in rows if int(row[0]) + length <= until]
    previous = -1
    for row in kept:
        if int(row[0]) <= previous:
            raise CandleError(f"candle times must rise, {from_milliseconds(int(row[0]))} follows a later or equal one")
        previous = int(row[0])
        _check_prices(row)
    columns = [array("d", (float(row[column]) for row in kept)) for column in range(1, 6)]
    return Candles(
        timeframe=timeframe,
        opened_ms=array("q", (int(row[0]) for row in kept)),
        open=columns[0],
        high=columns[1],
        low=columns[2],
        close=columns[3],
        volume=columns[4],
    )


def _check_prices(row: Sequence[float]) -> None:
    _, opened, high, low, close, volume = (float(value) for value in row[:6])
    # Written so that NaN fails every comparison and is refused with the rest.
    if not (0 < low <= min(opened, close) and max(opened, close) <= high < float("inf") and 0 <= volume < float("inf")):
        raise CandleError(f"candle at {from_milliseconds(int(row[0]))} has impossible values {list(row[1:6])}")


def data_problem(candles: Candles, *, tick: datetime, needed: int) -> Reason | None:
    """Why these candles can't carry a decision at `tick`, or None. They may miss at most the newest interval."""
    if len(candles) == 0:
        return Reason.NO_DATA
    if tick - candles.closed_at() > timedelta(seconds=timeframe_seconds(candles.timeframe)):
        return Reason.DATA_STALE
    if len(candles) < needed:
        return Reason.DATA_SHORT
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Best bid and ask of a symbol in quote currency, and when the venue said so."""

    symbol: str
    bid: Decimal
    ask: Decimal
    at: datetime


# A quote older than this, by the venue's own time stamp, is no price to act on.
QUOTE_LIFETIME = timedelta(seconds=60)


def quote_problem(quote: Quote | None, *, now: datetime) -> Reason | None:
    """Why this quote can't be traded on, or None. There is no fallback price."""
    if quote is None or quote.bid <= 0 or quote.ask < quote.bid:
        return Reason.NO_PRICE
    if now - quote.at > QUOTE_LIFETIME:
        return Reason.PRICE_STALE
    return None
