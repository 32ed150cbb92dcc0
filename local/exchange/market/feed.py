"""The market of one symbol over time: price at a moment, candles up to a moment, and jumps made by hand.

Times are milliseconds on the exchange's clock, prices quote per base. Everything here is a function of time, so a
frozen market is simply one that is asked about an earlier moment. Prices change once per second.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from local.exchange.market.candles import SECOND_MS, Candle, Interval, combine
from local.exchange.market.path import CandlePath

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.exchange.market.source import CandleSource

_COMBINED_KEPT = 20_000
_SMALLEST_PRICE = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start_ms` on the price is the recorded one times `factor`, or stands still at `held`."""

    start_ms: int
    factor: Decimal = Decimal(1)
    held: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one base candle in whole seconds, with its lowest and highest price."""

    start_ms: int
    seconds: int
    low: Decimal
    high: Decimal


class PriceFeed:
    """Prices and candles of one symbol."""

    def __init__(self, *, source: CandleSource) -> None:
        self._source = source
        self._interval_ms = source.interval_ms
        self._stretches: list[Stretch] = []
        self._paths: dict[int, CandlePath | None] = {}
        self._combined: dict[tuple[str, int], Candle | None] = {}
        self._last: tuple[int, Decimal | None] = (-1, None)

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """Changes made by hand, oldest first."""
        return tuple(self._stretches)

    def has_market(self, now_ms: int) -> bool:
        """False before the first and after the last candle: nothing can be traded there."""
        first, end = self._source.first_open_ms, self._source.end_ms
        return (first is None or now_ms >= first) and (end is None or now_ms < end)

    def price(self, now_ms: int) -> Decimal | None:
        """Last price at that moment; in a gap and after the end the last one before; None before the beginning."""
        second = now_ms // SECOND_MS
        if self._last[0] != second:
            self._last = (second, self._price(second * SECOND_MS))
        return self._last[1]

    def jump(self, *, now_ms: int, price: Decimal, hold: bool) -> None:
        """Set the price from now on. Held, it stands still; otherwise the market goes on from the new price."""
        base = self._unchanged_price(now_ms)
        if base is None:
            raise ValueError(f"the market has no price at {now_ms}, expected a moment after its first candle")
        changed = Stretch(now_ms, held=price) if hold else Stretch(now_ms, factor=price / base)
        self._change(changed)

    def restore(self, *, now_ms: int) -> None:
        """Back to the candles' own prices from now on."""
        self._change(Stretch(now_ms))

    def klines(
        self, *, interval: Interval, now_ms: int, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[Candle]:
        """Candles by open time, oldest first, the last one still open.

        Rule (Binance spot REST docs, klines): from `start_ms` on if given, otherwise the most recent ones.
        """
        newest = min(now_ms, now_ms if end_ms is None else end_ms)
        first, end = self._source.first_open_ms, self._source.end_ms
        if end is not None:
            newest = min(newest, end - 1)
        oldest = max(0 if first is None else first, 0 if start_ms is None else start_ms)
        found: list[Candle] = []
        if start_ms is not None:
            open_ms = interval.floor(oldest)
            if open_ms < start_ms:
                open_ms = interval.next(open_ms)
            while open_ms <= newest and len(found) < limit:
                self._append(found, interval, open_ms, now_ms)
                open_ms = interval.next(open_ms)
            return found
        open_ms = interval.floor(newest)
        while len(found) < limit and interval.next(open_ms) > oldest and open_ms >= 0:
            self._append(found, interval, open_ms, now_ms)
            open_ms = interval.previous(open_ms)
        found.reverse()
        return found

    def window(self, *, start_ms: int, now_ms: int) -> Candle | None:
        """One candle over everything traded from `start_ms` to now; None when nothing was."""
        parts: list[Candle] = []
        hour = Interval("1h") if self._interval_ms <= 3_600_000 else None
        at = max(start_ms, self._source.first_open_ms or 0)
        at -= at % self._interval_ms
        while at <= now_ms:
            if hour and at == hour.floor(at) and hour.next(at) <= now_ms:
                part, at = self._closed(hour, at), hour.next(at)
            else:
                part, at = self._base(at, now_ms), at + self._interval_ms
            if part is not None:
                parts.append(part)
        return combine(start_ms, parts) if parts else None

    def spans(self, *, after_ms: int, until_ms: int) -> Iterator[Span]:
        """The seconds after `after_ms` up to `until_ms` (both whole seconds), candle by candle, gaps left out."""
        start = after_ms + SECOND_MS
        while start <= until_ms:
            open_ms = start - start % self._interval_ms
            stop = min(until_ms, open_ms + self._interval_ms - SECOND_MS)
            part = self._piece(open_ms, start, stop)
            if part is not None:
                yield Span(start, (stop - start) // SECOND_MS + 1, part.low, part.high)
            start = stop + SECOND_MS

    def _change(self, stretch: Stretch) -> None:
        self._stretches.append(stretch)
        self._last = (-1, None)
        self._combined.clear()

    def _append(self, found: list[Candle], interval: Interval, open_ms: int, now_ms: int) -> None:
        closed = interval.next(open_ms) <= now_ms
        candle = self._closed(interval, open_ms) if closed else self._build(interval, open_ms, now_ms)
        if candle is not None:
            found.append(candle)

    def _closed(self, interval: Interval, open_ms: int) -> Candle | None:
        """A finished candle; remembered, because it never changes again."""
        key = (interval.name, open_ms)
        if key not in self._combined:
            if len(self._combined) > _COMBINED_KEPT:
                self._combined.clear()
            self._combined[key] = self._build(interval, open_ms, interval.next(open_ms))
        return self._combined[key]

    def _build(self, interval: Interval, open_ms: int, now_ms: int) -> Candle | None:
        """A candle of any interval, as far as it has got by `now_ms`."""
        end = min(interval.next(open_ms), now_ms)
        parts = []
        at = open_ms
        # A candle exists from the millisecond it opens, so the one opening right now is included.
        while at < interval.next(open_ms) and at <= now_ms:
            around = at - at % self._interval_ms
            stop = min(end, around + self._interval_ms)
            whole = at == around and stop == around + self._interval_ms
            part = self._base(around, stop) if whole else self._piece(around, at, stop - stop % SECOND_MS)
            if part is not None:
                parts.append(part)
            at = around + self._interval_ms
        return combine(open_ms, parts) if parts else None

    def _base(self, open_ms: int, now_ms: int) -> Candle | None:
        """One base candle, as far as it has got by `now_ms`."""
        end = open_ms + self._interval_ms
        if now_ms >= end and not self._stretches:
            return self._source.candle(open_ms)
        return self._piece(open_ms, open_ms, min(end, now_ms - now_ms % SECOND_MS))

    def _piece(self, open_ms: int, start_ms: int, end_ms: int) -> Candle | None:
        """A part of the base candle that opens at `open_ms`, with every change by hand applied."""
        path = self._path(open_ms)
        if path is None:
            return None
        inside = [s.start_ms - s.start_ms % SECOND_MS for s in self._stretches if start_ms < s.start_ms < end_ms]
        cuts = sorted({start_ms, *(cut for cut in inside if cut > start_ms), end_ms})
        if len(cuts) == 1:
            cuts.append(end_ms)
        pieces = []
        for first, last in itertools.pairwise(cuts):
            whole = path.part((first - open_ms) // SECOND_MS, (last - open_ms) // SECOND_MS)
            pieces.append(_changed(whole, self._stretch_at(first), path.price_step))
        return combine(start_ms, pieces)

    def _price(self, second_ms: int) -> Decimal | None:
        base = self._unchanged_price(second_ms)
        if base is None or not self._stretches:
            return base
        stretch = self._stretch_at(second_ms)
        return base if stretch is None else _price_in(stretch, base, self._source.price_step)

    def _unchanged_price(self, now_ms: int) -> Decimal | None:
        first, end = self._source.first_open_ms, self._source.end_ms
        if first is not None and now_ms < first:
            return None
        if end is not None and now_ms >= end:
            last = self._path(end - self._interval_ms)
            return last.candle.close if last else None
        open_ms = now_ms - now_ms % self._interval_ms
        path = self._path(open_ms)
        if path is not None:
            return path.price((now_ms - open_ms) // SECOND_MS)
        lowest = open_ms - 40_000 * self._interval_ms if first is None else first
        while path is None and open_ms > lowest:
            open_ms -= self._interval_ms
            path = self._path(open_ms)
        return path.candle.close if path else None

    def _stretch_at(self, now_ms: int) -> Stretch | None:
        """The change in force in the second that begins at `now_ms`."""
        found = None
        for stretch in self._stretches:
            if stretch.start_ms - stretch.start_ms % SECOND_MS <= now_ms:
                found = stretch
        return found

    def _path(self, open_ms: int) -> CandlePath | None:
        try:
            return self._paths[open_ms]
        except KeyError:
            candle = self._source.candle(open_ms)
        if candle is None:
            return None
        if len(self._paths) > 64:
            self._paths.clear()
        path = CandlePath(candle=candle, interval_ms=self._interval_ms, price_step=self._source.price_step)
        self._paths[open_ms] = path
        return path


def _price_in(stretch: Stretch, price: Decimal, price_step: Decimal) -> Decimal:
    if stretch.held is not None:
        return stretch.held
    if stretch.factor == 1:
        return price
    return max(_SMALLEST_PRICE, (price * stretch.factor).quantize(price_step))


def _changed(candle: Candle, stretch: Stretch | None, price_step: Decimal) -> Candle:
    if stretch is None or (stretch.held is None and stretch.factor == 1):
        return candle
    opened, high, low, closed = (
        _price_in(stretch, price, price_step) for price in (candle.open, candle.high, candle.low, candle.close)
    )
    quote = (candle.volume * (high + low) / 2).quantize(_SMALLEST_PRICE)
    return Candle(candle.open_ms, opened, high, low, closed, candle.volume, quote)
