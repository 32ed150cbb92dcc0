"""Rebalance: keeps each symbol at its share of the bot's equity; what is not given away stays money.

| value against its target | signal |
|---|---|
| too low by `threshold_percent` of the equity or more | BUY, one more tranche of the difference |
| too high by as much | SELL, the share that is too much |
| within the threshold | HOLD |
| any, when the difference is below `minimum_trade` | HOLD |

The bot's interval says when it looks (7 days: rebalancing by time), the threshold how far a share may drift. A short
interval with a wide threshold is rebalancing by threshold.
"""

from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import ClassVar

from pydantic import Field, field_validator

from surefill.domain.money import plain
from surefill.strategies import base
from surefill.strategies.market import MarketView

_CENT, _SHARE = Decimal("0.00000001"), Decimal("0.000001")


class RebalanceParams(base.Params):
    """Shares in per cent of the equity, money in quote."""

    weights: str = Field(
        max_length=2_000,
        description="share of each symbol in % of the equity, together at most 100",
        examples=["BTC/USDT=50, ETH/USDT=30"],
    )
    threshold_percent: Decimal = Field(
        Decimal(1), ge=0, le=50, description="drift that is accepted, in % of the equity"
    )
    minimum_trade: Decimal = Field(Decimal(10), ge=0, le=10**9, description="smallest difference traded, in quote")

    @field_validator("weights")
    @classmethod
    def _readable(cls, text: str) -> str:
        targets_of(text)
        return text


class Rebalance(base.Strategy):
    """Fixed shares of several symbols."""

    name: ClassVar[str] = "rebalance"
    confirms: ClassVar[bool] = False
    Params: ClassVar[type[base.Params]] = RebalanceParams
    default_timeframe: ClassVar[str] = "1h"
    default_interval_seconds: ClassVar[int] = 7 * 86_400
    holds_without_stop: ClassVar[bool] = True

    params: RebalanceParams

    def __init__(self, params: Mapping[str, object]) -> None:
        super().__init__(params)
        self._targets = targets_of(self.params.weights)

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """The last close and the bot's equity. Raises ValueError when the weights don't name the bot's symbols."""
        if set(symbols) != set(self._targets):
            wanted, named = ", ".join(sorted(symbols)), ", ".join(sorted(self._targets))
            raise ValueError(f"weights must name the bot's symbols {wanted}, was {named}")
        return base.Needs(candles=1, equity=True)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """Compare the value held with its target."""
        if position is None or position.equity is None:
            raise ValueError("rebalance must be given the bot's equity")
        equity = position.equity
        value = position.quantity * Decimal(str(market.close()))
        target = equity * self._targets[market.symbol] / 100
        excess = value - target
        drift = excess / equity * 100 if equity > 0 else Decimal(0)
        numbers = {
            "equity": plain(equity),
            "value": plain(value.quantize(_CENT)),
            "target": plain(target.quantize(_CENT)),
            "drift_percent": f"{drift:.4f}",
        }
        if excess == 0 or abs(excess) < self.params.minimum_trade or abs(drift) < self.params.threshold_percent:
            return base.Signal(action=base.Action.HOLD, numbers=numbers)
        if excess < 0:
            spend = (-excess).quantize(_CENT, rounding=ROUND_DOWN)
            return base.Signal(action=base.Action.BUY, spend=spend, adds=True, numbers=numbers)
        share = min((excess / value).quantize(_SHARE, rounding=ROUND_UP), Decimal(1))
        return base.Signal(action=base.Action.SELL, share=share, numbers=numbers)


def targets_of(text: str) -> dict[str, Decimal]:
    """Parse "BTC/USDT=50, ETH/USDT=30". Raises ValueError."""
    targets: dict[str, Decimal] = {}
    for part in text.split(","):
        symbol, _, percent = (piece.strip() for piece in part.partition("="))
        if "/" not in symbol or not percent.replace(".", "", 1).isdecimal():
            raise ValueError(f"weights must look like BTC/USDT=50, ETH/USDT=30, was {part.strip()!r}")
        if symbol in targets:
            raise ValueError(f"weights must name each symbol once, {symbol} comes twice")
        if not 0 < Decimal(percent) <= 100:
            raise ValueError(f"a weight must be above 0 and at most 100, was {percent} for {symbol}")
        targets[symbol] = Decimal(percent)
    if sum(targets.values()) > 100:
        raise ValueError(f"weights must be 100 together at most, was {sum(targets.values())}")
    return targets
