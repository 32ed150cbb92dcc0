"""Mean reversion: buys below the lower Bollinger band when the RSI agrees, sells at the middle.

| position | close | RSI | signal |
|---|---|---|---|
| none | below the lower band | above 0, at most `rsi_oversold` | BUY |
| none | below the lower band | above `rsi_oversold` | HOLD |
| none | at or above the lower band | any | HOLD |
| held | at or above the middle band | any | SELL |
| held | below the middle band | at least `rsi_overbought` | SELL |
| held | below the middle band | below `rsi_overbought` | HOLD |

An RSI of exactly 0 means that no candle rose at all: a price in free fall, or none.
"""

from typing import Any, ClassVar

from pydantic import Field

from surefill.strategies import base, indicators
from surefill.strategies.market import MarketView, Series


class MeanReversionParams(base.Params):
    """Periods in candles, RSI levels 0 to 100, width of the bands in standard deviations."""

    bands_period: int = Field(20, ge=2, le=400, description="candles of the Bollinger bands")
    bands_deviations: float = Field(2, gt=0, le=5, description="width of the bands in standard deviations")
    rsi_period: int = Field(14, ge=2, le=100, description="candles of the RSI")
    rsi_oversold: float = Field(35, gt=0, lt=50, description="highest RSI to buy at")
    rsi_overbought: float = Field(65, gt=50, lt=100, description="RSI from which it sells")


class MeanReversion(base.Strategy):
    """Back to the middle of the Bollinger bands."""

    name: ClassVar[str] = "mean_reversion"
    Params: ClassVar[type[base.Params]] = MeanReversionParams
    default_timeframe: ClassVar[str] = "30m"
    default_interval_seconds: ClassVar[int] = 1_800

    params: MeanReversionParams

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """The bands, and an RSI that has forgotten where it began."""
        params = self.params
        return base.Needs(candles=max(params.bands_period, indicators.memory_of_wilder(params.rsi_period)) + 1)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """Entry without a position, exit with one."""
        params = self.params
        close, rsi = market.close(), market.rsi(params.rsi_period)
        lower, middle, _ = market.bands(params.bands_period, params.bands_deviations)
        action = base.Action.HOLD
        if position is None:
            if close < lower and 0 < rsi <= params.rsi_oversold:
                action = base.Action.BUY
        elif close >= middle or rsi >= params.rsi_overbought:
            action = base.Action.SELL
        return base.Signal(action=action, numbers=base.readings(close=close, rsi=rsi, lower=lower, middle=middle))

    def screen(self, series: Series) -> Any:
        """Where an entry or an exit is."""
        params = self.params
        close, rsi = series.column("close"), series.once(indicators.rsi, params.rsi_period)
        lower, middle, _ = series.once(indicators.bands, params.bands_period, params.bands_deviations)
        buy = (close < lower) & (rsi > 0) & (rsi <= params.rsi_oversold)
        return buy | (close >= middle) | (rsi >= params.rsi_overbought)
