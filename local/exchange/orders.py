"""Orders and trades, and how Binance shows them.

Source: Binance spot REST docs, "New order", "Query order", "Cancel order", "Account trade list".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.exchange.money import ZERO, text

if TYPE_CHECKING:
    from decimal import Decimal

BUY, SELL = "BUY", "SELL"
NEW, PARTIALLY_FILLED, FILLED = "NEW", "PARTIALLY_FILLED", "FILLED"
CANCELED, EXPIRED = "CANCELED", "EXPIRED"
OPEN_STATUSES = frozenset({NEW, PARTIALLY_FILLED})
STOP_TYPES = frozenset({"STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"})
LIMIT_TYPES = frozenset({"LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"})
# The one table of order states: where each may go.
_NEXT_STATUS = {
    NEW: frozenset({PARTIALLY_FILLED, FILLED, CANCELED, EXPIRED}),
    PARTIALLY_FILLED: frozenset({PARTIALLY_FILLED, FILLED, CANCELED, EXPIRED}),
    FILLED: frozenset[str](),
    CANCELED: frozenset[str](),
    EXPIRED: frozenset[str](),
}


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A checked order request. Quantities in base, `quote_quantity` and prices in quote."""

    symbol: str
    side: str
    type: str
    client_order_id: str
    time_in_force: str = "GTC"
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    reply: str = "FULL"


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill. `quantity` in base, `price` and `quote_quantity` in quote, `commission` in its own asset."""

    trade_id: int
    order_id: int
    account: str
    symbol: str
    price: Decimal
    quantity: Decimal
    quote_quantity: Decimal
    commission: Decimal
    commission_asset: str
    time_ms: int
    buying: bool
    maker: bool


@dataclass(slots=True)
class Order:
    """An order in the matching engine. `locked` is what it still holds of `lock_asset`."""

    order_id: int
    account: str
    request: NewOrder
    quantity: Decimal
    created_ms: int
    updated_ms: int
    lock_asset: str
    working_ms: int = -1
    visible_from_ms: int = 0
    status: str = NEW
    locked: Decimal = ZERO
    executed: Decimal = ZERO
    quote_executed: Decimal = ZERO
    trades: list[Trade] = field(default_factory=list)

    @property
    def buying(self) -> bool:
        """True for a buy."""
        return self.request.side == BUY

    @property
    def remaining(self) -> Decimal:
        """Base quantity not executed yet."""
        return self.quantity - self.executed

    @property
    def is_open(self) -> bool:
        """True until the order has reached its end."""
        return self.status in OPEN_STATUSES

    @property
    def waits_for_stop(self) -> bool:
        """True for a stop order whose stop price has not been reached."""
        return self.working_ms < 0

    def move_to(self, status: str, *, now_ms: int) -> None:
        """Change the status. Raises RuntimeError on a way the table does not allow."""
        if status not in _NEXT_STATUS[self.status]:
            raise RuntimeError(f"order {self.order_id} can't become {status}, was {self.status}")
        self.status = status
        self.updated_ms = now_ms


def new_order_reply(order: Order, *, full: bool) -> dict[str, Any]:
    """Reply to a new order: RESULT, or FULL with its fills."""
    reply = {
        "symbol": order.request.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.request.client_order_id,
        "transactTime": order.updated_ms,
        **_amounts(order),
    }
    if order.request.stop_price is not None:
        reply["stopPrice"] = text(order.request.stop_price)
    if not order.waits_for_stop:
        reply["workingTime"] = order.working_ms
    if full:
        reply["fills"] = [
            {
                "price": text(trade.price),
                "qty": text(trade.quantity),
                "commission": text(trade.commission),
                "commissionAsset": trade.commission_asset,
                "tradeId": trade.trade_id,
            }
            for trade in order.trades
        ]
    reply["selfTradePreventionMode"] = "NONE"
    return reply


def acknowledgement(order: Order) -> dict[str, Any]:
    """Reply to a new order: ACK."""
    return {
        "symbol": order.request.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.request.client_order_id,
        "transactTime": order.updated_ms,
    }


def cancel_reply(order: Order, *, cancel_id: str) -> dict[str, Any]:
    """Reply to a cancel: `clientOrderId` names the cancel, `origClientOrderId` the order."""
    return {
        "symbol": order.request.symbol,
        "origClientOrderId": order.request.client_order_id,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": cancel_id,
        "transactTime": order.updated_ms,
        **_amounts(order),
        "selfTradePreventionMode": "NONE",
    }


def order_info(order: Order) -> dict[str, Any]:
    """An order as look-ups and lists show it."""
    request = order.request
    return {
        "symbol": request.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": request.client_order_id,
        **_amounts(order),
        "stopPrice": text(request.stop_price or ZERO),
        "icebergQty": text(ZERO),
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": not order.waits_for_stop,
        "workingTime": order.working_ms,
        "selfTradePreventionMode": "NONE",
    }


def trade_info(trade: Trade) -> dict[str, Any]:
    """A trade as myTrades shows it."""
    return {
        "symbol": trade.symbol,
        "id": trade.trade_id,
        "orderId": trade.order_id,
        "orderListId": -1,
        "price": text(trade.price),
        "qty": text(trade.quantity),
        "quoteQty": text(trade.quote_quantity),
        "commission": text(trade.commission),
        "commissionAsset": trade.commission_asset,
        "time": trade.time_ms,
        "isBuyer": trade.buying,
        "isMaker": trade.maker,
        "isBestMatch": True,
    }


def _amounts(order: Order) -> dict[str, Any]:
    request = order.request
    return {
        "price": text(request.price or ZERO),
        "origQty": text(order.quantity),
        "executedQty": text(order.executed),
        "origQuoteOrderQty": text(request.quote_quantity or ZERO),
        "cummulativeQuoteQty": text(order.quote_executed),
        "status": order.status,
        "timeInForce": request.time_in_force,
        "type": request.type,
        "side": request.side,
    }
