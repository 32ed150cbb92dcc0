"""Find the next recorded candle at which a position must be sold, and at what price."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from local.backtest.inside import price_of_exit, prices_inside
from local.backtest.stream import first_touch
from surefill.domain.exits import NOTHING_DUE, exit_due
from surefill.domain.money import ZERO
from surefill.domain.times import from_milliseconds, to_milliseconds

if TYPE_CHECKING:
    from local.backtest.direct.slot import DirectSlot
    from local.backtest.history import History
    from surefill.domain.reasons import Reason
    from surefill.domain.rules import ExitRules

# A trailing stop is raised once the highest bid has risen by this factor (`domain.exits`).
_RAISED = 1.001
# Recorded prices are taken to 8 decimals: a level may be met by a price that is so much off it, and by a float's error.
_OFF, _OFF_SHARE = 2e-8, 1e-9
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """An exit that is due at a bid (quote), at a moment inside the recorded candle at `index`."""

    index: int
    bid: Decimal
    reason: Reason
    at_ms: int


def next_firing(slot: DirectSlot, history: History, *, first: int, until: int) -> Firing | None:
    """The first exit due in the candles from `first` on and before `until`. Keeps the slot's highest bid up to date."""
    while first < until:
        index = _candidate(slot, history, first=first, until=until)
        if index is None:
            return None
        firing = _firing(slot, history, index)
        if firing is not None:
            return firing
        first = index + 1
    return None


def _candidate(slot: DirectSlot, history: History, *, first: int, until: int) -> int | None:
    """The next candle at which anything can happen: an exit, or a highest bid that must be remembered."""
    if slot.exit_rules is None:
        stop = None if slot.stop_loss is None else float(slot.stop_loss)
        profit = None if slot.take_profit is None else float(slot.take_profit)
        return first_touch(history, first=first, until=until, stop=stop, profit=profit)
    late = _late(slot, slot.exit_rules, history)
    if first >= late:
        return first
    stop, profit = _bounds(slot, slot.exit_rules)
    found = first_touch(history, first=first, until=min(until, late), stop=stop, profit=profit)
    return late if found is None and late < until else found


def _late(slot: DirectSlot, rules: ExitRules, history: History) -> int:
    """The first candle in which the time limit is reached."""
    if rules.time_limit_seconds is None or slot.opened_at is None:
        return len(history.opened_ms)
    at_ms = to_milliseconds(slot.opened_at) + rules.time_limit_seconds * 1_000
    return int(history.opened_ms.searchsorted(at_ms - history.length_ms, side="left"))


def _bounds(slot: DirectSlot, rules: ExitRules) -> tuple[float | None, float | None]:
    """Prices between which nothing can happen, a little nearer than they are."""
    stops = [] if slot.stop_loss is None else [float(slot.stop_loss)]
    profits = [] if slot.take_profit is None else [float(slot.take_profit)]
    average = float(slot.cost / slot.quantity)
    highest = None if slot.highest is None else float(slot.highest)

    def gaining(percent: Decimal) -> float:
        return average * float((_HUNDRED + percent) / _HUNDRED)

    if rules.break_even_from_percent is not None:
        if highest is not None and highest >= gaining(rules.break_even_from_percent) * (1 - _OFF_SHARE):
            stops.append(gaining(rules.break_even_margin_percent))
        if highest is None or highest <= gaining(rules.break_even_from_percent) * (1 + _OFF_SHARE):
            profits.append(gaining(rules.break_even_from_percent))
    if rules.trailing_percent is not None:
        if highest is not None and highest >= gaining(rules.trailing_from_percent) * (1 - _OFF_SHARE):
            stops.append(highest * float((_HUNDRED - rules.trailing_percent) / _HUNDRED))
            profits.append(highest * _RAISED)
        if highest is None or highest <= gaining(rules.trailing_from_percent) * (1 + _OFF_SHARE):
            profits.append(gaining(rules.trailing_from_percent))
    profits += [gaining(step.percent) for step in rules.roi]
    stop, profit = max(stops, default=None), min(profits, default=None)
    return (
        None if stop is None else stop * (1 + _OFF_SHARE) + _OFF,
        None if profit is None else profit * (1 - _OFF_SHARE) - _OFF,
    )


def _firing(slot: DirectSlot, history: History, index: int) -> Firing | None:
    steps = prices_inside(history, index)
    before = steps[0][1]
    for at_ms, price in steps:
        now = from_milliseconds(at_ms)
        reached = price_of_exit(slot.row, before=before, price=price, now=now)
        bid = price if reached is None else reached
        if (reached is not None or slot.exit_rules is not None) and bid > ZERO:
            due = exit_due(slot.row, bid=bid, now=now)
            if due.highest is not None:
                slot.highest = due.highest
            if due.reason not in NOTHING_DUE:
                return Firing(index=index, bid=bid, reason=due.reason, at_ms=at_ms)
        before = price
    return None
