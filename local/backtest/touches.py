"""What happens to positions and waiting orders within one recorded candle, taken in the careful order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.backtest.inside import price_of_exit, prices_inside
from surefill.domain.candles import Quote
from surefill.domain.kinds import Side
from surefill.domain.money import ZERO
from surefill.domain.rows import Slot
from surefill.domain.states import SlotState
from surefill.domain.times import from_milliseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.backtest.stream import Stream
    from local.backtest.tape import Tape
    from local.backtest.venue import BacktestVenue, Resting
    from local.backtest.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Touches:
    """Fills waiting orders and starts exits at the prices of a candle."""

    world: World
    venue: BacktestVenue
    tape: Tape

    def fill_waiting(self, stream: Stream, *, own: Mapping[str, Resting], index: int) -> bool:
        """Fill what waits for a price of this candle, purchases first; whether anything did."""
        history = stream.fine.history
        low, high, volume = history.low.item(index), history.high.item(index), history.volume.item(index)
        ms = int(history.opened_ms[index]) + history.length_ms - 1
        touched = [
            (order.request.side is Side.SELL, name, order)
            for name, order in own.items()
            if _is_reached(order, low=low, high=high)
        ]
        for _, name, order in sorted(touched, key=lambda item: (item[0], -(item[2].request.limit_price or ZERO))):
            self.tape.at(stream.symbol, ms=ms, price=order.request.limit_price or ZERO, volume=volume)
            self.venue.fill_resting(order)
            self.world.settler.settle(name)
        return bool(touched)

    def exits(self, stream: Stream, slot: Slot, *, index: int) -> None:
        """Hold a position against the prices of one candle, in the careful order."""
        history = stream.fine.history
        volume = history.volume.item(index)
        steps = prices_inside(history, index)
        before = steps[0][1]
        for ms, price in steps:
            found = self.world.store.get(Slot, slot.market_key, slot.owner_key)
            if found is None or found.state is not SlotState.OPEN:
                return
            now = from_milliseconds(ms)
            reached = price_of_exit(found, before=before, price=price, now=now)
            if reached is not None or found.exit_rules is not None:
                self.tape.at(stream.symbol, ms=ms, price=price if reached is None else reached, volume=volume)
                bid = self.venue.prices[stream.symbol]
                quote = Quote(symbol=stream.symbol, bid=bid, ask=bid, at=now)
                self.world.exits.watch_slot(found, tick=now, quote=quote)
            before = price


def _is_reached(order: Resting, *, low: float, high: float) -> bool:
    limit = float(order.request.limit_price or 0)
    return low <= limit if order.request.side is Side.BUY else high >= limit
