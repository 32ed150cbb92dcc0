"""Scalping: rides a short move while it lasts, where the market moves enough to pay the fees.

| position | averages | close | RSI | ATR | signal |
|---|---|---|---|---|---|
| none | fast above slow | above the fast | between `rsi_low` and `rsi_high` | at least `atr_minimum_percent` | BUY |
| none | fast above slow | above the fast | between them | less | HOLD |
| none | fast above slow | above the fast | outside | any | HOLD |
| none | fast above slow | at or below the fast | any | any | HOLD |
| none | fast at or below slow | any | any | any | HOLD |
| held | any | below the slow | any | any | SELL |
| held | any | at or above the slow | at least `rsi_exit` | any | SELL |
| held | any | at or above the slow | below `rsi_exit` | any | HOLD |

The ATR is in per cent of the close.
"""

from typing import Any, ClassVar

from pydantic import Field, model_validator

from surefill.strategies import base, indicators
from surefill.strategies.market import MarketView, Series


class ScalpingParams(base.Params):
    """Periods in candles, RSI levels 0 to 100, ATR in per cent of the close."""

    average_fast: int = Field(5, ge=2, le=50, description="candles of the fast average (exponential)")
    average_slow: int = Field(13, ge=3, le=100, description="candles of the slow average (exponential)")
    rsi_period: int = Field(7, ge=2, le=50, description="candles of the RSI")
    rsi_low: float = Field(50, ge=0, lt=100, description="lowest RSI to buy at")
    rsi_high: float = Field(70, gt=0, le=100, description="highest RSI to buy at")
    rsi_exit: float = Field(80, gt=0, le=100, description="RSI from which it sells")
    atr_period: int = Field(14, ge=2, le=50, description="candles of the average true range")
    atr_minimum_percent: float = Field(0.05, ge=0, le=10, description="least ATR to buy, in % of the close")

    @model_validator(mode="after")
    def _consistent(self) -> "ScalpingParams":
        if self.average_fast >= self.average_slow:
            raise ValueError(f"average_fast must be below average_slow, was {self.average_fast}, {self.average_slow}")
        if not self.rsi_low < self.rsi_high <= self.rsi_exit:
            raise ValueError(
                "rsi_low must be below rsi_high, and that not above rsi_exit,"
                f" was {self.rsi_low}, {self.rsi_high}, {self.rsi_exit}"
            )
        return self


class Scalping(base.Strategy):
    """Short moves of one-minute candles."""

    name: ClassVar[str] = "scalping"
    Params: ClassVar[type[base.Params]] = ScalpingParams
    default_timeframe: ClassVar[str] = "1m"
    default_interval_seconds: ClassVar[int] = 30

    params: ScalpingParams

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """Enough that all averages have forgotten where they began."""
        params = self.params
        wilder = indicators.memory_of_wilder(max(params.rsi_period, params.atr_period))
        return base.Needs(candles=max(wilder, indicators.memory_of_ema(params.average_slow)) + 1)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """Entry without a position, exit with one."""
        params = self.params
        close, rsi, slow = market.close(), market.rsi(params.rsi_period), market.ema(params.average_slow)
        if position is not None:
            action = base.Action.SELL if close < slow or rsi >= params.rsi_exit else base.Action.HOLD
            return base.Signal(action=action, numbers=base.readings(close=close, rsi=rsi, average_slow=slow))
        fast = market.ema(params.average_fast)
        atr_percent = market.atr(params.atr_period) / close * 100
        wanted = (
            fast > slow
            and close > fast
            and params.rsi_low <= rsi <= params.rsi_high
            and atr_percent >= params.atr_minimum_percent
        )
        return base.Signal(
            action=base.Action.BUY if wanted else base.Action.HOLD,
            numbers=base.readings(close=close, rsi=rsi, average_fast=fast, average_slow=slow, atr_percent=atr_percent),
        )

    def screen(self, series: Series) -> Any:
        """Where an entry or an exit is."""
        params = self.params
        close, rsi = series.column("close"), series.once(indicators.rsi, params.rsi_period)
        fast, slow = series.once(indicators.ema, params.average_fast), series.once(indicators.ema, params.average_slow)
        atr_percent = series.once(indicators.atr, params.atr_period) / close * 100
        buy = (fast > slow) & (close > fast) & (params.rsi_low <= rsi) & (rsi <= params.rsi_high)
        buy &= atr_percent >= params.atr_minimum_percent
        return buy | (close < slow) | (rsi >= params.rsi_exit)
