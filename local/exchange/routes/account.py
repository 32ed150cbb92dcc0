"""Account endpoints: balances, order look-ups and lists, own trades.

Source: Binance spot REST docs, "Account information", "Query order", "Current open orders", "All orders",
"Account trade list". Orders and trades under a visibility lag are left out here, and only here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.exchange import errors
from local.exchange.errors import BinanceError
from local.exchange.market.candles import DAY_MS
from local.exchange.money import text
from local.exchange.orders import order_info, trade_info

if TYPE_CHECKING:
    from decimal import Decimal

    from local.exchange.orders import Order, Trade
    from local.exchange.parameters import Parameters
    from local.exchange.state import Call


def account(call: Call) -> dict[str, Any]:
    """GET /api/v3/account."""
    hide_zero = call.parameters.text("omitZeroBalances") == "true"
    fees, owner = call.state.engine.fees, call.owner
    assets = {asset for market in call.state.markets.values() for asset in (market.rules.base, market.rules.quote)}
    assets.update(owner.balances)
    balances = []
    for asset in sorted(assets):
        balance = owner.balance(asset)
        if balance.free or balance.locked or not hide_zero:
            balances.append({"asset": asset, "free": text(balance.free), "locked": text(balance.locked)})
    return {
        "makerCommission": _basis_points(fees.maker),
        "takerCommission": _basis_points(fees.taker),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": text(fees.maker),
            "taker": text(fees.taker),
            "buyer": "0.00000000",
            "seller": "0.00000000",
        },
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": owner.updated_ms,
        "accountType": "SPOT",
        "balances": balances,
        "permissions": ["SPOT"],
        "uid": owner.number,
    }


def query_order(call: Call) -> dict[str, Any]:
    """GET /api/v3/order by id or client id (the newest with that id). Raises -2013."""
    parameters = call.parameters
    symbol = call.state.market(parameters.required("symbol")).symbol
    order_id, client_id = parameters.integer("orderId"), parameters.text("origClientOrderId")
    if order_id is None and client_id is None:
        raise errors.one_of_mandatory("origClientOrderId", "orderId")
    if order_id is not None:
        candidates = [order for order in [call.state.engine.orders.get(order_id)] if order is not None]
    else:
        candidates = call.state.engine.by_client_id(call.owner.name, symbol, client_id or "")
    for order in reversed(candidates):
        mine = order.account == call.owner.name and order.request.symbol == symbol and _visible(order, call)
        if mine and client_id in (None, order.request.client_order_id):
            return order_info(order)
    raise errors.no_such_order()


def open_orders(call: Call) -> list[dict[str, Any]]:
    """GET /api/v3/openOrders, on one symbol or all."""
    symbol = call.parameters.text("symbol")
    if symbol is not None:
        call.state.market(symbol)
    opened = call.state.engine.open_orders(call.owner.name, symbol)
    return [order_info(order) for order in opened if _visible(order, call)]


def all_orders(call: Call) -> list[dict[str, Any]]:
    """GET /api/v3/allOrders: from `orderId` or `startTime` on, otherwise the most recent ones, oldest first."""
    parameters = call.parameters
    symbol = call.state.market(parameters.required("symbol")).symbol
    from_id, limit = parameters.integer("orderId"), parameters.limit(default=500, most=1000)
    start_ms, end_ms = _times(parameters)
    found = [
        order
        for order in call.state.engine.orders_of(call.owner.name, symbol)
        if _visible(order, call)
        and (from_id is None or order.order_id >= from_id)
        and (start_ms is None or order.created_ms >= start_ms)
        and (end_ms is None or order.created_ms <= end_ms)
    ]
    forward = from_id is not None or start_ms is not None
    return [order_info(order) for order in (found[:limit] if forward else found[-limit:])]


def my_trades(call: Call) -> list[dict[str, Any]]:
    """GET /api/v3/myTrades: from `fromId` or `startTime` on, otherwise the most recent ones, oldest first."""
    parameters = call.parameters
    symbol = call.state.market(parameters.required("symbol")).symbol
    order_id, from_id = parameters.integer("orderId"), parameters.integer("fromId")
    limit = parameters.limit(default=500, most=1000)
    start_ms, end_ms = _times(parameters)
    found: list[Trade] = []
    for order in call.state.engine.orders_of(call.owner.name, symbol):
        if _visible(order, call) and order_id in (None, order.order_id):
            found += [
                trade
                for trade in order.trades
                if (from_id is None or trade.trade_id >= from_id)
                and (start_ms is None or trade.time_ms >= start_ms)
                and (end_ms is None or trade.time_ms <= end_ms)
            ]
    found.sort(key=lambda trade: trade.trade_id)
    forward = from_id is not None or start_ms is not None
    return [trade_info(trade) for trade in (found[:limit] if forward else found[-limit:])]


def _visible(order: Order, call: Call) -> bool:
    return order.visible_from_ms <= call.now_ms


def _times(parameters: Parameters) -> tuple[int | None, int | None]:
    """Rule: startTime and endTime are at most 24 hours apart (-1127)."""
    start_ms, end_ms = parameters.integer("startTime"), parameters.integer("endTime")
    if start_ms is not None and end_ms is not None and end_ms - start_ms > DAY_MS:
        raise BinanceError(-1127, "More than 24 hours between startTime and endTime.")
    return start_ms, end_ms


def _basis_points(rate: Decimal) -> int:
    return int(rate * 10_000)
