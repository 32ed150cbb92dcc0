"""Filters, parameters and signatures: Binance's codes and texts, and the exceptions ccxt makes of them."""

from __future__ import annotations

import hashlib
import hmac
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import ccxt
import pytest

from local.exchange.book import BookShape
from local.exchange.limits import LimitSettings
from local.exchange.messages import Request, read_json
from local.exchange.security import ApiKey
from local.exchange.settings import LOCAL_KEY, AccountSettings, build_exchange
from tests.unit.exchange.helpers import START_MS, admin, client, coin_exchange, coin_rules

LIMIT = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "99"}
MARKET = {"side": "BUY", "type": "MARKET", "quantity": "1"}
STRICT = coin_rules(
    max_quantity="100", market_max_quantity="20", market_step_size="0.01", max_notional="5000", max_open_orders=2,
    max_stop_orders=1, apply_max_to_market=True, bid_multiplier_up="1.5", bid_multiplier_down="0.5",
    ask_multiplier_up="2", ask_multiplier_down="0.8",
)  # fmt: skip


def post(binance: Any, base: dict[str, str], **changes: str | None) -> Any:
    request = {name: value for name, value in {**base, **changes}.items() if value is not None}
    return binance.private_post_order({"symbol": "COINUSDT", **request})


@pytest.mark.parametrize(
    ("base", "changes", "code", "text", "raised"),
    [
        (LIMIT, {"price": "99.005"}, -1013, "Filter failure: PRICE_FILTER", ccxt.InvalidOrder),
        (LIMIT, {"price": "20000000"}, -1013, "Filter failure: PRICE_FILTER", ccxt.InvalidOrder),
        (LIMIT, {"price": "151"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE", ccxt.InvalidOrder),
        (LIMIT, {"price": "49"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE", ccxt.InvalidOrder),
        (LIMIT, {"side": "SELL", "price": "79"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE", ccxt.InvalidOrder),
        (LIMIT, {"quantity": "1.0005"}, -1013, "Filter failure: LOT_SIZE", ccxt.InvalidOrder),
        (LIMIT, {"quantity": "0.0001"}, -1013, "Filter failure: LOT_SIZE", ccxt.InvalidOrder),
        (LIMIT, {"quantity": "101"}, -1013, "Filter failure: LOT_SIZE", ccxt.InvalidOrder),
        (MARKET, {"quantity": "21"}, -1013, "Filter failure: MARKET_LOT_SIZE", ccxt.InvalidOrder),
        (MARKET, {"quantity": "1.001"}, -1013, "Filter failure: MARKET_LOT_SIZE", ccxt.InvalidOrder),
        (LIMIT, {"quantity": "0.05"}, -1013, "Filter failure: NOTIONAL", ccxt.BadRequest),
        (LIMIT, {"quantity": "60"}, -1013, "Filter failure: NOTIONAL", ccxt.BadRequest),
        (MARKET, {"quantity": "0.04"}, -1013, "Filter failure: NOTIONAL", ccxt.BadRequest),
        (MARKET, {"quantity": None, "quoteOrderQty": "4.99"}, -1013, "Filter failure: NOTIONAL", ccxt.BadRequest),
        (MARKET, {"quantity": "0"}, -1013, "Invalid quantity.", ccxt.BadRequest),
        (LIMIT, {"price": "0"}, -1013, "Invalid price.", ccxt.BadRequest),
        (LIMIT, {"quantity": "-1"}, -1100, "Illegal characters found in parameter 'quantity'", ccxt.BadRequest),
        (LIMIT, {"price": "1e2"}, -1100, "Illegal characters found in parameter 'price'", ccxt.BadRequest),
        (LIMIT, {"newClientOrderId": "a" * 37}, -1100, r"legal range is '^[a-zA-Z0-9-_]{1,36}$'", ccxt.BadRequest),
        (LIMIT, {"newClientOrderId": "no spaces"}, -1100, "parameter 'newClientOrderId'", ccxt.BadRequest),
        (LIMIT, {"quantity": None}, -1102, "Mandatory parameter 'quantity' was not sent", ccxt.BadRequest),
        (LIMIT, {"price": None}, -1102, "Mandatory parameter 'price' was not sent", ccxt.BadRequest),
        (LIMIT, {"timeInForce": None}, -1102, "Mandatory parameter 'timeInForce'", ccxt.BadRequest),
        (MARKET, {"quantity": None}, -1102, "Param 'quantity' or 'quoteOrderQty' must be sent", ccxt.BadRequest),
        (MARKET, {"side": None}, -1102, "Mandatory parameter 'side'", ccxt.BadRequest),
        (LIMIT, {"colour": "red"}, -1104, "Not all sent parameters were read", ccxt.BadRequest),
        (LIMIT, {"timeInForce": ""}, -1105, "Parameter 'timeInForce' was empty.", ccxt.BadRequest),
        (MARKET, {"price": "100"}, -1106, "Parameter 'price' sent when not required.", ccxt.BadRequest),
        (MARKET, {"timeInForce": "GTC"}, -1106, "Parameter 'timeInForce' sent when not required.", ccxt.BadRequest),
        (LIMIT, {"quoteOrderQty": "10"}, -1106, "Parameter 'quoteOrderQty' sent when not required.", ccxt.BadRequest),
        (LIMIT, {"stopPrice": "98"}, -1106, "Parameter 'stopPrice' sent when not required.", ccxt.BadRequest),
        (LIMIT, {"quantity": "1.000000001"}, -1111, "Parameter 'quantity' has too much precision.", ccxt.BadRequest),
        (LIMIT, {"timeInForce": "GTD"}, -1115, "Invalid timeInForce.", ccxt.BadRequest),
        (LIMIT, {"type": "ICEBERG"}, -1116, "Invalid orderType.", ccxt.BadRequest),
        (LIMIT, {"side": "HOLD"}, -1117, "Invalid side.", ccxt.BadRequest),
        (LIMIT, {"symbol": "NOPE"}, -1121, "Invalid symbol.", ccxt.BadSymbol),
        (LIMIT, {"newOrderRespType": "LONG"}, -1130, "Data sent for parameter", ccxt.BadRequest),
        (LIMIT, {"icebergQty": "0.5"}, -2010, "Iceberg orders are not supported", ccxt.InvalidOrder),
        (LIMIT, {"quantity": "50", "price": "100"}, -2010, "Account has insufficient balance", ccxt.InsufficientFunds),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_order(
    base: dict[str, str], changes: dict[str, str | None], code: int, text: str, raised: type[Exception]
) -> None:
    exchange = coin_exchange(rules=STRICT, balances={"USDT": "1000"}, shape=BookShape(depth=Decimal(10_000)))
    with pytest.raises(raised) as problem:
        post(client(exchange), base, **changes)
    assert type(problem.value) is raised
    assert text in str(problem.value)
    assert exchange.state.requests[-1]["code"] == code
    assert exchange.state.engine.orders == {}
    assert exchange.state.ledger.imbalance() == {}


def test_open_order_limits() -> None:
    exchange = coin_exchange(rules=STRICT)
    binance = client(exchange)
    binance.create_order("COIN/USDT", "limit", "sell", 1, 110, {"stopLossPrice": 90})
    with pytest.raises(ccxt.InvalidOrder, match="MAX_NUM_ALGO_ORDERS"):
        binance.create_order("COIN/USDT", "limit", "sell", 1, 110, {"stopLossPrice": 90})
    post(binance, LIMIT)
    with pytest.raises(ccxt.InvalidOrder, match="MAX_NUM_ORDERS"):
        post(binance, LIMIT)
    assert exchange.state.requests[-1]["code"] == -2010


def test_quote_orders_too_small_for_a_step_and_books_too_thin() -> None:
    exchange = coin_exchange(rules=coin_rules(min_quantity="1", step_size="1"))
    with pytest.raises(ccxt.InvalidOrder, match="Filter failure: LOT_SIZE"):
        client(exchange).create_market_buy_order_with_cost("COIN/USDT", 50)
    exchange = coin_exchange(shape=BookShape(levels=0))
    with pytest.raises(ccxt.InvalidOrder, match="liquidity is less than"):
        client(exchange).create_market_buy_order_with_cost("COIN/USDT", 50)
    order = client(exchange).create_order("COIN/USDT", "market", "buy", 1)
    assert (order["status"], order["filled"]) == ("expired", 0)


def test_a_delisted_symbol_is_closed_but_lets_go() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    resting = post(binance, LIMIT)
    admin(exchange, "POST", "/admin/markets", {"symbol": "COINUSDT", "status": "BREAK"})
    with pytest.raises(ccxt.MarketClosed, match="Market is closed"):
        post(binance, MARKET)
    assert binance.load_markets(reload=True)["COIN/USDT"]["active"] is False
    assert binance.cancel_order(resting["orderId"], "COIN/USDT")["status"] == "canceled"


def test_a_changed_filter_counts_at_once() -> None:
    exchange = coin_exchange()
    admin(exchange, "POST", "/admin/markets", {"symbol": "COIN/USDT", "rules": {"min_notional": "500"}})
    with pytest.raises(ccxt.BadRequest, match="NOTIONAL"):
        post(client(exchange), MARKET)


def signed(
    exchange: Any, *, key: ApiKey = LOCAL_KEY, secret: str | None = None, **parameters: object
) -> tuple[int, Any]:
    """A request signed by hand: (status, reply)."""
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    signature = hmac.new((secret or key.secret).encode(), query.encode(), hashlib.sha256).hexdigest()
    request = Request(
        "GET", "/api/v3/account", query=f"{query}&signature={signature}", headers={"x-mbx-apikey": key.key}
    )
    response = exchange.handle(request)
    return response.status, read_json(response.body)


@pytest.mark.parametrize(
    ("timestamp", "window", "code"),
    [
        (START_MS, None, None),
        (START_MS + 999, None, None),
        (START_MS + 1_000, None, -1021),
        (START_MS - 5_000, None, None),
        (START_MS - 5_001, None, -1021),
        (START_MS - 60_000, 60_000, None),
        (START_MS - 60_001, 60_000, -1021),
        (START_MS, 60_001, -1131),
        (None, None, -1102),
        ("soon", None, -1100),
    ],
)
def test_time_window(timestamp: object, window: int | None, code: int | None) -> None:
    status, reply = signed(coin_exchange(), timestamp=timestamp, recvWindow=window)
    assert (status, reply.get("code")) == ((200, None) if code is None else (400, code))


def test_ahead_and_behind_have_their_own_texts() -> None:
    assert "1000ms ahead" in signed(coin_exchange(), timestamp=START_MS + 1_000)[1]["msg"]
    assert "outside of the recvWindow" in signed(coin_exchange(), timestamp=START_MS - 6_000)[1]["msg"]


def test_a_late_ccxt_clock_raises_invalid_nonce() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    binance.milliseconds = lambda: START_MS - 10_001  # ccxt sends a window of 10 s
    with pytest.raises(ccxt.InvalidNonce, match="-1021"):
        binance.fetch_balance()


def test_keys_and_signatures() -> None:
    exchange = coin_exchange()
    assert signed(exchange, timestamp=START_MS)[0] == 200
    assert signed(exchange, secret="other", timestamp=START_MS)[1]["code"] == -1022
    assert signed(exchange, key=ApiKey(key="unknown", secret="x"), timestamp=START_MS) == (
        401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}
    )  # fmt: skip
    response = exchange.handle(Request("GET", "/api/v3/account", query=f"timestamp={START_MS}&signature=0"))
    assert read_json(response.body)["code"] == -2014
    response = exchange.handle(
        Request("GET", "/api/v3/account", query=f"timestamp={START_MS}", headers={"x-mbx-apikey": LOCAL_KEY.key})
    )
    assert read_json(response.body)["code"] == -1102
    with pytest.raises(ccxt.AuthenticationError):
        client(exchange, key=ApiKey(key="unknown", secret="x"), load=False).fetch_balance()
    with pytest.raises(ccxt.AuthenticationError):
        client(exchange, key=ApiKey(key="local-key", secret="wrong"), load=False).fetch_balance()


def test_binance_example_of_mixed_query_and_body_is_signed_without_a_separator() -> None:
    """Source: Binance spot REST docs, SIGNED endpoint examples, example 3, with its key, secret and signature."""
    key = ApiKey(
        key="vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
        secret="NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
    )
    from local.exchange.clock import ExchangeClock
    from local.exchange.settings import MarketSettings

    exchange = build_exchange(
        markets=[MarketSettings("LTC/BTC", start_price=Decimal("0.1"))],
        accounts=[AccountSettings(balances={"BTC": Decimal(1)})],
        api_keys=[key],
        clock=ExchangeClock.manual(1499827319559),
    )
    response = exchange.handle(
        Request(
            "POST",
            "/api/v3/order",
            query="symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC",
            headers={"x-mbx-apikey": key.key},
            body=b"quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
            b"&signature=0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77",
        )
    )
    assert response.status == 200, response.body


def test_a_read_only_key_may_not_trade() -> None:
    key = ApiKey(key="reader", secret="reader", can_trade=False)
    exchange = build_exchange(api_keys=[key])
    reader = client(exchange, key=key)
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        reader.create_order("BTC/USDT", "market", "buy", 0.01)
    assert reader.fetch_balance()["USDT"]["free"] == 10_000
    # From its first success on, ccxt takes -2015 for a temporary ban.
    with pytest.raises(ccxt.DDoSProtection, match="-2015"):
        reader.create_order("BTC/USDT", "market", "buy", 0.01)


def test_a_parameter_sent_twice() -> None:
    response = coin_exchange().handle(Request("GET", "/api/v3/klines", query="symbol=A&symbol=B&interval=1m"))
    assert read_json(response.body)["code"] == -1101


def test_request_weight_leads_to_429_and_then_a_ban() -> None:
    exchange = coin_exchange(limits=LimitSettings(enforced=True, weight_per_minute=10))
    statuses = [exchange.handle(Request("GET", "/api/v3/ping")) for _ in range(25)]
    assert [response.status for response in statuses] == [200] * 10 + [429] * 10 + [418] * 5
    assert statuses[10].headers["Retry-After"] == "60"
    assert statuses[24].headers["Retry-After"] == "120"
    assert statuses[3].headers["x-mbx-used-weight-1m"] == "4"
    exchange.clock.advance(60_000)
    with pytest.raises(ccxt.DDoSProtection):
        client(exchange, load=False).fetch_time()
    exchange.clock.advance(60_000)
    assert client(exchange, load=False).fetch_time() == START_MS + 120_000


def test_order_counts() -> None:
    exchange = coin_exchange(limits=LimitSettings(enforced=True, orders_per_ten_seconds=2))
    binance = client(exchange)
    post(binance, MARKET)
    post(binance, MARKET)
    assert binance.last_response_headers["X-MBX-ORDER-COUNT-10S"] == "2"
    with pytest.raises(ccxt.DDoSProtection, match="Too many new orders"):
        post(binance, MARKET)
    assert "Retry-After" not in binance.last_response_headers
    exchange.clock.advance(10_000)
    post(binance, MARKET)
