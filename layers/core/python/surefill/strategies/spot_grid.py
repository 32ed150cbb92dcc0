"""Spot grid: between two prices, buys at each level and sells what it bought there one level higher.

| close | signal | rungs that may buy |
|---|---|---|
| below `lower` | HOLD | none |
| between `lower` and `upper` | HOLD | each that buys at or below the close |
| at or above `upper` | HOLD | all |
| any, with `fill_upper` | HOLD | all |

Level 0 is `lower`; rung "level3" buys at level 3 and sells at level 4. All rungs are listed always: one that has bought
sells what it bought, wherever the price is. With `fill_upper` the rungs above the price are bought at once.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

from pydantic import Field, model_validator

from surefill.strategies import base, grids
from surefill.strategies.market import MarketView


class SpotGridParams(base.Params):
    """Prices in quote."""

    lower: Decimal = Field(gt=0, le=10**9, description="lowest level, in quote", examples=[80])
    upper: Decimal = Field(gt=0, le=10**9, description="highest level, in quote", examples=[125])
    levels: int = Field(11, ge=2, le=200, description="number of levels, both ends included")
    spacing: grids.Spacing = Field(grids.Spacing.GEOMETRIC, description="equal steps in quote, or in per cent")
    fill_upper: bool = Field(False, description="buy the rungs above the price at once")

    @model_validator(mode="after")
    def _consistent(self) -> "SpotGridParams":
        if self.lower >= self.upper:
            raise ValueError(f"lower must be below upper, was {self.lower} and {self.upper}")
        narrowest = grids.narrowest_percent(self.prices)
        if narrowest < grids.NARROWEST_PERCENT:
            raise ValueError(
                f"levels must be at least {grids.NARROWEST_PERCENT} % apart to pay the fees, was {narrowest:.3f} %:"
                " take fewer, or a wider range"
            )
        return self

    @property
    def prices(self) -> list[Decimal]:
        """The levels, rising."""
        return grids.levels_between(lower=self.lower, upper=self.upper, count=self.levels, spacing=self.spacing)


class SpotGrid(base.Strategy):
    """Levels between two prices."""

    name: ClassVar[str] = "spot_grid"
    Params: ClassVar[type[base.Params]] = SpotGridParams
    default_interval_seconds: ClassVar[int] = 86_400
    holds_without_stop: ClassVar[bool] = True

    params: SpotGridParams

    def __init__(self, params: Mapping[str, object]) -> None:
        super().__init__(params)
        self._rungs = grids.rungs_between(self.params.prices)
        self._selling = tuple(replace(rung, buys=False) for rung in self._rungs)

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """The last close only."""
        return base.Needs(candles=1)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """All rungs; those above the price may not buy."""
        close = market.close()
        count = len(self._rungs) if self.params.fill_upper else self._at_or_below(Decimal(str(close)))
        listed = self._rungs[:count] + self._selling[count:]
        return base.Signal(action=base.Action.HOLD, rungs=listed, numbers=grids.described(listed, close=close))

    def _at_or_below(self, close: Decimal) -> int:
        return bisect_right(self._rungs, close, key=lambda rung: rung.buy_price)
