"""Prices inside one recorded candle, in the careful order: open, low, high, close; and where an exit becomes due."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from local.backtest.tape import FINEST, exact_price
from surefill.domain.exits import NOTHING_DUE, exit_due
from surefill.domain.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from local.backtest.history import History
    from surefill.domain.rows import Slot

# How exactly the price is found at which an exit becomes due, as a share of the price.
_PRECISION = Decimal("0.0000001")


def prices_inside(history: History, index: int) -> tuple[tuple[int, Decimal], ...]:
    """Time (ms since 1970) and price (quote) of the four steps through a candle."""
    opened_ms, third = history.opened_ms.item(index), history.length_ms // 3
    return (
        (opened_ms, exact_price(history.open.item(index))),
        (opened_ms + third, exact_price(history.low.item(index))),
        (opened_ms + 2 * third, exact_price(history.high.item(index))),
        (opened_ms + history.length_ms - 1, exact_price(history.close.item(index))),
    )


def price_of_exit(slot: Slot, *, before: Decimal, price: Decimal, now: datetime) -> Decimal | None:
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
