"""Admin endpoints: what they change, and the sentence for each mistake."""

from __future__ import annotations

from decimal import Decimal

import pytest

from local.exchange.settings import AccountSettings, MarketSettings, build_exchange
from tests.unit.exchange.helpers import START_MS, admin, admin_response, client, coin_exchange


@pytest.mark.parametrize(
    ("method", "path", "content", "sentence"),
    [
        ("POST", "/admin/balances", {"asset": "USDT"}, "expected account, asset and either change or free"),
        ("POST", "/admin/balances", {"asset": "USDT", "change": "much"}, "change must be a number, was 'much'"),
        ("POST", "/admin/balances", {"asset": "USDT", "free": -1}, "free must be at least 0, was -1"),
        ("POST", "/admin/balances", {"asset": "USDT", "change": -10001}, "has 10000 USDT free, expected at least"),
        ("POST", "/admin/balances", {"account": "x", "asset": "USDT", "change": 1}, "no account 'x', expected one"),
        ("POST", "/admin/balances", [1], "body must be a JSON object, was list"),
        ("POST", "/admin/prices", {"symbol": "NOPE", "price": 1}, "no symbol 'NOPE', expected one of COINUSDT"),
        ("POST", "/admin/prices", {"symbol": "COINUSDT", "price": 0}, "price of COINUSDT must be above 0, was 0"),
        ("POST", "/admin/prices", {"symbol": "COINUSDT"}, "either price or percent"),
        ("POST", "/admin/prices", {"symbol": "COINUSDT", "cost": 1}, "unknown field cost, expected some of symbol"),
        ("POST", "/admin/markets", {"symbol": "COINUSDT", "rules": {"tick": 1}}, "unknown market rules tick, expected"),
        ("POST", "/admin/markets", {"symbol": "COINUSDT", "status": "CLOSED"}, "must be one of TRADING, BREAK"),
        ("POST", "/admin/markets", {"symbol": "COINUSDT", "rules": {"tick_size": "x"}}, "tick_size must be a number"),
        ("POST", "/admin/markets", {"symbol": "COINUSDT", "rules": {"max_open_orders": "3"}}, "must be of type int"),
        ("POST", "/admin/markets", {"symbol": "COINUSDT", "rules": {"min_notional": -5}}, "must be at least 0, was -5"),
        ("POST", "/admin/markets", {"symbol": "COINUSDT", "book": {"depth": -1}}, "depth of at least 0"),
        ("POST", "/admin/markets", {"symbol": "COINUSDT", "book": {"colour": 1}}, "unknown book fields colour"),
        ("POST", "/admin/markets", {"symbol": "COINUSDT", "book": {"depth": "deep"}}, "depth must be a number"),
        ("POST", "/admin/markets", {"symbol": "COINUSDT", "book": 5}, "rules and book must be JSON objects"),
        ("POST", "/admin/orders", {"symbol": "COINUSDT", "side": "BUY"}, "-1102: Mandatory parameter 'type'"),
        ("DELETE", "/admin/orders", {"order_id": 77}, "there is no open order 77"),
        ("POST", "/admin/accounts", {"fees_in_bnb": 1}, "fees_in_bnb must be true or false, was 1"),
        ("POST", "/admin/markets", {"symbol": "COINUSDT", "rules": {"tick_size": "NaN"}}, "tick_size must be a number"),
        ("DELETE", "/admin/faults/x", None, "a fault is cleared by its number, was 'x'"),
    ],
)  # fmt: skip
def test_mistakes_are_named_and_change_nothing(method: str, path: str, content: object, sentence: str) -> None:
    exchange = coin_exchange()
    before = exchange.state_hash()
    status, reply = admin_response(exchange, method, path, content)
    assert status == 400
    assert sentence in reply["error"]
    assert exchange.state_hash() == before


def test_markets_show_and_take_rules_and_books() -> None:
    exchange = coin_exchange()
    change = {
        "symbol": "COINUSDT",
        "rules": {"min_notional": "20"},
        "book": {"spread_bps": 100, "levels": 2, "depth": 50},
    }
    shown = admin(exchange, "POST", "/admin/markets", change)
    assert shown == admin(exchange, "GET", "/admin/markets")[0]
    assert shown["book"] == {"spread_bps": "100", "level_bps": "2", "levels": 2, "depth": "50"}
    book = client(exchange).fetch_order_book("COIN/USDT")
    assert (book["bids"][0][0], book["asks"][0][0], len(book["asks"])) == (99.5, 100.5, 2)
    assert client(exchange).markets["COIN/USDT"]["limits"]["cost"]["min"] == 20


def test_accounts_can_switch_to_fees_in_bnb() -> None:
    exchange = coin_exchange()
    assert admin(exchange, "POST", "/admin/accounts", {"fees_in_bnb": True}) == {"account": "main", "fees_in_bnb": True}
    assert exchange.state.ledger.accounts["main"].fees_in_bnb


def test_state_holds_everything_and_its_sums_are_zero() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    binance.create_order("COIN/USDT", "market", "buy", 1, params={"clientOrderId": "one"})
    binance.create_order("COIN/USDT", "limit", "sell", 2, 120)
    state = admin(exchange, "GET", "/admin/state")
    assert state["orders"][0]["clientOrderId"] == "one"
    assert state["trades"][0]["account"] == "main"
    assert state["now_ms"] == START_MS
    for asset in ("USDT", "COIN"):
        owned = [account.get(asset, {}) for account in state["accounts"].values()]
        total = sum((Decimal(value) for balance in owned for value in balance.values()), Decimal(0))
        total += sum(Decimal(held.get(asset, "0")) for held in state["holders"].values())
        assert total == 0


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="symbol must be base/quote"):
        MarketSettings("BTCUSDT", start_price=Decimal(1))
    with pytest.raises(ValueError, match="needs a start price or a source"):
        MarketSettings("BTC/USDT")
    with pytest.raises(ValueError, match="belongs to account 'main', expected one of other"):
        build_exchange(accounts=[AccountSettings("other", {})])
    with pytest.raises(ValueError, match="account 'main' exists already"):
        build_exchange(accounts=[AccountSettings(), AccountSettings()])
    market = MarketSettings("BTC/USDT", start_price=Decimal(60_000))
    with pytest.raises(ValueError, match="each symbol may be there once"):
        build_exchange(markets=[market, market])
