"""Each fault, and what real ccxt makes of it over the adapter."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ccxt
import pytest
import requests

from local.exchange.settings import MarketSettings
from tests.unit.exchange.helpers import (
    SECOND_KEY,
    START_MS,
    ListedCandles,
    admin,
    client,
    coin_exchange,
    fault,
    jump,
)

if TYPE_CHECKING:
    from local.exchange.core import Exchange

SYMBOL = "COIN/USDT"
ORDER = {"method": "POST", "path": "/api/v3/order"}
MINE = {"clientOrderId": "mine"}


def buy(binance: Any, **params: object) -> Any:
    return binance.create_order(SYMBOL, "market", "buy", 1, params={**MINE, **params})


def orders(exchange: Exchange) -> int:
    return len(exchange.state.engine.orders)


@pytest.mark.parametrize(
    ("kind", "options", "raised", "cause", "executed", "arrived"),
    [
        ("accept_then_drop", {}, ccxt.NetworkError, requests.exceptions.ConnectionError, 1, 1),
        ("drop_request", {}, ccxt.NetworkError, requests.exceptions.ConnectionError, 0, 1),
        ("connection_refused", {}, ccxt.NetworkError, requests.exceptions.ConnectionError, 0, 0),
        ("connect_timeout", {}, ccxt.RequestTimeout, requests.exceptions.ConnectTimeout, 0, 0),
        ("truncated_reply", {}, ccxt.NetworkError, requests.exceptions.ChunkedEncodingError, 1, 1),
        ("delay", {"after_seconds": 11}, ccxt.RequestTimeout, requests.exceptions.ReadTimeout, 1, 1),
        ("bad_gzip", {}, ccxt.ExchangeError, requests.exceptions.ContentDecodingError, 1, 1),
        ("status", {"status": 500}, ccxt.ExchangeNotAvailable, None, 0, 1),
        ("status", {"status": 502, "execute": True}, ccxt.ExchangeNotAvailable, None, 1, 1),
        ("status", {"status": 504, "execute": True}, ccxt.RequestTimeout, None, 1, 1),
        ("status", {"status": 408}, ccxt.RequestTimeout, None, 0, 1),
        ("status", {"status": 403}, ccxt.ExchangeNotAvailable, None, 0, 1),
        ("status", {"status": 524, "execute": True}, ccxt.ExchangeError, None, 1, 1),
        ("status", {"status": 429}, ccxt.DDoSProtection, None, 0, 1),
        ("rate_limit", {}, ccxt.DDoSProtection, None, 0, 1),
        ("rate_limit", {"ban": True}, ccxt.DDoSProtection, None, 0, 1),
        ("maintenance", {}, ccxt.OnMaintenance, None, 0, 1),
        ("reject", {"code": -1008, "msg": "Server is currently overloaded."}, ccxt.OperationFailed, None, 0, 1),
        ("reject", {"code": -1007, "msg": "Send status unknown."}, ccxt.RequestTimeout, None, 0, 1),
        ("reject", {"code": -2010, "msg": "Account has insufficient balance for requested action."},
         ccxt.InsufficientFunds, None, 0, 1),
        ("revoke_key", {"api_key": "local-key"}, ccxt.AuthenticationError, None, 0, 1),
    ],
)  # fmt: skip
def test_faults_that_raise(
    kind: str,
    options: dict[str, Any],
    raised: type[Exception],
    cause: type[Exception] | None,
    executed: int,
    arrived: int,
) -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    fault(exchange, kind, **ORDER, **options)
    with pytest.raises(raised) as problem:
        buy(binance)
    assert type(problem.value) is raised
    if cause is not None:
        assert type(problem.value.__cause__) is cause
    assert orders(exchange) == executed
    assert exchange.state.order_posts["mine"] == arrived
    assert exchange.state.ledger.imbalance() == {}
    admin(exchange, "DELETE", "/admin/faults")
    found = binance.fetch_orders(SYMBOL)
    assert [order["clientOrderId"] for order in found] == ["mine"] * executed


@pytest.mark.parametrize("body", ["empty", "html", "truncated", "object"])
def test_garbage_is_an_order_without_id_for_ccxt(body: str) -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    fault(exchange, "garbage", **ORDER, body=body)
    assert buy(binance)["id"] is None
    assert binance.fetch_order(None, SYMBOL, MINE)["status"] == "closed"


def test_a_request_delayed_beyond_the_timeout_is_processed_later() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    fault(exchange, "delay", **ORDER, before_seconds=25)
    with pytest.raises(ccxt.RequestTimeout):
        buy(binance, recvWindow=60_000)
    assert exchange.clock.now_ms() == START_MS + 10_000
    assert orders(exchange) == 0
    exchange.clock.advance(60_000)
    found = binance.fetch_orders(SYMBOL)
    assert [order["timestamp"] for order in found] == [START_MS + 25_000]


def test_a_request_delayed_beyond_its_window_is_refused_by_its_time() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    fault(exchange, "delay", **ORDER, before_seconds=25)
    with pytest.raises(ccxt.RequestTimeout):
        buy(binance)  # ccxt's window is 10 s
    exchange.clock.advance(60_000)
    assert binance.fetch_orders(SYMBOL) == []
    late = [entry for entry in admin(exchange, "GET", "/admin/requests") if entry["client_order_id"] == "mine"]
    assert [entry["code"] for entry in late] == [-1021]


def test_a_short_delay_only_takes_time() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    fault(exchange, "delay", **ORDER, before_seconds=2, after_seconds=3)
    assert buy(binance)["timestamp"] == START_MS + 2_000
    assert exchange.clock.now_ms() == START_MS + 5_000


def test_visibility_lag_hides_order_and_trades_for_a_while() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    fault(exchange, "visibility_lag", seconds=4)
    placed = buy(binance)
    resting = binance.create_order(SYMBOL, "limit", "buy", 1, 99)
    for _ in range(2):
        with pytest.raises(ccxt.OrderNotFound):
            binance.fetch_order(placed["id"], SYMBOL)
        assert (
            binance.fetch_orders(SYMBOL) == binance.fetch_open_orders(SYMBOL) == binance.fetch_my_trades(SYMBOL) == []
        )
        exchange.clock.advance(1_999)
    assert binance.fetch_balance()["COIN"]["free"] == 50.999  # balances come from elsewhere
    exchange.clock.advance(2)
    assert binance.fetch_order(None, SYMBOL, MINE)["id"] == placed["id"]
    assert len(binance.fetch_my_trades(SYMBOL)) == 1
    assert binance.fetch_open_orders(SYMBOL)[0]["id"] == resting["id"]


@pytest.mark.parametrize("kind", ["market", "limit"])
def test_partial_fill_then_expire(kind: str) -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    fault(exchange, "partial_fill_then_expire", ratio="0.3")
    order = binance.create_order(SYMBOL, kind, "buy", 10, 99 if kind == "limit" else None)
    assert (order["status"], order["filled"]) == ("expired", 3)
    assert order["info"]["status"] == "EXPIRED"
    assert binance.fetch_balance()["USDT"]["used"] == 0
    assert exchange.state.ledger.imbalance() == {}
    fault(exchange, "partial_fill_then_expire", ratio=0)
    assert binance.create_order(SYMBOL, "market", "buy", 10)["filled"] == 0


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_partial_fill_then_expire_of_an_order_by_quote(side: str) -> None:
    exchange = coin_exchange()
    fault(exchange, "partial_fill_then_expire")
    order = client(exchange).create_market_order_with_cost(SYMBOL, side, 300)
    assert order["status"] == "expired"
    assert 140 < order["cost"] < 150
    assert exchange.state.ledger.imbalance() == {}


def test_resting_orders_fill_partly_while_told_so() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    order = binance.create_order(SYMBOL, "limit", "buy", 10, 99)
    fault(exchange, "partial_fill", symbol=SYMBOL, ratio="0.4")
    jump(exchange, "98")
    exchange.clock.advance(60_000)
    partly = binance.fetch_order(order["id"], SYMBOL)
    assert (partly["status"], partly["filled"]) == ("open", 4)
    assert binance.fetch_balance()["USDT"]["used"] == 594
    admin(exchange, "DELETE", "/admin/faults")
    exchange.clock.advance(1_000)
    assert binance.fetch_order(order["id"], SYMBOL)["status"] == "closed"


def test_fill_after_cancel_shows_only_later() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    order = binance.create_order(SYMBOL, "limit", "buy", 10, 99)
    fault(exchange, "fill_after_cancel", ratio="0.5")
    answer = binance.cancel_order(order["id"], SYMBOL)
    assert (answer["status"], answer["filled"]) == ("canceled", 0)
    later = binance.fetch_order(order["id"], SYMBOL)
    assert (later["status"], later["filled"]) == ("canceled", 5)
    assert exchange.state.ledger.imbalance() == {}


def test_a_cancel_that_loses_the_race_is_unknown() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    order = binance.create_order(SYMBOL, "limit", "buy", 10, 99)
    fault(exchange, "fill_after_cancel", reply="unknown")
    with pytest.raises(ccxt.OrderNotFound, match="-2011"):
        binance.cancel_order(order["id"], SYMBOL)
    assert binance.fetch_order(order["id"], SYMBOL)["status"] == "closed"


def test_stale_prices_stand_still_while_orders_meet_the_real_market() -> None:
    exchange = coin_exchange(("100", "110", "100", "110"))
    binance = client(exchange)
    fault(exchange, "stale_prices")
    exchange.clock.advance(60_000)
    assert binance.fetch_ticker(SYMBOL)["last"] == 100
    assert binance.fetch_ticker(SYMBOL)["timestamp"] == START_MS
    assert binance.fetch_ohlcv(SYMBOL, "1m", limit=1)[0][0] == START_MS
    assert binance.fetch_time() == START_MS + 60_000
    assert buy(binance)["average"] > 110
    admin(exchange, "DELETE", "/admin/faults")
    assert binance.fetch_ticker(SYMBOL)["last"] == 110


def test_no_data_empties_klines_of_one_symbol() -> None:
    other = MarketSettings("OTHER/USDT", source=ListedCandles(), start_price=Decimal(100))
    exchange = coin_exchange(more_markets=(other,))
    binance = client(exchange)
    fault(exchange, "no_data", symbol=SYMBOL)
    assert binance.fetch_ohlcv(SYMBOL, "1m", limit=5) == []
    assert len(binance.fetch_ohlcv("OTHER/USDT", "1m", limit=5)) == 5


def test_maintenance_shows_in_the_system_status() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    fault(exchange, "maintenance", for_seconds=60)
    assert binance.fetch_status()["status"] == "maintenance"
    with pytest.raises(ccxt.OnMaintenance):
        binance.fetch_balance()
    assert binance.fetch_time() == START_MS  # only a fault that names the time hits it
    exchange.clock.advance(60_000)
    assert binance.fetch_balance()["USDT"]["free"] == 10_000


def test_a_revoked_key_leaves_other_keys_alone() -> None:
    exchange = coin_exchange()
    fault(exchange, "revoke_key", api_key="local-key")
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        client(exchange).fetch_balance()
    client(exchange, key=SECOND_KEY).fetch_balance()
