"""Swing: in an uptrend of a longer timeframe, buys the end of a pullback; sells when the swing is over.

| position | trend: close above its average | RSI | close | signal |
|---|---|---|---|---|
| none | yes | rises above `rsi_pullback` | any | BUY |
| none | no | rises above `rsi_pullback` | any | HOLD |
| none | any | does not rise above it | any | HOLD |
| held | any | at least `rsi_exit` | any | SELL |
| held | any | below `rsi_exit` | below the exit level | SELL |
| held | any | below `rsi_exit` | at or above the exit level | HOLD |

"Rises above" is above now, and at or below one candle ago. The trend is read on `trend_timeframe`; the exit level is
`exit_margin_percent` below the exit average.
"""

from typing import Any, ClassVar

from pydantic import Field, model_validator

from surefill.strategies import base, indicators
from surefill.strategies.market import MarketView, Series


class SwingParams(base.Params):
    """Periods in candles, RSI levels 0 to 100."""

    trend_timeframe: str = Field("4h", pattern=r"^[1-9]\d*[mhdw]$", description="candle length the trend is read on")
    trend_period: int = Field(50, ge=2, le=200, description="candles of the trend's average (exponential)")
    rsi_period: int = Field(14, ge=2, le=100, description="candles of the RSI")
    rsi_pullback: float = Field(40, gt=0, lt=70, description="RSI that must be passed upwards to buy")
    rsi_exit: float = Field(75, gt=50, lt=100, description="RSI from which it sells")
    exit_period: int = Field(50, ge=2, le=400, description="candles of the exit average (simple)")
    exit_margin_percent: float = Field(2, ge=0, le=50, description="how far below the exit average it sells, in %")

    @model_validator(mode="after")
    def _consistent(self) -> "SwingParams":
        if self.rsi_pullback >= self.rsi_exit:
            raise ValueError(f"rsi_pullback must be below rsi_exit, was {self.rsi_pullback} and {self.rsi_exit}")
        return self


class Swing(base.Strategy):
    """Pullbacks in an uptrend."""

    name: ClassVar[str] = "swing"
    confirms: ClassVar[bool] = False
    Params: ClassVar[type[base.Params]] = SwingParams
    default_timeframe: ClassVar[str] = "30m"
    default_interval_seconds: ClassVar[int] = 1_800

    params: SwingParams

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """RSI and averages that have forgotten where they began, on both timeframes."""
        params = self.params
        trend = base.Other(candles=indicators.memory_of_ema(params.trend_period) + 1, timeframe=params.trend_timeframe)
        own = max(params.exit_period, indicators.memory_of_wilder(params.rsi_period)) + 2
        return base.Needs(candles=own, others=(trend,))

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """Entry without a position, exit with one."""
        params = self.params
        close, rsi = market.close(), market.rsi(params.rsi_period)
        if position is not None:
            average = market.sma(params.exit_period)
            floor = average * (1 - params.exit_margin_percent / 100)
            action = base.Action.SELL if rsi >= params.rsi_exit or close < floor else base.Action.HOLD
            return base.Signal(action=action, numbers=base.readings(close=close, rsi=rsi, exit_below=floor))
        before = market.rsi(params.rsi_period, ago=1)
        trend = market.other(timeframe=params.trend_timeframe)
        trend_close, trend_average = trend.close(), trend.ema(params.trend_period)
        wanted = before <= params.rsi_pullback < rsi and trend_close > trend_average
        return base.Signal(
            action=base.Action.BUY if wanted else base.Action.HOLD,
            numbers=base.readings(
                close=close, rsi=rsi, rsi_before=before, trend_close=trend_close, trend_average=trend_average
            ),
        )

    def screen(self, series: Series) -> Any:
        """Where the candles of the bot's own timeframe allow an entry or an exit."""
        params = self.params
        rsi = series.once(indicators.rsi, params.rsi_period)
        floor = series.once(indicators.sma, params.exit_period) * (1 - params.exit_margin_percent / 100)
        rises = (rsi > params.rsi_pullback) & (indicators.earlier(rsi) <= params.rsi_pullback)
        return rises | (rsi >= params.rsi_exit) | (series.column("close") < floor)
