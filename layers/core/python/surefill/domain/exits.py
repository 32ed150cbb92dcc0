"""When a position must be sold: its stored levels and rules against the price somebody would pay now.

Stops are looked at first, so that a price that says two things at once costs at most what the stop allows. Profit is
per cent of the average cost, fees of the purchase included.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from surefill.domain.market import Refusal
from surefill.domain.money import ZERO, multiply, plain, share_down
from surefill.domain.reasons import Reason
from surefill.domain.rows import Slot
from surefill.domain.rules import ExitRules

# The highest bid is stored again once it has risen by a tenth of a per cent: a write a minute would save less.
_WORTH_STORING = Decimal("1.001")
# Reasons to leave a position as it is.
NOTHING_DUE = frozenset({Reason.EXIT_WAITING, Reason.UNPROTECTED, Reason.NOT_WANTED})
_ALL = Decimal(1)
_HUNDRED = Decimal(100)
_PERCENT_GRID = Decimal("0.0001")
_NO_RULES = ExitRules()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitDue:
    """What to do with a position now, and why.

    `share` is the part to sell, above 0 and at most 1: of all that was ever bought for a LADDER step, of what is left
    otherwise. `stop` is the highest stop price in force, None without one. `highest` is the highest bid to store.
    """

    reason: Reason
    share: Decimal = _ALL
    stop: Decimal | None = None
    highest: Decimal | None = None


def exit_due(slot: Slot, *, bid: Decimal, now: datetime) -> ExitDue:
    """The exit due at `bid`: stops, take profit, ladder, ROI, time limit, in this order.

    When none is: EXIT_WAITING; UNPROTECTED when a stop is wanted and missing, or when there is no exit of any kind and
    nobody said so; NOT_WANTED when the bot said so, by a take profit of 0 and no stop loss.
    """
    rules = slot.exit_rules or _NO_RULES
    top = bid if slot.highest is None or slot.highest < bid else slot.highest
    stop, kind = _stop(slot, rules, top=top)
    if stop is not None and bid <= stop:
        return ExitDue(reason=kind, stop=stop)
    if slot.take_profit is not None and bid >= slot.take_profit:
        return ExitDue(reason=Reason.TAKE_PROFIT, stop=stop)
    step = rules.ladder[slot.ladder_done] if slot.ladder_done < len(rules.ladder) else None
    if step is not None and _gains(slot, bid, step.percent):
        return ExitDue(reason=Reason.LADDER, share=step.share, stop=stop, highest=_to_store(slot, rules, top=top))
    by_time = _by_time(slot, rules, bid=bid, now=now)
    if by_time is not None:
        return ExitDue(reason=by_time, stop=stop)
    return ExitDue(reason=_idle(slot, rules, stop=stop), stop=stop, highest=_to_store(slot, rules, top=top))


def atr_stop_percent(*, atr: Decimal | None, price: Decimal, multiple: Decimal) -> Decimal | Refusal:
    """Distance of a stop `multiple` average true ranges (quote) below `price`, in per cent to four decimals.

    SIZE_UNKNOWN when that is no stop: no range known, or one of 0 or of the whole price and more.
    """
    percent = (
        ZERO if atr is None else share_down(atr, part=multiply(multiple, _HUNDRED), whole=price, step=_PERCENT_GRID)
    )
    if ZERO < percent < _HUNDRED:
        return percent
    numbers = {"atr": "none" if atr is None else plain(atr), "multiple": plain(multiple), "price": plain(price)}
    return Refusal(reason=Reason.SIZE_UNKNOWN, numbers={"missing": "atr_stop", **numbers})


def _stop(slot: Slot, rules: ExitRules, *, top: Decimal) -> tuple[Decimal | None, Reason]:
    """The highest stop price in force once `top` has been seen, and whose it is."""
    stop, kind = slot.stop_loss, Reason.STOP_LOSS
    if rules.break_even_from_percent is not None and _gains(slot, top, rules.break_even_from_percent):
        even = slot.cost * (_HUNDRED + rules.break_even_margin_percent) / (slot.quantity * _HUNDRED)
        if stop is None or even > stop:
            stop, kind = even, Reason.BREAK_EVEN
    if rules.trailing_percent is not None and _gains(slot, top, rules.trailing_from_percent):
        trailed = top * (_HUNDRED - rules.trailing_percent) / _HUNDRED
        if stop is None or trailed > stop:
            stop, kind = trailed, Reason.TRAILING_STOP
    return stop, kind


def _to_store(slot: Slot, rules: ExitRules, *, top: Decimal) -> Decimal | None:
    """`top` when the stored highest bid must be raised to it: a rule becomes active, or the trailing stop has risen."""
    if rules.trailing_percent is not None and _gains(slot, top, rules.trailing_from_percent):
        known = slot.highest
        if known is None or not _gains(slot, known, rules.trailing_from_percent) or top >= known * _WORTH_STORING:
            return top
    if rules.break_even_from_percent is not None and _gains(slot, top, rules.break_even_from_percent):
        known = slot.highest
        if known is None or not _gains(slot, known, rules.break_even_from_percent):
            return top
    return None


def _gains(slot: Slot, price: Decimal, percent: Decimal) -> bool:
    """Whether selling at `price` brings `percent` over the average cost, before the fee of the sale."""
    return price * slot.quantity * _HUNDRED >= slot.cost * (_HUNDRED + percent)


def _by_time(slot: Slot, rules: ExitRules, *, bid: Decimal, now: datetime) -> Reason | None:
    if slot.opened_at is None or not (rules.roi or rules.time_limit_seconds is not None):
        return None
    age = (now - slot.opened_at).total_seconds()
    reached = [step for step in rules.roi if step.after_seconds <= age]
    if reached and _gains(slot, bid, max(reached, key=lambda step: step.after_seconds).percent):
        return Reason.ROI
    late = rules.time_limit_seconds is not None and age >= rules.time_limit_seconds
    return Reason.TIME_LIMIT if late else None


def _idle(slot: Slot, rules: ExitRules, *, stop: Decimal | None) -> Reason:
    if stop is not None:
        return Reason.EXIT_WAITING
    if slot.stop_loss_percent:
        return Reason.UNPROTECTED
    if slot.take_profit is not None or _any_rule(rules):
        return Reason.EXIT_WAITING
    return Reason.NOT_WANTED if slot.take_profit_percent == ZERO else Reason.UNPROTECTED


def _any_rule(rules: ExitRules) -> bool:
    return bool(
        rules.trailing_percent is not None
        or rules.break_even_from_percent is not None
        or rules.time_limit_seconds is not None
        or rules.roi
        or rules.ladder
    )
