"""The present of a backtest: what the clock shows and what the market asks for, set by the engine."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from surefill.domain.times import from_milliseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.backtest.venue import BacktestVenue
    from surefill.domain.records import MarketRules

FINEST = Decimal("0.00000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """Sets clock and venue to moments of the past."""

    venue: BacktestVenue
    rules: Mapping[str, MarketRules]

    def at(self, symbol: str, *, ms: int, price: Decimal, volume: float) -> None:
        """It is `ms` (since 1970), the symbol trades at `price` (quote), in a candle of `volume` (base)."""
        venue = self.venue
        venue.now_ms = ms
        venue.clock.current = from_milliseconds(ms)
        venue.prices[symbol] = price
        if venue.costs.volume_share is not None:
            rules = self.rules.get(symbol)
            step = rules.quantity_step if rules is not None else FINEST
            venue.depths[symbol] = venue.costs.depth(volume=Decimal(repr(volume)), step=step)


def exact_price(price: float) -> Decimal:
    """The recorded number as written, to at most eight decimals."""
    return round(Decimal(repr(price)), 8)
