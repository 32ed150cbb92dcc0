"""What a new order would do: its fills, its quantity, the funds it needs, and when a resting one is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.exchange import errors
from local.exchange.book import Level, quantity_of, take, take_worth
from local.exchange.money import ZERO, eight_down, eight_up, floor_to_step
from local.exchange.orders import STOP_TYPES, NewOrder, Order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from local.exchange.markets import Market


def plan_fills(market: Market, request: NewOrder, *, now_ms: int, only: Decimal | None) -> tuple[list[Level], Decimal]:
    """Fills a new order would have at once, and its quantity.

    `only`: fills for just that share of it, at its own price where the book does not reach.
    """
    buying = request.side == "BUY"
    levels = market.side(now_ms=now_ms, asks=buying)
    step = market.rules.step_size
    if request.quote_quantity is not None:
        return _plan_worth(market, levels, worth=request.quote_quantity, only=only)
    if request.quantity is None:
        raise RuntimeError(f"order {request.client_order_id} has neither quantity nor quote quantity")
    if request.type in STOP_TYPES:
        return [], request.quantity
    if only is None:
        fills = take(levels, buying=buying, quantity=request.quantity, limit=request.price)
        if request.time_in_force == "FOK" and quantity_of(fills) < request.quantity:
            fills = []
        return fills, request.quantity
    wanted = floor_to_step(request.quantity * only, step)
    fills = take(levels, buying=buying, quantity=wanted, limit=request.price) if wanted else []
    if request.price is not None and (missing := wanted - quantity_of(fills)) > 0:
        fills.append(Level(request.price, missing))
    return fills, request.quantity


def _plan_worth(
    market: Market, levels: Iterator[Level], *, worth: Decimal, only: Decimal | None
) -> tuple[list[Level], Decimal]:
    """Fills and quantity of a market order given in quote."""
    rules, step = market.rules, market.rules.step_size
    fills, deep = take_worth(levels, worth=worth if only is None else worth * only, step=step)
    filled = quantity_of(fills)
    if only is not None:
        price = fills[0].price if fills else worth
        return fills, max(floor_to_step(worth / price, step), filled + step)
    if filled < rules.min_quantity:
        if deep:
            raise errors.filter_failure("LOT_SIZE")
        raise errors.order_rejected("Order book liquidity is less than `LOT_SIZE` filter minimum quantity.")
    if deep:
        return fills, filled
    # What the book could not fill stays part of the order, so it ends EXPIRED.
    left = worth - sum((fill.price * fill.quantity for fill in fills), ZERO)
    return fills, filled + max(step, floor_to_step(left / fills[-1].price, step))


def needed_funds(market: Market, request: NewOrder, fills: list[Level], quantity: Decimal) -> tuple[str, Decimal]:
    """Asset and amount an order locks."""
    if request.side == "SELL":
        return market.rules.base, quantity_of(fills) if request.quote_quantity is not None else quantity
    if request.quote_quantity is not None:
        return market.rules.quote, request.quote_quantity
    price = request.price or request.stop_price
    if price is not None:
        return market.rules.quote, eight_up(price * quantity)
    return market.rules.quote, sum((eight_down(fill.price * fill.quantity) for fill in fills), ZERO)


def reached(order: Order, price: Decimal) -> bool:
    """True when the market at `price` fills a resting order or triggers a waiting one."""
    request = order.request
    if order.waits_for_stop:
        if request.stop_price is None:
            return False
        upwards = order.buying == request.type.startswith("STOP_LOSS")
        return price >= request.stop_price if upwards else price <= request.stop_price
    if request.price is None:
        return False
    return price <= request.price if order.buying else price >= request.price


def affordable_fills(fills: list[Level], *, funds: Decimal, market: Market) -> list[Level]:
    """The fills of a triggered market buy that its account can pay."""
    paid: list[Level] = []
    for fill in fills:
        quantity = min(fill.quantity, floor_to_step(funds / fill.price, market.rules.step_size))
        if not quantity:
            break
        paid.append(Level(fill.price, quantity))
        funds -= fill.price * quantity
    return paid


def rest_to_lock(order: Order) -> Decimal:
    """What the unfilled rest of an order still has to lock."""
    price = order.request.price
    if price is None:  # a market order never rests
        return ZERO
    return eight_up(price * order.remaining) if order.buying else order.remaining
