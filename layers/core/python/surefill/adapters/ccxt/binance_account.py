"""Binance spot's account endpoints and how their answers are read.

Source: Binance spot REST documentation, "New order", "Query order", "Current open orders", "All orders",
"Account trade list", "Account information". Quantities are texts with up to 8 decimals.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from surefill.adapters.ccxt import reading
from surefill.adapters.ccxt.profile import Trade, UnreadableError
from surefill.domain.kinds import Side
from surefill.domain.money import ZERO, multiply, total
from surefill.domain.orders import Balance, VenueOrder, VenueTrade
from surefill.domain.rows import Fill
from surefill.domain.times import from_milliseconds

_FINISHED = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", "EXPIRED_IN_MATCH"})


def market_id(symbol: str) -> str:
    """ "BTC/USDT" is BTCUSDT here."""
    base, _, quote = symbol.partition("/")
    if not (base.isalnum() and quote.isalnum()):
        raise ValueError(f"symbol must look like BTC/USDT, was {symbol!r}")
    return f"{base}{quote}"


class BinanceAccount:
    """The signed endpoints. See `profile.Dialect`."""

    def market_id(self, symbol: str) -> str:
        """The venue's name of a symbol."""
        return market_id(symbol)

    def read_error(self, body: object) -> tuple[str, str] | None:
        """{"code": -1121, "msg": "Invalid symbol."}"""
        if not isinstance(body, dict):
            return None
        code, message = body.get("code"), body.get("msg")
        if isinstance(code, bool) or not isinstance(code, int) or not isinstance(message, str):
            return None
        return str(code), message

    def read_order(self, said: object, *, symbol: str) -> VenueOrder:
        """An order of any endpoint. Without executedQty (an ACK) it counts as unfinished: nothing is assumed filled."""
        order = reading.mapping(said, what="order")
        if order.get("symbol") != market_id(symbol):
            raise UnreadableError(f"order must be of {market_id(symbol)}, was of {order.get('symbol')!r}")
        told = "executedQty" in order
        filled = reading.amount(order, "executedQty", what="order") if told else ZERO
        return VenueOrder(
            client_order_id=reading.name(order, "clientOrderId", what="order"),
            venue_order_id=reading.name(order, "orderId", what="order"),
            symbol=symbol,
            side=_side(order),
            finished=told and order.get("status") in _FINISHED,
            filled_quantity=filled,
            fills=_fills(order, filled=filled) if told else None,
        )

    def read_trade(self, said: object) -> Trade:
        """One row of the account's trade list; its own quoteQty is what changed hands."""
        trade = reading.mapping(said, what="trade")
        fill = Fill(
            trade_id=reading.name(trade, "id", what="trade"),
            quantity=reading.amount(trade, "qty", what="trade"),
            price=reading.amount(trade, "price", what="trade"),
            cost=reading.amount(trade, "quoteQty", what="trade"),
            fee=reading.amount(trade, "commission", what="trade"),
            fee_asset=reading.name(trade, "commissionAsset", what="trade"),
        )
        return Trade(order_id=reading.name(trade, "orderId", what="trade"), fill=fill)

    def read_past_trade(self, said: object, *, symbol: str) -> VenueTrade:
        """The same row with its time and side."""
        row, trade = reading.mapping(said, what="trade"), self.read_trade(said)
        buys = row.get("isBuyer")
        if row.get("symbol") != market_id(symbol) or not isinstance(buys, bool):
            raise UnreadableError(f"trade must be of {market_id(symbol)} with isBuyer, was of {row.get('symbol')!r}")
        return VenueTrade(
            symbol=symbol,
            side=Side.BUY if buys else Side.SELL,
            at=from_milliseconds(self.trade_time(said)),
            venue_order_id=trade.order_id,
            client_order_id=None,
            fill=trade.fill,
        )

    def read_balances(self, said: object) -> Mapping[str, Balance]:
        """Everything that is not zero."""
        rows = reading.sequence(reading.mapping(said, what="account").get("balances"), what="balances")
        balances: dict[str, Balance] = {}
        for row in rows:
            entry = reading.mapping(row, what="balance")
            free, locked = (reading.amount(entry, key, what="balance") for key in ("free", "locked"))
            if free or locked:
                balances[reading.name(entry, "asset", what="balance")] = Balance(free=free, locked=locked)
        return balances

    def order_time(self, said: object) -> int:
        """When an order was placed, ms."""
        return reading.whole(reading.mapping(said, what="order"), "time", what="order")

    def trade_time(self, said: object) -> int:
        """When a trade was made, ms."""
        return reading.whole(reading.mapping(said, what="trade"), "time", what="trade")

    def ask_post(self, exchange: Any, *, order: Sequence[Any], params: Mapping[str, Any]) -> object:
        """POST /order. ccxt composes and sends it; its parser is left out: a fault there would hide an acceptance."""
        return exchange.private_post_order(exchange.create_order_request(*order, params))

    def ask_order(self, exchange: Any, *, symbol: str, client_order_id: str) -> object:
        """GET /order by our id."""
        return exchange.private_get_order({"symbol": market_id(symbol), "origClientOrderId": client_order_id})

    def ask_order_by_venue_id(self, exchange: Any, *, symbol: str, venue_order_id: str) -> object:
        """GET /order by the venue's id."""
        return exchange.private_get_order({"symbol": market_id(symbol), "orderId": venue_order_id})

    def ask_open_orders(self, exchange: Any, *, symbol: str) -> object:
        """GET /openOrders."""
        return exchange.private_get_openorders({"symbol": market_id(symbol)})

    def ask_orders(self, exchange: Any, *, symbol: str, since: int, until: int, limit: int) -> object:
        """GET /allOrders; both ends inclusive, at most 24 hours apart."""
        span = {"startTime": since, "endTime": until, "limit": limit}
        return exchange.private_get_allorders({"symbol": market_id(symbol), **span})

    def ask_trades(self, exchange: Any, *, symbol: str, since: int, until: int, limit: int) -> object:
        """GET /myTrades; both ends inclusive, at most 24 hours apart."""
        span = {"startTime": since, "endTime": until, "limit": limit}
        return exchange.private_get_mytrades({"symbol": market_id(symbol), **span})

    def ask_trades_of_order(
        self, exchange: Any, *, symbol: str, venue_order_id: str, after: str | None, limit: int
    ) -> object:
        """GET /myTrades of one order; fromId is inclusive."""
        page = {"limit": limit} if after is None else {"fromId": int(after) + 1, "limit": limit}
        return exchange.private_get_mytrades({"symbol": market_id(symbol), "orderId": venue_order_id, **page})

    def ask_cancel(self, exchange: Any, *, symbol: str, client_order_id: str) -> object:
        """DELETE /order by our id."""
        return exchange.private_delete_order({"symbol": market_id(symbol), "origClientOrderId": client_order_id})

    def ask_balances(self, exchange: Any) -> object:
        """GET /account without the zero rows."""
        return exchange.private_get_account({"omitZeroBalances": "true"})


