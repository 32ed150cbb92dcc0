"""Cancels, client ids, look-ups and lists through real ccxt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ccxt
import pytest

from tests.unit.exchange.helpers import (
    SECOND_KEY,
    client,
    coin_exchange,
)

if TYPE_CHECKING:
    from decimal import Decimal

    from local.exchange.core import Exchange

SYMBOL = "COIN/USDT"


def locked(exchange: Exchange, asset: str) -> Decimal:
    return exchange.state.ledger.accounts["main"].balance(asset).locked


def test_cancel_names_the_cancel_and_the_order() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    binance.create_order(SYMBOL, "limit", "buy", 1, 99, {"clientOrderId": "mine"})
    answer = binance.private_delete_order(
        {"symbol": "COINUSDT", "origClientOrderId": "mine", "newClientOrderId": "the-cancel"}
    )
    assert (answer["origClientOrderId"], answer["clientOrderId"], answer["status"]) == (
        "mine",
        "the-cancel",
        "CANCELED",
    )
    assert locked(exchange, "USDT") == 0
    assert binance.fetch_order(None, SYMBOL, {"clientOrderId": "mine"})["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound, match="-2011"):
        binance.cancel_order(answer["orderId"], SYMBOL)
    with pytest.raises(ccxt.OrderNotFound, match="-2011"):
        binance.cancel_order(None, SYMBOL, {"clientOrderId": "never"})


def test_cancel_of_a_filled_order_is_unknown() -> None:
    binance = client(coin_exchange())
    order = binance.create_order(SYMBOL, "market", "buy", 1)
    with pytest.raises(ccxt.OrderNotFound, match="Unknown order sent"):
        binance.cancel_order(order["id"], SYMBOL)


def test_cancel_restrictions() -> None:
    binance = client(coin_exchange())
    order = binance.create_order(SYMBOL, "limit", "buy", 1, 99)
    with pytest.raises(ccxt.OrderNotFound, match="cancel restrictions"):
        binance.cancel_order(order["id"], SYMBOL, {"cancelRestrictions": "ONLY_PARTIALLY_FILLED"})
    with pytest.raises(ccxt.BadRequest, match="-1145"):
        binance.cancel_order(order["id"], SYMBOL, {"cancelRestrictions": "SOMETIMES"})
    assert binance.cancel_order(order["id"], SYMBOL, {"cancelRestrictions": "ONLY_NEW"})["status"] == "canceled"


def test_cancel_all_on_a_symbol() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    for price in (98, 99):
        binance.create_order(SYMBOL, "limit", "buy", 1, price)
    assert [order["status"] for order in binance.cancel_all_orders(SYMBOL)] == ["canceled", "canceled"]
    assert locked(exchange, "USDT") == 0
    with pytest.raises(ccxt.OrderNotFound):
        binance.cancel_all_orders(SYMBOL)


def test_client_ids_are_unique_among_open_orders_only() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    same = {"clientOrderId": "again"}
    resting = binance.create_order(SYMBOL, "limit", "buy", 1, 99, same)
    with pytest.raises(ccxt.InvalidOrder, match="Duplicate order sent"):
        binance.create_order(SYMBOL, "limit", "buy", 1, 98, same)
    binance.cancel_order(resting["id"], SYMBOL)
    first = binance.create_order(SYMBOL, "market", "buy", 1, params=same)
    second = binance.create_order(SYMBOL, "market", "buy", 1, params=same)  # a blind retry buys twice
    assert first["id"] != second["id"]
    assert binance.fetch_order(None, SYMBOL, same)["id"] == second["id"]  # the newest
    assert exchange.state.order_posts["again"] == 4


def test_look_ups_and_lists() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    ids = []
    for number in range(3):
        ids.append(binance.create_order(SYMBOL, "limit", "buy", 1, 95 + number)["id"])
        exchange.clock.advance(1_000)
    ids.append(binance.create_order(SYMBOL, "market", "buy", 1)["id"])
    assert [order["id"] for order in binance.fetch_orders(SYMBOL)] == ids
    assert [order["id"] for order in binance.fetch_orders(SYMBOL, limit=2)] == ids[-2:]
    assert [order["id"] for order in binance.fetch_open_orders(SYMBOL)] == ids[:3]
    binance.options["fetchOpenOrders"]["warnWithoutSymbol"] = False
    assert len(binance.fetch_open_orders()) == 3
    since = binance.fetch_order(ids[1], SYMBOL)["timestamp"]
    assert [order["id"] for order in binance.fetch_orders(SYMBOL, since=since)] == ids[1:]
    assert [order["id"] for order in binance.fetch_closed_orders(SYMBOL)] == ids[3:]
    trades = binance.fetch_my_trades(SYMBOL)
    assert [trade["order"] for trade in trades] == ids[3:]
    assert binance.fetch_order_trades(ids[3], SYMBOL)[0]["id"] == trades[0]["id"]
    assert binance.fetch_my_trades(SYMBOL, params={"fromId": 2}) == []
    with pytest.raises(ccxt.OrderNotFound, match="-2013"):
        binance.fetch_order("999", SYMBOL)
    with pytest.raises(ccxt.OrderNotFound):
        binance.fetch_order(ids[0], SYMBOL, {"clientOrderId": "not-its-id", "orderId": ids[0]})
    with pytest.raises(ccxt.BadRequest, match="-1127"):
        binance.fetch_my_trades(SYMBOL, since=1, params={"endTime": 90_000_000})


def test_accounts_do_not_see_each_other() -> None:
    exchange = coin_exchange()
    main, second = client(exchange), client(exchange, key=SECOND_KEY)
    order = main.create_order(SYMBOL, "limit", "buy", 1, 99)
    assert second.fetch_orders(SYMBOL) == []
    with pytest.raises(ccxt.OrderNotFound):
        second.fetch_order(order["id"], SYMBOL)
    with pytest.raises(ccxt.OrderNotFound):
        second.cancel_order(order["id"], SYMBOL)
    with pytest.raises(ccxt.InsufficientFunds):
        second.create_order(SYMBOL, "market", "buy", 1)
