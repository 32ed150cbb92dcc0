"""What happens to positions and waiting orders within one recorded candle, taken in the careful order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from local.backtest.tape import FINEST, Tape, exact_price
from surefill.domain.candles import Quote
from surefill.domain.exits import NOTHING_DUE, exit_due
from surefill.domain.money import ZERO
from surefill.domain.reasons import Reason
from surefill.domain.rows import Side, Slot
from surefill.domain.states import SlotState
from surefill.domain.times import from_milliseconds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from local.backtest.stream import Stream
    from local.backtest.venue import BacktestVenue, Resting
    from local.backtest.world import World

# How exactly the price is found at which an exit becomes due, as a share of the price.
_PRECISION = Decimal("0.0000001")


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
        opened_ms, third = int(history.opened_ms[index]), history.length_ms // 3
        volume = history.volume.item(index)
        before = exact_price(history.open.item(index))
        steps = (
            (opened_ms, before),
            (opened_ms + third, exact_price(history.low.item(index))),
            (opened_ms + 2 * third, exact_price(history.high.item(index))),
            (opened_ms + history.length_ms - 1, exact_price(history.close.item(index))),
        )
        for ms, price in steps:
            found = self.world.store.get(Slot, slot.market_key, slot.owner_key)
            if found is None or found.state is not SlotState.OPEN:
                return
            now = from_milliseconds(ms)
            reached = _price_of_exit(found, before=before, price=price, now=now)
            if reached is not None or found.exit_rules is not None:
                self.tape.at(stream.symbol, ms=ms, price=price if reached is None else reached, volume=volume)
                bid = self.venue.prices[stream.symbol]
                quote = Quote(symbol=stream.symbol, bid=bid, ask=bid, at=now)
                self.world.exits.watch_slot(found, tick=now, quote=quote)
            before = price


def _is_reached(order: Resting, *, low: float, high: float) -> bool:
    limit = float(order.request.limit_price or 0)
    return low <= limit if order.request.side is Side.BUY else high >= limit


def _price_of_exit(slot: Slot, *, before: Decimal, price: Decimal, now: datetime) -> Decimal | None:
    """The price at which an exit becomes due on the way from `before` to `price`; None when none does."""
    due = exit_due(slot, bid=price, now=now)
    if due.reason in NOTHING_DUE:
        return None
    if before == price or exit_due(slot, bid=before, now=now).reason not in NOTHING_DUE:
        return before
    if due.stop is not None and price <= due.stop < before:
        return due.stop.quantize(FINEST, rounding=ROUND_FLOOR)
    if due.reason is Reason.TAKE_PROFIT and slot.take_profit is not None:
        return slot.take_profit.quantize(FINEST, rounding=ROUND_CEILING)
    quiet, firing = before, price
    while abs(firing - quiet) > max(FINEST, firing * _PRECISION):
        middle = ((quiet + firing) / 2).quantize(FINEST, rounding=ROUND_CEILING if firing > quiet else ROUND_FLOOR)
        if middle in (quiet, firing):
            break
        if exit_due(slot, bid=middle, now=now).reason in NOTHING_DUE:
            quiet = middle
        else:
            firing = middle
    return firing
