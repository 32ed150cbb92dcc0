"""What a market needs from its candles, whoever makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from decimal import Decimal

    from local.exchange.market.candles import Candle


class CandleSource(Protocol):
    """Closed candles of one symbol in one base interval, the same answer every time."""

    @property
    def interval_ms(self) -> int:
        """Length of a base candle in milliseconds."""
        ...

    @property
    def price_step(self) -> Decimal:
        """Smallest price difference in quote; prices between two recorded ones are rounded to it."""
        ...

    @property
    def first_open_ms(self) -> int | None:
        """Open time of the first candle, or None without a beginning."""
        ...

    @property
    def end_ms(self) -> int | None:
        """First moment after the last candle, or None without an end."""
        ...

    def candle(self, open_ms: int) -> Candle | None:
        """The candle that opens at `open_ms` (a multiple of `interval_ms`), or None in a gap."""
        ...
