"""What the grids share: price levels, and rungs between them."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from itertools import pairwise

from surefill.domain.money import plain
from surefill.strategies.base import Rung

# Eight significant digits are finer than the price steps of venues; the engine rounds each price to its market's step.
_LEVEL = Context(prec=8, rounding=ROUND_HALF_EVEN)
_EXACT = Context(prec=34)

# Buying and selling cost about 0.1 % each at most venues: a narrower step can only lose.
NARROWEST_PERCENT = Decimal("0.2")


class Spacing(StrEnum):
    """Equal distances in quote, or equal distances in per cent."""

    ARITHMETIC = "arithmetic"
    GEOMETRIC = "geometric"


def levels_between(*, lower: Decimal, upper: Decimal, count: int, spacing: Spacing) -> list[Decimal]:
    """`count` rising prices from `lower` to `upper`, both included."""
    steps = count - 1
    if spacing is Spacing.ARITHMETIC:
        inner = [_EXACT.add(lower, (upper - lower) * index / steps) for index in range(1, steps)]
    else:
        ratio = _EXACT.power(_EXACT.divide(upper, lower), _EXACT.divide(Decimal(1), Decimal(steps)))
        inner = [_EXACT.multiply(lower, _EXACT.power(ratio, index)) for index in range(1, steps)]
    return [lower, *(_LEVEL.plus(level) for level in inner), upper]


def level_above(lower: Decimal, *, step_percent: Decimal, index: int, spacing: Spacing) -> Decimal:
    """Level number `index` of a grid without an upper end; level 0 is `lower`."""
    step = step_percent / 100
    if spacing is Spacing.ARITHMETIC:
        return _LEVEL.multiply(lower, 1 + step * index)
    return _LEVEL.multiply(lower, _EXACT.power(1 + step, index))


def narrowest_percent(levels: Sequence[Decimal]) -> Decimal:
    """The smallest distance between two levels, in per cent of the lower one."""
    return min((high - low) / low * 100 for low, high in pairwise(levels))


def rungs_between(levels: Sequence[Decimal], *, first: int = 0) -> tuple[Rung, ...]:
    """One rung per pair of neighbours, bought at the lower and sold at the upper; named by the number of the lower."""
    return tuple(
        Rung(name=f"level{first + index}", buy_price=low, sell_price=high)
        for index, (low, high) in enumerate(pairwise(levels))
    )


def described(rungs: Sequence[Rung], *, close: float) -> dict[str, str]:
    """Numbers of a grid's signal: the close, and how many rungs may buy where."""
    buying = [rung.buy_price for rung in rungs if rung.buys]
    numbers = {"close": f"{close:.8g}", "rungs": str(len(rungs)), "buying": str(len(buying))}
    if buying:
        numbers |= {"lowest_buy": plain(buying[0]), "highest_buy": plain(buying[-1])}
    return numbers
