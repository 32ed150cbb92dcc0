"""Composite: RSI, MACD and two moving averages vote; a clear majority of the weights is a signal.

| vote | +1 | between | -1 |
|---|---|---|---|
| RSI | at or below `rsi_oversold` | linear; 0 when no candle rose at all | at or above `rsi_overbought` |
| MACD | line above its signal | 0 when equal | line below |
| averages | fast above slow | 0 when equal | fast below slow |

The score is the weighted mean of the votes, -1 to +1.

| score | signal |
|---|---|
| at or above `buy_score` | BUY |
| between | HOLD |
| at or below `-sell_score` | SELL |

`temperature` is how easily it acts; a level that is given itself wins over the preset.

| temperature | `rsi_oversold` | `rsi_overbought` | `buy_score` and `sell_score` |
|---|---|---|---|
| cold | 25 | 75 | 0.7 |
| warm | 30 | 70 | 0.5 |
| hot | 35 | 65 | 0.3 |
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field, model_validator

from surefill.strategies import base, indicators
from surefill.strategies.market import MarketView, Series


class Temperature(StrEnum):
    """How easily a strategy acts."""

    COLD = "cold"
    WARM = "warm"
    HOT = "hot"


_PRESETS: Mapping[str, Mapping[str, float]] = {
    Temperature.COLD: {"rsi_oversold": 25, "rsi_overbought": 75, "buy_score": 0.7, "sell_score": 0.7},
    Temperature.WARM: {"rsi_oversold": 30, "rsi_overbought": 70, "buy_score": 0.5, "sell_score": 0.5},
    Temperature.HOT: {"rsi_oversold": 35, "rsi_overbought": 65, "buy_score": 0.3, "sell_score": 0.3},
}

# Averages of a price that stands still differ in the last digit; this share of the price is no difference.
_EQUAL = 1e-9


class CompositeParams(base.Params):
    """Periods in candles, RSI levels 0 to 100, weights and scores without unit."""

    temperature: Temperature = Field(Temperature.WARM, description="preset of the levels below")
    rsi_period: int = Field(14, ge=2, le=100, description="candles of the RSI")
    rsi_oversold: float = Field(30, gt=0, lt=50, description="RSI that votes +1")
    rsi_overbought: float = Field(70, gt=50, lt=100, description="RSI that votes -1")
    macd_fast: int = Field(12, ge=2, le=100, description="candles of the fast average of the MACD")
    macd_slow: int = Field(26, ge=3, le=200, description="candles of the slow average of the MACD")
    macd_signal: int = Field(9, ge=2, le=100, description="candles of the signal line")
    average_fast: int = Field(10, ge=2, le=200, description="candles of the fast moving average")
    average_slow: int = Field(50, ge=3, le=400, description="candles of the slow moving average")
    weight_rsi: float = Field(0.4, ge=0, le=1, description="weight of the RSI vote")
    weight_macd: float = Field(0.35, ge=0, le=1, description="weight of the MACD vote")
    weight_averages: float = Field(0.25, ge=0, le=1, description="weight of the vote of the averages")
    buy_score: float = Field(0.5, gt=0, le=1, description="score from which it buys")
    sell_score: float = Field(0.5, gt=0, le=1, description="score below zero from which it sells")

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, values: Any) -> Any:
        preset = _PRESETS.get(values.get("temperature", Temperature.WARM), {}) if isinstance(values, dict) else {}
        return {**preset, **values} if preset else values

    @model_validator(mode="after")
    def _consistent(self) -> "CompositeParams":
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
    Params: ClassVar[type[base.Params]] = CompositeParams

    params: CompositeParams

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """Enough that the recursive averages have forgotten where they began."""
        params = self.params
        longest = max(
            params.average_slow,
            indicators.memory_of_ema(params.macd_slow + params.macd_signal),
            indicators.memory_of_wilder(params.rsi_period),
        )
        return base.Needs(candles=longest + 1)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """Vote. A position does not change the vote; the engine refuses a second buy and a sale of nothing."""
        params = self.params
        rsi = market.rsi(params.rsi_period)
        macd, macd_signal = market.macd(params.macd_fast, params.macd_slow, params.macd_signal)
        fast, slow = market.sma(params.average_fast), market.sma(params.average_slow)
        rsi_vote = _rsi_vote(rsi, low=params.rsi_oversold, high=params.rsi_overbought)
        score = self._score(rsi_vote, _sign(macd - macd_signal, scale=slow), _sign(fast - slow, scale=slow))
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

    def screen(self, series: Series) -> Any:
        """Where the score reaches a limit; computed in the order of `decide`, so that no rounding differs."""
        params = self.params
        rsi = series.once(indicators.rsi, params.rsi_period)
        macd, macd_signal = series.once(indicators.macd, params.macd_fast, params.macd_slow, params.macd_signal)
        fast, slow = series.once(indicators.sma, params.average_fast), series.once(indicators.sma, params.average_slow)
        low, high = params.rsi_oversold, params.rsi_overbought
        rsi_vote = 1.0 - 2.0 * (rsi - low) / (high - low)
        rsi_vote[rsi <= low] = 1.0
        rsi_vote[rsi >= high] = -1.0
        rsi_vote[rsi <= 0] = 0.0
        score = self._score(rsi_vote, _signs(macd - macd_signal, scale=slow), _signs(fast - slow, scale=slow))
        return (score >= params.buy_score) | (score <= -params.sell_score)

    @property
    def _weights(self) -> float:
        return self.params.weight_rsi + self.params.weight_macd + self.params.weight_averages

    def _score(self, rsi: Any, macd: Any, averages: Any) -> Any:
        params = self.params
        votes = params.weight_rsi * rsi + params.weight_macd * macd + params.weight_averages * averages
        return votes / self._weights


def _rsi_vote(rsi: float, *, low: float, high: float) -> float:
    if rsi <= 0:
        return 0.0
    if rsi <= low:
        return 1.0
    if rsi >= high:
        return -1.0
    return 1.0 - 2.0 * (rsi - low) / (high - low)


def _sign(value: float, *, scale: float) -> float:
    return float(value > _EQUAL * scale) - float(value < -_EQUAL * scale)


def _signs(values: Any, *, scale: Any) -> Any:
    return (values > _EQUAL * scale).astype(float) - (values < -_EQUAL * scale).astype(float)


def _action(score: float, *, buy: float, sell: float) -> base.Action:
    if score >= buy:
        return base.Action.BUY
    return base.Action.SELL if score <= -sell else base.Action.HOLD
