"""Infinity grid: a grid without an upper end. As the price rises, new levels follow it.

| close | signal | rungs that may buy |
|---|---|---|
| below `lower` | HOLD | none |
| at or above `lower` | HOLD | the nearest `rungs` that buy at or below the close |
| so high that an arithmetic step is below 0.2 % of it | HOLD | the highest `rungs` with a wider step |

Level 0 is `lower`, and each next one is `step_percent` higher: of the level before (geometric) or of `lower`
(arithmetic). Rung "level3" buys at level 3 and sells at level 4, whatever the price does meanwhile. The 300 rungs above
the price are listed too: they only sell what they bought when the price was higher.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

from pydantic import Field

from surefill.strategies import base, grids
from surefill.strategies.market import MarketView

_LISTED_ABOVE = 300


class InfinityGridParams(base.Params):
    """Prices in quote, steps in per cent."""

    lower: Decimal = Field(gt=0, le=10**9, description="lowest level, in quote", examples=[60])
    step_percent: Decimal = Field(
        Decimal(1), ge=grids.NARROWEST_PERCENT, le=50, description="distance of two levels, in % (see the spacing)"
    )
    rungs: int = Field(20, ge=1, le=100, description="number of rungs kept below the price")
    spacing: grids.Spacing = Field(grids.Spacing.GEOMETRIC, description="steps in % of the level before, or of lower")


class InfinityGrid(base.Strategy):
    """Levels that follow a rising price."""

    name: ClassVar[str] = "infinity_grid"
    Params: ClassVar[type[base.Params]] = InfinityGridParams
    default_interval_seconds: ClassVar[int] = 86_400
    holds_without_stop: ClassVar[bool] = True

    params: InfinityGridParams

    def __init__(self, params: Mapping[str, object]) -> None:
        super().__init__(params)
        self._rungs: dict[tuple[int, bool], base.Rung] = {}

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """The last close only."""
        return base.Needs(candles=1)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """The rungs that may buy at this price, and those above it that may have bought."""
        close = market.close()
        top = self._level_below(min(Decimal(str(close)), self._highest))
        first = max(0, top - self.params.rungs + 1)
        buying = tuple(self._rung(index, buys=True) for index in range(first, top + 1))
        selling = tuple(self._rung(index, buys=False) for index in range(top + 1, top + 1 + _LISTED_ABOVE))
        listed = buying + tuple(rung for rung in selling if rung.buy_price <= self._highest)
        return base.Signal(action=base.Action.HOLD, rungs=listed, numbers=grids.described(listed, close=close))

    @property
    def _highest(self) -> Decimal:
        """Price above which the steps would be too narrow to pay the fees."""
        params = self.params
        if params.spacing is grids.Spacing.GEOMETRIC:
            return Decimal("Infinity")
        return params.lower * params.step_percent / grids.NARROWEST_PERCENT

    def _rung(self, index: int, *, buys: bool) -> base.Rung:
        """A rung is the same each time; it is kept, because an evaluation lists hundreds."""
        key = index, buys
        if key not in self._rungs:
            (rung,) = grids.rungs_between([self._level(index), self._level(index + 1)], first=index)
            self._rungs[key] = replace(rung, buys=buys)
        return self._rungs[key]

    def _level(self, index: int) -> Decimal:
        params = self.params
        return grids.level_above(params.lower, step_percent=params.step_percent, index=index, spacing=params.spacing)

    def _level_below(self, close: Decimal) -> int:
        """Number of the highest level at or below `close`; -1 when there is none."""
        if close < self.params.lower:
            return -1
        ratio, step = float(close / self.params.lower), float(self.params.step_percent) / 100
        arithmetic = self.params.spacing is grids.Spacing.ARITHMETIC
        guess = int((ratio - 1) / step if arithmetic else math.log(ratio) / math.log1p(step))
        # The estimate is off by one at most: levels are rounded.
        while self._level(guess) > close:
            guess -= 1
        while self._level(guess + 1) <= close:
            guess += 1
        return guess
