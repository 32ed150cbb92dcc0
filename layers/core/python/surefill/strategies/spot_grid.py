"""Spot grid: between two prices, buys at each level and sells what it bought there one level higher.

| close | signal | rungs |
|---|---|---|
| below `lower` | HOLD | none |
| between `lower` and `upper` | HOLD | each that buys at or below the close |
| at or above `upper` | HOLD | all |
| any, with `fill_upper` | HOLD | all |

Level 0 is `lower`; rung "level3" buys at level 3 and sells at level 4. A rung that has bought keeps its sale, listed or
not: it sells only what it bought itself. With `fill_upper` the rungs above the price are bought at once.
"""

from collections.abc import Mapping
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

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """The last close only."""
        return base.Needs(candles=1)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """The rungs that should rest or be held at this price."""
        close = market.close()
        listed = tuple(rung for rung in self._rungs if self.params.fill_upper or rung.buy_price <= Decimal(str(close)))
        return base.Signal(action=base.Action.HOLD, rungs=listed, numbers=grids.described(listed, close=close))
