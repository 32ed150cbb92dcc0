"""What an order really did: quantities and fees from its trades, never from its status or its limit price."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from surefill.domain.kinds import Side
from surefill.domain.money import ZERO, add, subtract
from surefill.domain.rows import Fill


class FillError(ValueError):
    """Fills that cannot be booked: incomplete, negative, or not adding up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderResult:
    """The final quantities of a terminal order.

    `base_change` and `quote_change` are what the account gained (positive) or gave (negative) in each asset, fees in
    those assets included; `other_fees` are fees paid in a third asset (a venue's own token), outside the budget.
    """

    venue_order_id: str
    filled_quantity: Decimal
    filled_cost: Decimal
    base_change: Decimal
    quote_change: Decimal
    other_fees: tuple[tuple[str, Decimal], ...]
    fills: tuple[Fill, ...]


def order_result(
    *, venue_order_id: str, side: Side, base: str, quote: str, filled_quantity: Decimal, fills: Iterable[Fill]
) -> OrderResult:
    """Fold the fills of a terminal order; raises FillError when they do not add up to `filled_quantity` (base)."""
    unique = {fill.trade_id: _checked(fill) for fill in fills}
    ordered = tuple(sorted(unique.values(), key=lambda fill: fill.trade_id))
    quantity = add(*(fill.quantity for fill in ordered))
    if quantity != filled_quantity:
        raise FillError(f"trades of order {venue_order_id} must add up to {filled_quantity}, were {quantity}")
    cost = add(*(fill.cost for fill in ordered))
    fees: dict[str, Decimal] = {}
    for fill in ordered:
        fees[fill.fee_asset] = add(fees.get(fill.fee_asset, ZERO), fill.fee)
    sign = 1 if side is Side.BUY else -1
    return OrderResult(
        venue_order_id=venue_order_id,
        filled_quantity=quantity,
        filled_cost=cost,
        base_change=subtract(quantity * sign, fees.pop(base, ZERO)),
        quote_change=subtract(-cost * sign, fees.pop(quote, ZERO)),
        other_fees=tuple(sorted((asset, fee) for asset, fee in fees.items() if fee)),
        fills=ordered,
    )


def _checked(fill: Fill) -> Fill:
    if not fill.trade_id:
        raise FillError("a fill must carry the venue's trade id")
    if fill.quantity <= ZERO or fill.price <= ZERO or fill.cost <= ZERO:
        raise FillError(f"fill {fill.trade_id} must have quantity, price and cost above 0, was {fill}")
    return fill
