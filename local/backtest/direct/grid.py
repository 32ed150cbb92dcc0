"""Rounding to steps, as `domain.money` does it, with one operation where the step is a power of ten."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation, Overflow

from surefill.domain.money import ceil_to_step, floor_to_step

# Quotients have as many digits as those of `domain.money`, and are rounded to a step from there.
ROUGH = Context(prec=34, traps=[InvalidOperation, Overflow])
_WIDE = Context(prec=80, traps=[InvalidOperation, Overflow])


@dataclass(frozen=True, slots=True)
class Grid:
    """Multiples of a step above 0. `unit` is the step when that is a power of ten."""

    step: Decimal
    unit: Decimal | None

    @classmethod
    def of(cls, step: Decimal) -> Grid:
        """The grid of a step."""
        power = Decimal(1).scaleb(step.adjusted())
        return cls(step, power if step == power else None)

    def floor(self, value: Decimal) -> Decimal:
        """The largest multiple that is not above `value`."""
        if self.unit is None:
            return floor_to_step(value, self.step)
        return value.quantize(self.unit, ROUND_FLOOR, _WIDE)

    def ceil(self, value: Decimal) -> Decimal:
        """The smallest multiple that is not below `value`."""
        if self.unit is None:
            return ceil_to_step(value, self.step)
        return value.quantize(self.unit, ROUND_CEILING, _WIDE)


# Money, and prices of levels.
CENTS = Grid.of(Decimal("0.00000001"))
