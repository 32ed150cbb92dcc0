"""Properties over random sequences: nothing is created or lost, equal runs end equal, asking changes nothing."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.exchange.book import BookShape
from local.exchange.clock import ExchangeClock
from local.exchange.messages import Request
from local.exchange.security import ApiKey
from local.exchange.settings import AccountSettings, MarketSettings, build_exchange
from tests.unit.exchange.helpers import START_MS

if TYPE_CHECKING:
    from local.exchange.core import Exchange

SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT")
PRICES = {"BTCUSDT": Decimal(60_000), "ETHUSDT": Decimal(2_500), "BNBUSDT": Decimal(500)}
STEPS = {"BTCUSDT": Decimal("0.00001"), "ETHUSDT": Decimal("0.0001"), "BNBUSDT": Decimal("0.001")}
FAULTS = (
    {"kind": "accept_then_drop", "method": "POST", "path": "/api/v3/order"},
    {"kind": "partial_fill_then_expire", "ratio": "0.37"},
    {"kind": "partial_fill", "ratio": "0.6", "for_seconds": 120},
    {"kind": "fill_after_cancel", "ratio": "0.5"},
    {"kind": "fill_after_cancel", "reply": "unknown"},
    {"kind": "visibility_lag", "seconds": 3, "count": 2},
    {"kind": "status", "status": 503, "execute": True, "probability": "0.5", "count": 3},
    {"kind": "maintenance", "for_seconds": 30},
)

order = st.fixed_dictionaries(
    {
        "do": st.just("order"),
        "account": st.sampled_from(["main", "second"]),
        "symbol": st.sampled_from(SYMBOLS),
        "side": st.sampled_from(["BUY", "SELL"]),
        "type": st.sampled_from(["MARKET", "QUOTE", "LIMIT", "LIMIT_MAKER", "STOP_LOSS", "TAKE_PROFIT_LIMIT"]),
        "worth": st.integers(1, 3_000),
        "away_bps": st.integers(-300, 300),
        "time": st.sampled_from(["GTC", "IOC", "FOK"]),
        "id": st.integers(1, 6),
    }
)
step = st.one_of(
    order,
    order,
    order,
    st.fixed_dictionaries({"do": st.just("cancel"), "number": st.integers(1, 20)}),
    st.fixed_dictionaries({"do": st.just("wait"), "seconds": st.integers(1, 900)}),
    st.fixed_dictionaries({"do": st.just("fault"), "number": st.integers(0, len(FAULTS) - 1)}),
    st.fixed_dictionaries({"do": st.just("jump"), "percent": st.integers(-4, 4), "symbol": st.sampled_from(SYMBOLS)}),
    st.fixed_dictionaries({"do": st.just("deposit"), "change": st.integers(-500, 500)}),
)


def long_run(seed: int, steps: int = 120) -> list[dict[str, Any]]:
    """Many steps with orders near the market, so that most of them meet it."""
    random = Random(seed)
    actions: list[dict[str, Any]] = []
    for number in range(steps):
        kind = random.choices(("order", "cancel", "wait", "fault", "jump"), (10, 3, 6, 1, 1))[0]
        choices: dict[str, dict[str, Any]] = {
            "order": {
                "account": random.choice(("main", "second")),
                "symbol": random.choice(SYMBOLS),
                "side": random.choice(("BUY", "SELL")),
                "type": random.choice(("MARKET", "QUOTE", "LIMIT", "LIMIT", "LIMIT", "STOP_LOSS", "TAKE_PROFIT_LIMIT")),
                "worth": random.randint(5, 6_000),
                "away_bps": random.randint(-200, 200),
                "time": random.choice(("GTC", "GTC", "IOC", "FOK")),
                "id": random.randint(1, 40),
            },
            "cancel": {"number": max(1, number // 3 - random.randint(0, 9))},
            "wait": {"seconds": random.randint(1, 400)},
            "fault": {"number": random.randrange(len(FAULTS))},
            "jump": {"percent": random.randint(-2, 2), "symbol": random.choice(SYMBOLS)},
        }
        actions.append({"do": kind, **choices[kind]})
    return actions


def new_exchange(seed: int) -> Exchange:
    owned = {"USDT": Decimal(20_000), "BTC": Decimal("0.3"), "ETH": Decimal(4), "BNB": Decimal("0.004")}
    return build_exchange(
        markets=[
            MarketSettings(
                name.replace("USDT", "/USDT"), start_price=price, shape=BookShape(depth=Decimal(900), levels=4)
            )
            for name, price in PRICES.items()
        ],
        accounts=[AccountSettings("main", owned, fees_in_bnb=True), AccountSettings("second", owned)],
        api_keys=[ApiKey(key="main", secret="main"), ApiKey(key="second", secret="second", account="second")],
        clock=ExchangeClock.manual(START_MS),
        seed=seed,
    )


def send(exchange: Exchange, method: str, path: str, content: object) -> tuple[int, bytes]:
    response = exchange.handle(Request(method, path, body=json.dumps(content).encode()))
    return response.status, response.body


def apply(exchange: Exchange, action: dict[str, Any]) -> tuple[int, bytes] | None:
    """One step of a random run; the reply, if it was a request."""
    if action["do"] == "wait":
        exchange.clock.advance(action["seconds"] * 1_000)
        return None
    if action["do"] == "fault":
        return send(exchange, "POST", "/admin/faults", FAULTS[action["number"]])
    if action["do"] == "jump":
        change = {"symbol": action["symbol"], "percent": action["percent"]}
        return send(exchange, "POST", "/admin/prices", change)
    if action["do"] == "deposit":
        return send(exchange, "POST", "/admin/balances", {"asset": "USDT", "change": action["change"]})
    if action["do"] == "cancel":
        found = exchange.state.engine.orders.get(action["number"])
        symbol, account = (found.request.symbol, found.account) if found else ("BTCUSDT", "main")
        return signed(exchange, "DELETE", account, {"symbol": symbol, "orderId": action["number"]})
    return signed(exchange, "POST", action["account"], order_parameters(action))


def order_parameters(action: dict[str, Any]) -> dict[str, str]:
    symbol, kind = action["symbol"], action["type"]
    price = (PRICES[symbol] * (10_000 + action["away_bps"]) / 10_000).quantize(Decimal("0.01"))
    quantity = (Decimal(action["worth"]) / PRICES[symbol]).quantize(STEPS[symbol])
    request = {"symbol": symbol, "side": action["side"], "type": "MARKET" if kind == "QUOTE" else kind,
               "newClientOrderId": f"id-{action['id']}"}  # fmt: skip
    request["quoteOrderQty" if kind == "QUOTE" else "quantity"] = str(action["worth"] if kind == "QUOTE" else quantity)
    if kind in ("LIMIT", "LIMIT_MAKER", "TAKE_PROFIT_LIMIT"):
        request["price"] = str(price)
    if kind in ("LIMIT", "TAKE_PROFIT_LIMIT"):
        request["timeInForce"] = action["time"]
    if kind in ("STOP_LOSS", "TAKE_PROFIT_LIMIT"):
        request["stopPrice"] = str(price)
    return request


def signed(exchange: Exchange, method: str, account: str, parameters: dict[str, Any]) -> tuple[int, bytes]:
    import hmac
    from urllib.parse import urlencode

    query = urlencode({**parameters, "timestamp": exchange.clock.now_ms()})
    signature = hmac.digest(account.encode(), query.encode(), "sha256").hex()
    request = Request(method, "/api/v3/order", f"{query}&signature={signature}", {"x-mbx-apikey": account})
    response = exchange.handle(request)
    return response.status, response.body


def check(exchange: Exchange) -> None:
    """What holds at all times."""
    state = exchange.state
    assert state.ledger.imbalance() == {}
    locked: Counter[tuple[str, str]] = Counter()
    for placed in state.engine.orders.values():
        assert placed.executed == sum(trade.quantity for trade in placed.trades)
        assert placed.quote_executed == sum(trade.quote_quantity for trade in placed.trades)
        assert 0 <= placed.executed <= placed.quantity
        assert (placed.status == "FILLED") == (placed.executed == placed.quantity > 0)
        assert placed.is_open or placed.locked == 0
        locked[placed.account, placed.lock_asset] += placed.locked  # type: ignore[assignment]
        limit = placed.request.price
        for trade in placed.trades:
            assert limit is None or (trade.price <= limit if placed.buying else trade.price >= limit)
    for account in state.ledger.accounts.values():
        for asset, balance in account.balances.items():
            assert balance.free >= 0
            assert balance.locked == locked[account.name, asset]
    ids = Counter(
        (o.account, o.request.symbol, o.request.client_order_id) for o in state.engine.orders.values() if o.is_open
    )
    assert all(count == 1 for count in ids.values())


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 5), actions=st.lists(step, min_size=1, max_size=25))
def test_nothing_is_created_or_lost(seed: int, actions: list[dict[str, Any]]) -> None:
    exchange = new_exchange(seed)
    for action in actions:
        reply = apply(exchange, action)
        assert reply is None or reply[0] in (200, 400, 503)
        check(exchange)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 5), actions=st.lists(step, min_size=5, max_size=20))
def test_equal_runs_give_equal_replies_and_states(seed: int, actions: list[dict[str, Any]]) -> None:
    first, second = new_exchange(seed), new_exchange(seed)
    assert [apply(first, action) for action in actions] == [apply(second, action) for action in actions]
    assert first.state_hash() == second.state_hash()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 5), actions=st.lists(step, min_size=5, max_size=20))
def test_asking_in_between_changes_nothing(seed: int, actions: list[dict[str, Any]]) -> None:
    """An exchange that is asked every few seconds fills the same orders at the same times as one left alone."""
    alone, asked = new_exchange(seed), new_exchange(seed)
    for action in actions:
        if action["do"] == "wait":
            apply(alone, action)
            while asked.clock.now_ms() < alone.clock.now_ms():
                asked.clock.advance(min(7_300, alone.clock.now_ms() - asked.clock.now_ms()))
                asked.handle(Request("GET", "/admin/clock"))
        else:
            apply(alone, action)
            apply(asked, action)
    assert alone.state_hash() == asked.state_hash()


@pytest.mark.parametrize("seed", range(12))
def test_long_runs_keep_every_promise(seed: int) -> None:
    actions = long_run(seed)
    first, second = new_exchange(seed), new_exchange(seed)
    for action in actions:
        apply(first, action)
        check(first)
        apply(second, action)
    assert first.state_hash() == second.state_hash()
    asked = new_exchange(seed)
    for action in actions:
        if action["do"] == "wait":
            end_ms = asked.clock.now_ms() + action["seconds"] * 1_000
            while asked.clock.now_ms() < end_ms:
                asked.clock.advance(min(7_300, end_ms - asked.clock.now_ms()))
                asked.handle(Request("GET", "/admin/clock"))
        else:
            apply(asked, action)
    assert asked.state_hash() == first.state_hash()


def test_long_runs_reach_what_they_are_meant_to_reach() -> None:
    seen: Counter[str] = Counter()
    for seed in range(6):
        exchange = new_exchange(seed)
        for action in long_run(seed):
            apply(exchange, action)
        for placed in exchange.state.engine.orders.values():
            seen[f"{placed.request.type} {placed.status}"] += 1
        for trade in exchange.state.engine.trades:
            seen["maker" if trade.maker else "taker"] += 1
            seen[f"fee in {'BNB' if trade.commission_asset == 'BNB' else 'other'}"] += 1
    wanted = {f"LIMIT {status}" for status in ("NEW", "FILLED", "CANCELED", "EXPIRED")}
    wanted |= {"MARKET FILLED", "MARKET EXPIRED", "STOP_LOSS FILLED", "TAKE_PROFIT_LIMIT FILLED"}
    wanted |= {"maker", "taker", "fee in BNB", "fee in other"}
    assert wanted <= set(seen), sorted(wanted - set(seen))


def test_different_seeds_end_differently() -> None:
    assert new_exchange(1).state_hash() != new_exchange(2).state_hash()