def _side(order: Mapping[str, Any]) -> Side:
    try:
        return Side(order.get("side", ""))
    except ValueError:
        raise UnreadableError(f"order must have side BUY or SELL, was {order.get('side')!r}") from None


def _fills(order: Mapping[str, Any], *, filled: Decimal) -> tuple[Fill, ...] | None:
    """The fills inside the answer when they are all there: quantity and cost must add up to the cumulative fields."""
    if not filled:
        return ()
    if not order.get("fills"):
        return None
    fills = [_fill(row) for row in reading.sequence(order["fills"], what="fills")]
    complete = [fill for fill in fills if fill is not None]
    if len({fill.trade_id for fill in complete}) != len(fills) or total(fill.quantity for fill in complete) != filled:
        return None
    spent = reading.amount(order, "cummulativeQuoteQty", what="order")
    return tuple(complete) if total(fill.cost for fill in complete) == spent else None


def _fill(said: object) -> Fill | None:
    row = reading.mapping(said, what="fill")
    if "tradeId" not in row:
        return None
    quantity, price = (reading.amount(row, key, what="fill") for key in ("qty", "price"))
    return Fill(
        trade_id=reading.name(row, "tradeId", what="fill"),
        quantity=quantity,
        price=price,
        cost=multiply(quantity, price),
        fee=reading.amount(row, "commission", what="fill"),
        fee_asset=reading.name(row, "commissionAsset", what="fill"),
    )
