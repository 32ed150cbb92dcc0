"""Orders that fill whole, at once, at one price: what they cost and bring, and the trade of a buy and its sale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.backtest.outcome import Order, Trade
from surefill.domain.fills import FillError
from surefill.domain.kinds import Leg, Side
from surefill.domain.money import EXACT, ZERO
from surefill.domain.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from local.backtest.costs import Costs


def bought(
    *, costs: Costs, at: datetime, bot: str, symbol: str, quantity: Decimal, price: Decimal, limit: Decimal, name: str
) -> Order:
    """A buy at a price (quote, before slippage), never above its limit."""
    price = min(costs.worse(price, side=Side.BUY), limit)
    cost = _cost(quantity, price)
    if costs.fee_in_quote:
        base_change, quote_change = quantity, EXACT.subtract(-cost, costs.fee_of(cost))
    else:
        base_change, quote_change = EXACT.subtract(quantity, costs.fee_of(quantity)), -cost
    return Order(
        at=at,
        bot=bot,
        symbol=symbol,
        leg=Leg.ENTRY,
        side=Side.BUY,
        quantity=quantity,
        cost=cost,
        price=float(cost / quantity),
        reason=Reason.BUY,
        base_change=base_change,
        quote_change=quote_change,
        position=name,
    )


def sold(*, costs: Costs, at: datetime, entry: Order, quantity: Decimal, price: Decimal, reason: Reason) -> Order:
    """A sale at the market, of a position that `entry` opened, at a price (quote, before slippage)."""
    cost = _cost(quantity, costs.worse(price, side=Side.SELL))
    return Order(
        at=at,
        bot=entry.bot,
        symbol=entry.symbol,
        leg=Leg.EXIT,
        side=Side.SELL,
        quantity=quantity,
        cost=cost,
        price=float(cost / quantity),
        reason=reason,
        base_change=-quantity,
        quote_change=EXACT.subtract(cost, costs.fee_of(cost)),
        position=entry.position,
    )


def trade_of(entry: Order, sale: Order) -> Trade:
    """The trade of a position that was bought by one order and sold by one."""
    base_fee = EXACT.subtract(entry.quantity, entry.base_change)
    cost, proceeds = -entry.quote_change, sale.quote_change
    return Trade(
        bot=sale.bot,
        symbol=sale.symbol,
        opened_at=entry.at,
        closed_at=sale.at,
        quantity=entry.quantity,
        entry_price=entry.price,
        exit_price=sale.price,
        cost=cost,
        proceeds=proceeds,
        fees=float(base_fee) * entry.price + float(cost - entry.cost) + float(sale.cost - proceeds),
        tranches=1,
        reason=sale.reason,
    )


def _cost(quantity: Decimal, price: Decimal) -> Decimal:
    if quantity <= ZERO or price <= ZERO:
        raise FillError(f"a fill must have quantity and price above 0, was {quantity} at {price}")
    return EXACT.multiply(quantity, price)
