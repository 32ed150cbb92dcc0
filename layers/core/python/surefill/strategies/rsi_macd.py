"""RSI and MACD crossing: buys when the MACD turns up while the RSI is low, sells when it turns down or the RSI is high.

| MACD line | RSI | volume | signal |
|---|---|---|---|
| crosses above its signal | below `rsi_entry` | above 0 | BUY |
| crosses above its signal | at or above `rsi_entry` | any | HOLD |
| crosses above its signal | below `rsi_entry` | 0 | HOLD |
| crosses below its signal | any | any | SELL |
| any | above `rsi_exit` | any | SELL |
| no crossing | at most `rsi_exit` | any | HOLD |

A crossing is above now, and at or below one candle ago (below: the other way round).
"""

from typing import Any, ClassVar

from pydantic import Field, model_validator

from surefill.strategies import base, indicators
from surefill.strategies.market import MarketView, Series


class RsiMacdParams(base.Params):
    """Periods in candles, RSI levels 0 to 100."""

    rsi_period: int = Field(14, ge=2, le=100, description="candles of the RSI")
    rsi_entry: float = Field(50, gt=0, lt=100, description="RSI that must not be reached to buy")
    rsi_exit: float = Field(70, gt=0, lt=100, description="RSI above which it sells")
    macd_fast: int = Field(12, ge=2, le=100, description="candles of the fast average of the MACD")
    macd_slow: int = Field(26, ge=3, le=200, description="candles of the slow average of the MACD")
    macd_signal: int = Field(9, ge=2, le=100, description="candles of the signal line")

    @model_validator(mode="after")
    def _consistent(self) -> "RsiMacdParams":
        if self.macd_fast >= self.macd_slow:
            raise ValueError(f"macd_fast must be below macd_slow, was {self.macd_fast} and {self.macd_slow}")
        if self.rsi_entry > self.rsi_exit:
            raise ValueError(f"rsi_entry must not be above rsi_exit, was {self.rsi_entry} and {self.rsi_exit}")
        return self


class RsiMacd(base.Strategy):
    """MACD crossings, filtered by the RSI."""

    name: ClassVar[str] = "rsi_macd"
    confirms: ClassVar[bool] = False
    Params: ClassVar[type[base.Params]] = RsiMacdParams
    default_timeframe: ClassVar[str] = "5m"
    default_interval_seconds: ClassVar[int] = 300

    params: RsiMacdParams

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """Enough that RSI and MACD have forgotten where they began, and one candle before."""
        params = self.params
        macd = indicators.memory_of_ema(params.macd_slow + params.macd_signal)
        return base.Needs(candles=max(macd, indicators.memory_of_wilder(params.rsi_period)) + 2)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """Compare this candle with the one before."""
        params = self.params
        rsi = market.rsi(params.rsi_period)
        macd, line = market.macd(params.macd_fast, params.macd_slow, params.macd_signal)
        macd_before, line_before = market.macd(params.macd_fast, params.macd_slow, params.macd_signal, ago=1)
        volume = market.volume()
        action = base.Action.HOLD
        if macd > line and macd_before <= line_before and rsi < params.rsi_entry and volume > 0:
            action = base.Action.BUY
        elif (macd < line and macd_before >= line_before) or rsi > params.rsi_exit:
            action = base.Action.SELL
        return base.Signal(
            action=action,
            numbers=base.readings(
                rsi=rsi,
                macd=macd,
                macd_signal=line,
                macd_before=macd_before,
                macd_signal_before=line_before,
                volume=volume,
            ),
        )

    def sides(self, series: Series) -> Any:
        """Exactly the rows of the table."""
        params = self.params
        rsi = series.once(indicators.rsi, params.rsi_period)
        macd, line = series.once(indicators.macd, params.macd_fast, params.macd_slow, params.macd_signal)
        macd_before, line_before = indicators.earlier(macd), indicators.earlier(line)
        buy = (macd > line) & (macd_before <= line_before) & (rsi < params.rsi_entry) & (series.column("volume") > 0)
        sell = ((macd < line) & (macd_before >= line_before)) | (rsi > params.rsi_exit)
        return buy * 1 - (sell & ~buy) * 1
