"""Composite: RSI, MACD and two moving averages vote; a clear majority of the weights is a signal.

| vote | +1 | between | -1 |
|---|---|---|---|
| RSI | at or below `rsi_oversold` | linear | at or above `rsi_overbought` |
| MACD | line above its signal | 0 when equal | line below |
| averages | fast above slow | 0 when equal | fast below slow |

The score is the weighted mean of the votes, -1 to +1: at or above `buy_score` it buys, at or below `-sell_score` it
sells.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, model_validator

from surefill.strategies import base
from surefill.strategies.market import MarketView


class Params(base.Params):
    """Periods in candles, RSI levels 0 to 100, weights without unit."""

    rsi_period: int = Field(14, ge=2, le=100)
    rsi_oversold: float = Field(30, gt=0, lt=50)
    rsi_overbought: float = Field(70, gt=50, lt=100)
    macd_fast: int = Field(12, ge=2, le=100)
    macd_slow: int = Field(26, ge=3, le=200)
    macd_signal: int = Field(9, ge=2, le=100)
    average_fast: int = Field(10, ge=2, le=200)
    average_slow: int = Field(50, ge=3, le=400)
    weight_rsi: float = Field(0.4, ge=0, le=1)
    weight_macd: float = Field(0.35, ge=0, le=1)
    weight_averages: float = Field(0.25, ge=0, le=1)
    buy_score: float = Field(0.5, gt=0, le=1)
    sell_score: float = Field(0.5, gt=0, le=1)

    @model_validator(mode="after")
    def _consistent(self) -> "Params":
        if self.macd_fast >= self.macd_slow:
            raise ValueError(f"macd_fast must be below macd_slow, was {self.macd_fast} and {self.macd_slow}")
        if self.average_fast >= self.average_slow:
            raise ValueError(f"average_fast must be below average_slow, was {self.average_fast}, {self.average_slow}")
        if self.weight_rsi + self.weight_macd + self.weight_averages <= 0:
            raise ValueError("at least one weight must be above 0")
        return self


class Composite(base.Strategy):
    """RSI + MACD + moving averages by weighted vote."""

    name: ClassVar[str] = "composite"
    Params: ClassVar[type[base.Params]] = Params

    def __init__(self, params: Mapping[str, object]) -> None:
        self._params = Params.model_validate(dict(params))

    @property
    def candles_needed(self) -> int:
        """Enough that the recursive averages have forgotten where they began (weights below 1e-5)."""
        params = self._params
        return max(params.average_slow, 6 * (params.macd_slow + params.macd_signal), 12 * params.rsi_period) + 1

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """Vote. A position does not change the vote; the engine refuses a second buy and a sale of nothing."""
        params = self._params
        rsi = market.rsi(params.rsi_period)
        macd, macd_signal = market.macd(params.macd_fast, params.macd_slow, params.macd_signal)
        fast, slow = market.sma(params.average_fast), market.sma(params.average_slow)
        votes = (
            (params.weight_rsi, _rsi_vote(rsi, low=params.rsi_oversold, high=params.rsi_overbought)),
            (params.weight_macd, _sign(macd - macd_signal)),
            (params.weight_averages, _sign(fast - slow)),
        )
        score = sum(weight * vote for weight, vote in votes) / sum(weight for weight, _ in votes)
        return base.Signal(
            action=_action(score, buy=params.buy_score, sell=params.sell_score),
            numbers={
                "score": f"{score:.4f}",
                "rsi": f"{rsi:.2f}",
                "macd": f"{macd:.8g}",
                "macd_signal": f"{macd_signal:.8g}",
                "average_fast": f"{fast:.8g}",
                "average_slow": f"{slow:.8g}",
            },
        )


def _rsi_vote(rsi: float, *, low: float, high: float) -> float:
    if rsi <= low:
        return 1.0
    if rsi >= high:
        return -1.0
    return 1.0 - 2.0 * (rsi - low) / (high - low)


def _sign(value: float) -> float:
    return float(value > 0) - float(value < 0)


def _action(score: float, *, buy: float, sell: float) -> base.Action:
    if score >= buy:
        return base.Action.BUY
    return base.Action.SELL if score <= -sell else base.Action.HOLD
