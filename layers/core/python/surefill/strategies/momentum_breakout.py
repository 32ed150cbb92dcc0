"""Momentum breakout: buys a new high that comes with volume and a trend, sells a new low.

| position | close | volume | ADX | signal |
|---|---|---|---|---|
| none | above the highest high before | at least `volume_factor` x its mean | at least `adx_minimum` | BUY |
| none | above the highest high before | less | any | HOLD |
| none | above the highest high before | enough | less | HOLD |
| none | at or below the highest high before | any | any | HOLD |
| held | below the lowest low before | any | any | SELL |
| held | at or above the lowest low before | any | any | HOLD |

The highest high is that of the `breakout_candles` before the newest, the lowest low that of the `exit_candles` before.
"""

from typing import Any, ClassVar

from pydantic import Field

from surefill.strategies import base, indicators
from surefill.strategies.market import MarketView, Series


class MomentumBreakoutParams(base.Params):
    """Spans in candles, ADX 0 to 100."""

    breakout_candles: int = Field(20, ge=2, le=500, description="candles whose highest high must be passed")
    exit_candles: int = Field(10, ge=2, le=500, description="candles whose lowest low ends the position")
    volume_candles: int = Field(20, ge=2, le=500, description="candles of the mean volume, before the newest")
    volume_factor: float = Field(1.5, ge=0, le=20, description="volume needed, as a multiple of the mean")
    adx_period: int = Field(14, ge=2, le=100, description="candles of the ADX")
    adx_minimum: float = Field(20, ge=0, le=100, description="ADX needed to buy")


class MomentumBreakout(base.Strategy):
    """New highs with volume and trend."""

    name: ClassVar[str] = "momentum_breakout"
    Params: ClassVar[type[base.Params]] = MomentumBreakoutParams
    default_timeframe: ClassVar[str] = "5m"
    default_interval_seconds: ClassVar[int] = 300

    params: MomentumBreakoutParams

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """The longest span and the memory of the ADX, which is smoothed twice."""
        params = self.params
        adx = indicators.memory_of_wilder(params.adx_period) + 4 * params.adx_period
        return base.Needs(candles=max(params.breakout_candles, params.exit_candles, params.volume_candles, adx) + 1)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """Entry without a position, exit with one."""
        params = self.params
        close = market.close()
        if position is not None:
            lowest = market.lowest(params.exit_candles, ago=1)
            action = base.Action.SELL if close < lowest else base.Action.HOLD
            return base.Signal(action=action, numbers=base.readings(close=close, lowest=lowest))
        highest = market.highest(params.breakout_candles, ago=1)
        volume, mean = market.volume(), market.average_volume(params.volume_candles, ago=1)
        adx = market.adx(params.adx_period)
        wanted = close > highest and volume >= params.volume_factor * mean and adx >= params.adx_minimum
        return base.Signal(
            action=base.Action.BUY if wanted else base.Action.HOLD,
            numbers=base.readings(close=close, highest=highest, volume=volume, volume_mean=mean, adx=adx),
        )

    def screen(self, series: Series) -> Any:
        """Where an entry or an exit is."""
        params = self.params
        close, volume = series.column("close"), series.column("volume")
        highest = indicators.earlier(series.once(indicators.highest, params.breakout_candles))
        lowest = indicators.earlier(series.once(indicators.lowest, params.exit_candles))
        mean = indicators.earlier(series.once(indicators.average_volume, params.volume_candles))
        adx = series.once(indicators.adx, params.adx_period)
        buy = (close > highest) & (volume >= params.volume_factor * mean) & (adx >= params.adx_minimum)
        return buy | (close < lowest)
