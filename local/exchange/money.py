"""Decimal helpers: eight decimals, as in every amount Binance sends.

Source: Binance spot REST docs, exchangeInfo: baseAssetPrecision, quoteAssetPrecision and both commission precisions
are 8.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_UP, Decimal

ZERO = Decimal(0)
_EIGHT_DECIMALS = Decimal("0.00000001")


def eight_down(amount: Decimal) -> Decimal:
    """Cut to eight decimals; what is paid, received and charged."""
    return amount.quantize(_EIGHT_DECIMALS, ROUND_DOWN)


def eight_up(amount: Decimal) -> Decimal:
    """Raise to eight decimals; what is locked, so that a lock always covers its fills."""
    return amount.quantize(_EIGHT_DECIMALS, ROUND_UP)


def finite(name: str, value: object) -> Decimal:
    """A number from outside, sent as number or text. Raises ValueError on anything else, NaN and infinity too."""
    try:
        number = Decimal("NaN") if isinstance(value, bool) else Decimal(str(value))
    except ArithmeticError:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError(f"{name} must be a number, was {value!r}")
    return number


def floor_to_step(amount: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` not above `amount`; a step of 0 means no steps."""
    return amount - amount % step if step else amount


def text(amount: Decimal) -> str:
    """An amount as Binance writes it: eight decimals, no exponent."""
    return f"{amount:.8f}"
