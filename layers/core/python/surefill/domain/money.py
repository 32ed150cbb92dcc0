"""Exact decimal arithmetic for prices, quantities and money.

Every amount in Surefill is a `Decimal`. Sums and products of amounts of up to 28 significant digits are exact in
the context used here; anything that would round raises instead, so a balance can never drift by a rounded cent.
"""

from collections.abc import Iterable
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    Clamped,
    Context,
    Decimal,
    Inexact,
    InvalidOperation,
    Overflow,
    Underflow,
)

ZERO = Decimal(0)
# 28 digits: the precision every DynamoDB engine (also the local ones) agrees on in arithmetic; AWS itself has 38.
EXACT = Context(prec=28, traps=[InvalidOperation, Overflow, Underflow, Inexact, Clamped])
# Divisions (a percentage of a budget, a share of a cost) are rounded on purpose, always in the safe direction.
_ROUGH = Context(prec=34, traps=[InvalidOperation, Overflow])


class AmountError(ValueError):
    """An amount is not what the place it is used in needs."""


def to_decimal(value: str | int | Decimal, *, name: str = "amount") -> Decimal:
    """Return `value` as a finite Decimal. Floats are refused: they have already lost the digits."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise AmountError(f"{name} must be a decimal number given as text, was {value!r}")
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise AmountError(f"{name} must be a decimal number, was {value!r}") from None
    if not amount.is_finite():
        raise AmountError(f"{name} must be finite, was {value!r}")
    return amount


def positive(value: Decimal, *, name: str) -> Decimal:
    """Return `value` when it is above zero, raise AmountError otherwise."""
    if value <= ZERO:
        raise AmountError(f"{name} must be above 0, was {value}")
    return value


def not_negative(value: Decimal, *, name: str) -> Decimal:
    """Return `value` when it is zero or more, raise AmountError otherwise."""
    if value < ZERO:
        raise AmountError(f"{name} must not be negative, was {value}")
    return value


def add(*amounts: Decimal) -> Decimal:
    """Exact sum of `amounts`; raises decimal.Inexact when it does not fit 28 digits."""
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Exact sum of an iterable of amounts."""
    return add(*amounts)


def subtract(left: Decimal, right: Decimal) -> Decimal:
    """Exact difference."""
    return EXACT.subtract(left, right)


def multiply(left: Decimal, right: Decimal) -> Decimal:
    """Exact product."""
    return EXACT.multiply(left, right)


def divide_down(numerator: Decimal, denominator: Decimal, *, step: Decimal) -> Decimal:
    """Quotient rounded down to a multiple of `step`."""
    return floor_to_step(_ROUGH.divide(numerator, denominator), step)


def share_down(amount: Decimal, *, part: Decimal, whole: Decimal, step: Decimal) -> Decimal:
    """`amount` x `part` / `whole`, rounded down to a multiple of `step`; the product in between may be long."""
    return floor_to_step(_ROUGH.divide(_ROUGH.multiply(amount, part), whole), step)


def floor_to_step(value: Decimal, step: Decimal) -> Decimal:
    """Largest multiple of `step` that is not above `value` (both in the same unit)."""
    return _to_step(value, step, ROUND_FLOOR)


def ceil_to_step(value: Decimal, step: Decimal) -> Decimal:
    """Smallest multiple of `step` that is not below `value` (both in the same unit)."""
    return _to_step(value, step, ROUND_CEILING)


def _to_step(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    positive(step, name="step")
    steps = _ROUGH.divide(value, step).to_integral_value(rounding=rounding)
    return multiply(steps, step)


def plain(value: Decimal) -> str:
    """The amount as people write it: no exponent, no trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
