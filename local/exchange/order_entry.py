"""Reading and checking a new order before it reaches the matching engine.

Source: Binance spot REST docs, "New order": which parameters each order type needs and takes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.exchange import errors, filters
from local.exchange.errors import BinanceError
from local.exchange.orders import BUY, LIMIT_TYPES, SELL, STOP_TYPES, NewOrder
from local.exchange.rules import ORDER_TYPES

if TYPE_CHECKING:
    from decimal import Decimal

    from local.exchange.accounts import Account
    from local.exchange.markets import Market
    from local.exchange.parameters import Parameters
    from local.exchange.state import ExchangeState

CLIENT_ID = re.compile(r"^[a-zA-Z0-9-_]{1,36}$")
_TIMED = LIMIT_TYPES - {"LIMIT_MAKER"}
_REPLIES = ("ACK", "RESULT", "FULL")


def read_new_order(state: ExchangeState, parameters: Parameters) -> NewOrder:
    """The order a request describes. Raises BinanceError -1100 to -1130 on what is wrong with it."""
    market = state.market(parameters.required("symbol"))
    side = parameters.required("side")
    if side not in (BUY, SELL):
        raise BinanceError(-1117, "Invalid side.")
    kind = parameters.required("type")
    if kind not in ORDER_TYPES:
        raise BinanceError(-1116, "Invalid orderType.")
    quantity, quote_quantity = _quantities(parameters, kind)
    price = _amount(parameters, "price", wanted=kind in LIMIT_TYPES)
    stop_price = _amount(parameters, "stopPrice", wanted=kind in STOP_TYPES)
    client_id = parameters.matching("newClientOrderId", CLIENT_ID)
    reply = parameters.text("newOrderRespType") or ("FULL" if kind in ("LIMIT", "MARKET") else "ACK")
    if reply not in _REPLIES:
        raise errors.invalid_value("newOrderRespType")
    if parameters.decimal("icebergQty") is not None:
        raise errors.order_rejected("Iceberg orders are not supported for this symbol.")
    if parameters.integer("trailingDelta") is not None:
        raise errors.order_rejected("Trailing stop orders are not supported for this symbol.")
    for ignored in ("strategyId", "strategyType", "selfTradePreventionMode"):
        parameters.text(ignored)
    order = NewOrder(
        symbol=market.symbol,
        side=side,
        type=kind,
        time_in_force=_time_in_force(parameters, kind),
        quantity=quantity,
        quote_quantity=quote_quantity,
        price=price,
        stop_price=stop_price,
        client_order_id=client_id or state.new_client_id(),
        reply=reply,
    )
    parameters.finish()
    return order


def check_new_order(state: ExchangeState, market: Market, account: Account, order: NewOrder, *, now_ms: int) -> None:
    """Market status and symbol filters. Raises BinanceError -1013 or -2010."""
    last, average = market.feed.price(now_ms), market.average_price(now_ms)
    if not market.is_trading(now_ms) or last is None or average is None:
        raise BinanceError(-1013, "Market is closed.")
    _check_amounts(market, order, average)
    if order.type == "MARKET":
        return
    opened = state.engine.open_orders(account.name, order.symbol)
    filters.check_open_orders(
        market.rules,
        open_orders=len(opened),
        stop_orders=lambda: sum(open_order.request.type in STOP_TYPES for open_order in opened),
        stop=order.type in STOP_TYPES,
    )
    if order.stop_price is not None:
        upwards = (order.side == BUY) == order.type.startswith("STOP_LOSS")
        if last >= order.stop_price if upwards else last <= order.stop_price:
            raise errors.order_rejected("Stop price would trigger immediately.")


def _check_amounts(market: Market, order: NewOrder, average: Decimal) -> None:
    rules = market.rules
    market_order = order.price is None
    for price in (order.price, order.stop_price):
        if price is not None:
            filters.check_price(rules, price)
    if order.price is not None:
        filters.check_percent_price(rules, price=order.price, buying=order.side == BUY, average=average)
    if order.quantity is not None:
        filters.check_quantity(rules, order.quantity, market_order=order.type == "MARKET")
        notional = order.quantity * (order.price or order.stop_price or average)
    else:
        notional = order.quote_quantity or average * 0
    filters.check_notional(rules, notional, market_order=market_order)


def _quantities(parameters: Parameters, kind: str) -> tuple[Decimal | None, Decimal | None]:
    quantity, worth = parameters.decimal("quantity"), parameters.decimal("quoteOrderQty")
    if kind == "MARKET":
        if quantity is None and worth is None:
            raise errors.one_of_mandatory("quantity", "quoteOrderQty")
        if quantity is not None and worth is not None:
            raise errors.not_required("quoteOrderQty")
    elif worth is not None:
        raise errors.not_required("quoteOrderQty")
    elif quantity is None:
        raise errors.mandatory("quantity")
    if quantity == 0:
        raise BinanceError(-1013, "Invalid quantity.")
    if worth == 0:
        raise BinanceError(-1013, "Invalid quote order qty.")
    return quantity, worth


def _amount(parameters: Parameters, name: str, *, wanted: bool) -> Decimal | None:
    value = parameters.decimal(name)
    if not wanted:
        if value is not None:
            raise errors.not_required(name)
        return None
    if value is None:
        raise errors.mandatory(name)
    if value == 0:
        raise BinanceError(-1013, f"Invalid {name}.")
    return value


def _time_in_force(parameters: Parameters, kind: str) -> str:
    value = parameters.text("timeInForce")
    if kind not in _TIMED:
        if value is not None:
            raise errors.not_required("timeInForce")
        return "GTC"
    if value is None:
        raise errors.mandatory("timeInForce")
    if value not in ("GTC", "IOC", "FOK"):
        raise BinanceError(-1115, "Invalid timeInForce.")
    return value
