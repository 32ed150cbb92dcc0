"""Bollinger range: in the lower part of the bands it buys in tranches, near the upper band it sells what it has.

| position | place in the bands | last tranche | signal |
|---|---|---|---|
| none | `floor_percent` to `buy_percent` | | BUY |
| held, tranches left | `floor_percent` to `buy_percent` | at least `gap_percent` higher | BUY, one more tranche |
| held, tranches left | `floor_percent` to `buy_percent` | nearer | HOLD |
| held, all tranches bought | below `sell_percent` | any | HOLD |
| none or held | below `floor_percent`: the range breaks | any | HOLD |
| none | any, in bands narrower than `width_minimum_percent` | | HOLD |
| none or held | between `buy_percent` and `sell_percent` | any | HOLD |
| none | at least `sell_percent` | | HOLD |
| held | at least `sell_percent` | any | SELL |

The place is 0 % at the lower band and 100 % at the upper. Each tranche is an equal part of what the sizer would spend.
"""

from decimal import ROUND_DOWN, Decimal
from typing import Any, ClassVar

from pydantic import Field, model_validator

from surefill.strategies import base, indicators
from surefill.strategies.market import MarketView, Series


class BollingerRangeParams(base.Params):
    """Places in per cent of the width of the bands, period in candles."""

    bands_period: int = Field(20, ge=2, le=400, description="candles of the Bollinger bands")
    bands_deviations: float = Field(2, gt=0, le=5, description="width of the bands in standard deviations")
    floor_percent: float = Field(-25, ge=-200, le=0, description="place below which nothing is bought, in %")
    buy_percent: float = Field(20, ge=0, lt=50, description="highest place to buy at, in %")
    sell_percent: float = Field(90, gt=50, le=200, description="place from which it sells, in %")
    tranches: int = Field(3, ge=1, le=20, description="number of buys of a full position")
    gap_percent: float = Field(0.5, ge=0, le=50, description="fall between two tranches, in %")
    width_minimum_percent: float = Field(
        0.5, gt=0, le=100, description="least width of the bands to buy, in % of price"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "BollingerRangeParams":
        if self.floor_percent >= self.buy_percent:
            raise ValueError(
                f"floor_percent must be below buy_percent, was {self.floor_percent} and {self.buy_percent}"
            )
        return self


class BollingerRange(base.Strategy):
    """Tranches between the Bollinger bands."""

    name: ClassVar[str] = "bollinger_range"
    Params: ClassVar[type[base.Params]] = BollingerRangeParams
    default_timeframe: ClassVar[str] = "30m"
    default_interval_seconds: ClassVar[int] = 1_800

    params: BollingerRangeParams

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """The bands."""
        return base.Needs(candles=self.params.bands_period)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """Buy low in the bands, sell high in them, and never sell what is not there."""
        params = self.params
        close = market.close()
        lower, middle, upper = market.bands(params.bands_period, params.bands_deviations)
        width = upper - lower
        width_percent = width / middle * 100
        place = (close - lower) / width * 100 if width > 0 else 50.0
        numbers = base.readings(close=close, lower=lower, upper=upper, place_percent=place, width_percent=width_percent)
        if position is not None and place >= params.sell_percent:
            return base.Signal(action=base.Action.SELL, numbers=numbers)
        low = params.floor_percent <= place <= params.buy_percent and width_percent >= params.width_minimum_percent
        if not low or not self._room(position, close=close):
            return base.Signal(action=base.Action.HOLD, numbers=numbers)
        weight = (Decimal(1) / params.tranches).quantize(Decimal("0.0001"), rounding=ROUND_DOWN)
        return base.Signal(action=base.Action.BUY, adds=True, weight=weight, numbers=numbers)

    def screen(self, series: Series) -> Any:
        """Where the close is low or high enough in the bands."""
        params = self.params
        close = series.column("close")
        lower, middle, upper = series.once(indicators.bands, params.bands_period, params.bands_deviations)
        wide = upper > lower
        width = upper - lower
        place = (close - lower) / (width + ~wide) * 100
        buy = (place >= params.floor_percent) & (place <= params.buy_percent)
        buy &= width / middle * 100 >= params.width_minimum_percent
        return wide & (buy | (place >= params.sell_percent))

    def _room(self, position: base.Position | None, *, close: float) -> bool:
        if position is None:
            return True
        last = float(position.last_price) if position.last_price is not None else position.average_price
        return position.tranches < self.params.tranches and close <= last * (1 - self.params.gap_percent / 100)
