"""DCA: buys the same amount again and again, whatever the price.

| position | since the newest buy | buys so far | signal |
|---|---|---|---|
| none | | | BUY |
| held | at least `interval_hours` | below `max_buys` (0: no limit) | BUY, one more tranche |
| held | at least `interval_hours` | `max_buys` reached | HOLD |
| held | less | any | HOLD |

The time of a buy counts from the start of the candle it fell into, so that an order that took seconds does not
move the next one.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from pydantic import Field

from surefill.domain.times import from_milliseconds, to_milliseconds
from surefill.strategies import base
from surefill.strategies.market import MarketView


class DcaParams(base.Params):
    """Time in hours, money in quote."""

    interval_hours: int = Field(24, ge=1, le=8_760, description="hours between two buys")
    amount: Decimal | None = Field(
        None, gt=0, le=10**9, description="quote money of each buy; none: what the bot's sizing says"
    )
    max_buys: int = Field(0, ge=0, le=100_000, description="number of buys, 0 for no limit")


class Dca(base.Strategy):
    """Cost averaging by the clock."""

    name: ClassVar[str] = "dca"
    confirms: ClassVar[bool] = False
    Params: ClassVar[type[base.Params]] = DcaParams
    default_timeframe: ClassVar[str] = "1h"
    default_interval_seconds: ClassVar[int] = 86_400
    holds_without_stop: ClassVar[bool] = True

    params: DcaParams

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        """The last candle only, for its time."""
        return base.Needs(candles=1)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        """Buy when it is time."""
        numbers = base.readings(close=market.close())
        if position is None:
            return self._buy(numbers)
        newest = position.last_at or position.opened_at
        if newest is None:
            raise ValueError("a position must say when it was opened")
        elapsed = market.closed_at - _candle_start(newest, length=market.closed_at - market.opened_at())
        numbers |= {"hours": f"{elapsed / timedelta(hours=1):.2f}", "buys": str(position.tranches)}
        due = elapsed >= timedelta(hours=self.params.interval_hours)
        more = self.params.max_buys == 0 or position.tranches < self.params.max_buys
        return self._buy(numbers) if due and more else base.Signal(action=base.Action.HOLD, numbers=numbers)

    def _buy(self, numbers: dict[str, str]) -> base.Signal:
        return base.Signal(action=base.Action.BUY, adds=True, spend=self.params.amount, numbers=numbers)


def _candle_start(moment: datetime, *, length: timedelta) -> datetime:
    milliseconds = to_milliseconds(moment)
    return from_milliseconds(milliseconds - milliseconds % (length // timedelta(milliseconds=1)))
