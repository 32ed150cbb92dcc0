"""The price inside a candle: a fixed way from open over both extremes to close.

A candle says nothing about the order of its prices, so one order is fixed for good: a rising candle first falls to
its low, a falling one first rises to its high. Each leg takes a third of the candle, in whole seconds. At the open
time the price is the open.
"""

from __future__ import annotations

from decimal import Decimal

from local.exchange.market.candles import SECOND_MS, Candle

_EIGHT_DECIMALS = Decimal("0.00000001")


class CandlePath:
    """Prices within one candle by whole seconds since its open."""

    __slots__ = ("_points", "_third", "candle", "price_step", "seconds")

    def __init__(self, *, candle: Candle, interval_ms: int, price_step: Decimal) -> None:
        self.candle = candle
        self.seconds = interval_ms // SECOND_MS
        self._third = self.seconds // 3
        self.price_step = price_step
        rising = candle.close >= candle.open
        first, second = (candle.low, candle.high) if rising else (candle.high, candle.low)
        self._points = (candle.open, first, second, candle.close)

    def price(self, second: int) -> Decimal:
        """Price in quote `second` seconds after the open; 0 is the open, `seconds` the close."""
        leg, done = divmod(second, self._third)
        if leg >= 3:
            return self._points[3]
        start = self._points[leg]
        if done == 0:
            return start
        end = self._points[leg + 1]
        return (start + (end - start) * done / self._third).quantize(self.price_step)

    def extremes(self, first: int, last: int) -> tuple[Decimal, Decimal]:
        """Lowest and highest price between two seconds, both included."""
        prices = [self.price(first), self.price(last)]
        for leg in (1, 2):
            if first < leg * self._third < last:
                prices.append(self._points[leg])
        return min(prices), max(prices)

    def part(self, first: int, last: int) -> Candle:
        """The candle of the seconds `first` to `last` (its close is the price at `last`); volume by its share."""
        low, high = self.extremes(first, last)
        share = last - first
        candle = self.candle
        return Candle(
            open_ms=candle.open_ms + first * SECOND_MS,
            open=self.price(first),
            high=high,
            low=low,
            close=self.price(last),
            volume=(candle.volume * share / self.seconds).quantize(_EIGHT_DECIMALS),
            quote_volume=(candle.quote_volume * share / self.seconds).quantize(_EIGHT_DECIMALS),
        )
