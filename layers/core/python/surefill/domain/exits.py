"""When a position must be sold: its stored levels against the price somebody would pay now."""

from decimal import Decimal

from surefill.domain.reasons import Reason
from surefill.domain.rows import Slot


def exit_reason(slot: Slot, *, bid: Decimal) -> Reason:
    """The level reached at `bid` (the stop loss first), EXIT_WAITING when none is, UNPROTECTED when there is none."""
    if slot.stop_loss is None and slot.take_profit is None:
        return Reason.UNPROTECTED
    if slot.stop_loss is not None and bid <= slot.stop_loss:
        return Reason.STOP_LOSS
    if slot.take_profit is not None and bid >= slot.take_profit:
        return Reason.TAKE_PROFIT
    return Reason.EXIT_WAITING
