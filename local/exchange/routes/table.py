"""Every endpoint with its security type and weight.

Source: Binance spot REST docs: "Endpoint security type" and the weight stated with each endpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from local.exchange.routes import account, general, market_data, trading

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.exchange.state import Call


class Security(Enum):
    """NONE: public; USER_DATA: signed; TRADE: signed, with a key that may trade."""

    NONE = "NONE"
    USER_DATA = "USER_DATA"
    TRADE = "TRADE"


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint: what answers it, who may ask, what it weighs."""

    answer: Callable[[Call], Any]
    security: Security
    weight: int
    market_data: bool = False


def _public(answer: Callable[[Call], Any], weight: int) -> Route:
    return Route(answer, Security.NONE, weight)


def _market(answer: Callable[[Call], Any], weight: int) -> Route:
    return Route(answer, Security.NONE, weight, market_data=True)


def _user(answer: Callable[[Call], Any], weight: int) -> Route:
    return Route(answer, Security.USER_DATA, weight)


def _trade(answer: Callable[[Call], Any], weight: int) -> Route:
    return Route(answer, Security.TRADE, weight)


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/api/v3/ping"): _public(general.ping, 1),
    ("GET", "/api/v3/time"): _public(general.server_time, 1),
    ("GET", "/api/v3/exchangeInfo"): _public(general.exchange_info, 20),
    ("GET", "/sapi/v1/system/status"): _public(general.system_status, 1),
    ("GET", "/api/v3/klines"): _market(market_data.klines, 2),
    ("GET", "/api/v3/depth"): _market(market_data.depth, 5),
    ("GET", "/api/v3/avgPrice"): _market(market_data.average_price, 2),
    ("GET", "/api/v3/ticker/24hr"): _market(market_data.ticker_24hr, 2),
    ("GET", "/api/v3/ticker/price"): _market(market_data.ticker_price, 2),
    ("GET", "/api/v3/ticker/bookTicker"): _market(market_data.book_ticker, 2),
    ("POST", "/api/v3/order"): _trade(trading.new_order, 1),
    ("POST", "/api/v3/order/test"): _trade(trading.test_order, 1),
    ("DELETE", "/api/v3/order"): _trade(trading.cancel_order, 1),
    ("DELETE", "/api/v3/openOrders"): _trade(trading.cancel_open_orders, 1),
    ("GET", "/api/v3/order"): _user(account.query_order, 4),
    ("GET", "/api/v3/openOrders"): _user(account.open_orders, 6),
    ("GET", "/api/v3/allOrders"): _user(account.all_orders, 20),
    ("GET", "/api/v3/myTrades"): _user(account.my_trades, 20),
    ("GET", "/api/v3/account"): _user(account.account, 20),
    ("GET", "/sapi/v1/capital/config/getall"): _user(general.coins, 10),
    ("GET", "/sapi/v1/asset/tradeFee"): _user(general.trade_fees, 1),
    ("GET", "/sapi/v1/margin/allPairs"): _user(general.nothing, 1),
    ("GET", "/sapi/v1/margin/isolated/allPairs"): _user(general.nothing, 10),
    ("GET", "/sapi/v1/margin/allAssets"): _user(general.nothing, 1),
}
