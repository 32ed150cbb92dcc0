"""When a position must be sold: its stored levels and rules against the price somebody would pay now.

Stops are looked at first, so that a price that says two things at once costs at most what the stop allows. Profit is
per cent of the average cost, fees of the purchase included.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from surefill.domain.market import Refusal
from surefill.domain.money import ZERO, multiply, plain, share_down
from surefill.domain.reasons import Reason
from surefill.domain.rows import Slot
from surefill.domain.rules import ExitRules, LadderStep

# A trailing stop is stored again once it has risen by this much: a write a minute would cost more than it protects.
RAISE_PERCENT = Decimal("0.1")
# Reasons to leave a position as it is.
NOTHING_DUE = frozenset({Reason.EXIT_WAITING, Reason.UNPROTECTED, Reason.NOT_WANTED})
_ALL = Decimal(1)
_HUNDRED = Decimal(100)
_PRICE_GRID = Decimal("0.000000000001")
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
    top = bid if slot.highest is None else max(bid, slot.highest)
    stop, kind = max(_stops(slot, rules, top=top), key=lambda level: level[0], default=(None, Reason.STOP_LOSS))
    if stop is not None and bid <= stop:
        return ExitDue(reason=kind, stop=stop)
    if slot.take_profit is not None and bid >= slot.take_profit:
        return ExitDue(reason=Reason.TAKE_PROFIT, stop=stop)
    step = next_step(slot)
    if step is not None and _gains(slot, bid, step.percent):
        return ExitDue(reason=Reason.LADDER, share=step.share, stop=stop, highest=_to_store(slot, rules, top=top))
    age = int((now - slot.opened_at).total_seconds()) if slot.opened_at is not None else 0
    wanted = _roi(rules, age=age)
    if wanted is not None and _gains(slot, bid, wanted):
        return ExitDue(reason=Reason.ROI, stop=stop)
    if rules.time_limit_seconds is not None and age >= rules.time_limit_seconds:
        return ExitDue(reason=Reason.TIME_LIMIT, stop=stop)
    return ExitDue(reason=_idle(slot, rules, stop=stop), stop=stop, highest=_to_store(slot, rules, top=top))


def next_step(slot: Slot) -> LadderStep | None:
    """The ladder step to be sold next, None when there is none left."""
    ladder = slot.exit_rules.ladder if slot.exit_rules is not None else ()
    return ladder[slot.ladder_done] if slot.ladder_done < len(ladder) else None


def profit_percent(slot: Slot, *, price: Decimal) -> Decimal:
    """What selling at `price` would bring over the average cost, in per cent, before the fee of the sale."""
    return share_down(price, part=slot.quantity * _HUNDRED, whole=slot.cost, step=_PRICE_GRID) - _HUNDRED


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


def _stops(slot: Slot, rules: ExitRules, *, top: Decimal) -> Iterator[tuple[Decimal, Reason]]:
    """The stop prices in force once `top` has been seen."""
    if slot.stop_loss is not None:
        yield slot.stop_loss, Reason.STOP_LOSS
    if rules.break_even_from_percent is not None and _gains(slot, top, rules.break_even_from_percent):
        part = _HUNDRED + rules.break_even_margin_percent
        whole = slot.quantity * _HUNDRED
        yield share_down(slot.cost, part=part, whole=whole, step=_PRICE_GRID), Reason.BREAK_EVEN
    if rules.trailing_percent is not None and _gains(slot, top, rules.trailing_from_percent):
        part = _HUNDRED - rules.trailing_percent
        yield share_down(top, part=part, whole=_HUNDRED, step=_PRICE_GRID), Reason.TRAILING_STOP


def _to_store(slot: Slot, rules: ExitRules, *, top: Decimal) -> Decimal | None:
    """`top` when the stored highest bid must be raised to it: a rule becomes active, or the trailing stop has risen."""
    known = slot.highest
    if rules.trailing_percent is not None and _gains(slot, top, rules.trailing_from_percent):
        if known is None or not _gains(slot, known, rules.trailing_from_percent):
            return top
        if top >= share_down(known, part=_HUNDRED + RAISE_PERCENT, whole=_HUNDRED, step=_PRICE_GRID):
            return top
    if (
        rules.break_even_from_percent is not None
        and _gains(slot, top, rules.break_even_from_percent)
        and (known is None or not _gains(slot, known, rules.break_even_from_percent))
    ):
        return top
    return None


def _gains(slot: Slot, price: Decimal, percent: Decimal) -> bool:
    return profit_percent(slot, price=price) >= percent


def _roi(rules: ExitRules, *, age: int) -> Decimal | None:
    reached = [step for step in rules.roi if step.after_seconds <= age]
    return max(reached, key=lambda step: step.after_seconds).percent if reached else None


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
