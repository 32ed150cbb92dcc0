"""One market: its rules, its prices and its book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.exchange.book import BookShape, Level, book_side
from local.exchange.market.candles import MINUTE_MS, Interval
from local.exchange.money import eight_down
from local.exchange.rules import TRADING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from local.exchange.market.feed import PriceFeed
    from local.exchange.rules import MarketRules

_ONE_MINUTE = Interval("1m")


@dataclass(slots=True)
class Market:
    """A symbol that can be traded. Rules and book can be exchanged while it runs."""

    rules: MarketRules
    feed: PriceFeed
    shape: BookShape
    swept_ms: int = 0
    _average: tuple[int, int, Decimal | None] = (-1, -1, None)

    @property
    def symbol(self) -> str:
        """Binance's name of the symbol."""
        return self.rules.symbol

    def is_trading(self, now_ms: int) -> bool:
        """False while the symbol is not TRADING and outside its recording."""
        return self.rules.status == TRADING and self.feed.has_market(now_ms)

    def side(self, *, now_ms: int, asks: bool) -> Iterator[Level]:
        """One side of the book; empty when there is no price or no market."""
        price = self.feed.price(now_ms)
        if price is None or not self.feed.has_market(now_ms):
            return iter(())
        return book_side(shape=self.shape, rules=self.rules, price=price, asks=asks)

    def average_price(self, now_ms: int) -> Decimal | None:
        """Average price weighted by volume over the last avgPriceMins minutes; 0 minutes means the last price."""
        minutes = self.rules.average_price_minutes
        second = now_ms // 1_000
        if self._average[:2] != (second, minutes):
            self._average = (second, minutes, self._average_price(now_ms, minutes))
        return self._average[2]

    def forget_average(self) -> None:
        """Compute the average anew, after a price was set by hand."""
        self._average = (-1, -1, None)

    def _average_price(self, now_ms: int, minutes: int) -> Decimal | None:
        if minutes == 0:
            return self.feed.price(now_ms)
        candles = self.feed.klines(interval=_ONE_MINUTE, now_ms=now_ms, start_ms=None, end_ms=None, limit=minutes)
        recent = [candle for candle in candles if candle.open_ms > now_ms - (minutes + 1) * MINUTE_MS]
        volume = sum(candle.volume for candle in recent)
        if not volume:
            return self.feed.price(now_ms)
        return eight_down(sum((candle.quote_volume for candle in recent), volume * 0) / volume)
