"""Webhook: buys and sells when an alert of a charting service says so; in between it waits.

| what happens | signal |
|---|---|
| no alert | HOLD, waiting for an alert |
| an alert older than `max_age_seconds` | HOLD |
| an alert whose price is farther than `max_gap_percent` from the last close | HOLD |
| a fresh alert BUY | BUY (with `adds`: one more tranche when a position is open) |
| a fresh alert SELL | SELL |
| a fresh alert HOLD | HOLD |

The age is counted at the close of the newest candle. An alert without a price is not compared.
"""

from datetime import timedelta
from typing import Any, ClassVar

from pydantic import Field

from surefill.domain.money import plain
from surefill.domain.times import format_time
from surefill.strategies import base
from surefill.strategies.market import MarketView, Series


class WebhookParams(base.Params):
    """Time in seconds, distance in per cent."""

    max_age_seconds: int = Field(300, ge=1, le=86_400, description="oldest alert that is followed, in seconds")
    max_gap_percent: float = Field(2, gt=0, le=50, description="largest distance of its price from the close, in %")
    adds: bool = Field(False, description="an alert BUY adds to an open position")


class Webhook(base.AlertStrategy):
    """Follows alerts."""

    name: ClassVar[str] = "webhook"
    confirms: ClassVar[bool] = False
    Params: ClassVar[type[base.Params]] = WebhookParams
    default_timeframe: ClassVar[str] = "5m"
    default_interval_seconds: ClassVar[int] = 300

    params: WebhookParams

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """The last close only."""
        return base.Needs(candles=1)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """Wait."""
        numbers = {"waiting": "waiting for an alert", **base.readings(close=market.close())}
        return base.Signal(action=base.Action.HOLD, numbers=numbers)

    def on_alert(self, alert: base.Alert, market: MarketView, position: base.Position | None) -> base.Signal:
        """Follow a fresh alert that fits the market."""
        close = market.close()
        age = (market.closed_at - alert.at) / timedelta(seconds=1)
        numbers = {"alert": alert.action, "alert_at": format_time(alert.at), "age_seconds": f"{age:.3f}"}
        numbers |= base.readings(close=close)
        follow = age <= self.params.max_age_seconds
        if alert.price is not None:
            gap = abs(float(alert.price) - close) / close * 100
            follow = follow and gap <= self.params.max_gap_percent
            numbers |= {"alert_price": plain(alert.price), **base.readings(gap_percent=gap)}
        action = alert.action if follow else base.Action.HOLD
        return base.Signal(action=action, adds=self.params.adds and action is base.Action.BUY, numbers=numbers)

    def screen(self, series: Series) -> Any:
        """Nowhere: without an alert there is nothing to do."""
        return series.column("close") < 0
