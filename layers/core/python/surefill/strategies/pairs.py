"""Pairs: of two symbols that usually move together, buys the one that has become cheap against the other.

| position | z-score of log(own price / other price) | signal |
|---|---|---|
| none | at most `-entry_z`, above `-stop_z` | BUY |
| none | at or below `-stop_z` | HOLD |
| none | above `-entry_z` | HOLD |
| held | at least `-exit_z` | SELL |
| held | at or below `-stop_z` | SELL |
| held | between | HOLD |
| any | unknown: prices stand still, or candles of one symbol are missing | HOLD |

The bot trades exactly two symbols; each is evaluated against the other, so only the cheap one is bought.
"""

import math
from typing import ClassVar

from pydantic import Field, model_validator

from surefill.strategies import base
from surefill.strategies.market import MarketView


class PairsParams(base.Params):
    """Span in candles, distances in standard deviations."""

    lookback: int = Field(120, ge=10, le=1_000, description="candles of mean and deviation")
    entry_z: float = Field(2, gt=0, le=10, description="deviations below the mean at which it buys")
    exit_z: float = Field(0, ge=0, le=5, description="deviations below the mean at which it sells")
    stop_z: float = Field(4, gt=0, le=20, description="deviations at which the pair counts as broken")

    @model_validator(mode="after")
    def _consistent(self) -> "PairsParams":
        if not self.exit_z < self.entry_z < self.stop_z:
            raise ValueError(
                f"exit_z must be below entry_z, and that below stop_z, was {self.exit_z}, {self.entry_z}, {self.stop_z}"
            )
        return self


class Pairs(base.Strategy):
    """Long the cheap leg of a pair."""

    name: ClassVar[str] = "pairs"
    Params: ClassVar[type[base.Params]] = PairsParams
    default_timeframe: ClassVar[str] = "30m"
    default_interval_seconds: ClassVar[int] = 1_800

    params: PairsParams

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """The same candles of both symbols. Raises ValueError when the bot does not trade exactly two."""
        if len(symbols) != 2:
            raise ValueError(f"pairs needs a bot with exactly 2 symbols, was {len(symbols)}")
        other = next(name for name in symbols if name != symbol)
        return base.Needs(
            candles=self.params.lookback, others=(base.Other(candles=self.params.lookback, symbol=other),)
        )

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """Entry without a position, exit with one."""
        other = market.other(symbol=market.other_symbols[0])
        z = self._z_score(market, other)
        numbers = base.readings(close=market.close(), other=other.close())
        if z is None:
            return base.Signal(action=base.Action.HOLD, numbers={**numbers, "z_score": "unknown"})
        params = self.params
        action = base.Action.HOLD
        if position is None:
            if -params.stop_z < z <= -params.entry_z:
                action = base.Action.BUY
        elif z >= -params.exit_z or z <= -params.stop_z:
            action = base.Action.SELL
        return base.Signal(action=action, numbers={**numbers, "z_score": f"{z:.4f}"})

    def _z_score(self, market: MarketView, other: MarketView) -> float | None:
        span = self.params.lookback
        if market.opened_at() != other.opened_at() or market.opened_at(span - 1) != other.opened_at(span - 1):
            return None
        own_closes, other_closes = market.window("close", span).tolist(), other.window("close", span).tolist()
        ratios = [math.log(own / its) for own, its in zip(own_closes, other_closes, strict=True)]
        mean = math.fsum(ratios) / span
        deviation = math.sqrt(math.fsum((ratio - mean) ** 2 for ratio in ratios) / span)
        # Below this the ratio stands still and its deviation is rounding.
        return (ratios[-1] - mean) / deviation if deviation > 1e-9 else None
