"""Which requests a fault hits, how it is switched on and off, and what the log keeps."""

from __future__ import annotations

from typing import Any

import ccxt
import pytest

from local.exchange.faults import FaultKind
from tests.unit.exchange.helpers import (
    START_MS,
    admin,
    admin_response,
    client,
    coin_exchange,
    fault,
)

SYMBOL = "COIN/USDT"
ORDER = {"method": "POST", "path": "/api/v3/order"}
MINE = {"clientOrderId": "mine"}


def buy(binance: Any, **params: object) -> Any:
    return binance.create_order(SYMBOL, "market", "buy", 1, params={**MINE, **params})


def test_time_is_hit_only_by_name() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    fault(exchange, "status", path="/api/v3/time", status=500)
    with pytest.raises(ccxt.ExchangeNotAvailable):
        binance.fetch_time()
    assert binance.fetch_time() == START_MS


def test_count_scope_and_client_id() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    fault(exchange, "status", **ORDER, status=500, count=2, client_order_id="mine")
    binance.create_order(SYMBOL, "market", "buy", 1, params={"clientOrderId": "other"})
    for _ in range(2):
        with pytest.raises(ccxt.ExchangeNotAvailable):
            buy(binance)
    assert buy(binance)["status"] == "closed"
    shown = admin(exchange, "GET", "/admin/faults")
    assert [(entry["fired"], entry["count"]) for entry in shown] == [(2, 0)]


def test_probability_is_drawn_from_the_seed() -> None:
    def pattern(seed: int) -> list[bool]:
        exchange = coin_exchange(seed=seed)
        binance = client(exchange)
        fault(exchange, "status", path="/api/v3/ping", status=500, count=None, probability="0.5")
        failed = []
        for _ in range(40):
            try:
                binance.public_get_ping()
                failed.append(False)
            except ccxt.ExchangeNotAvailable:
                failed.append(True)
        return failed

    assert pattern(3) == pattern(3) != pattern(4)
    assert 8 < sum(pattern(3)) < 32


def test_several_faults_meet() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    fault(exchange, "partial_fill_then_expire", ratio="0.5")
    fault(exchange, "accept_then_drop", **ORDER)
    fault(exchange, "visibility_lag", seconds=3)
    with pytest.raises(ccxt.NetworkError):
        binance.create_order(SYMBOL, "market", "buy", 10, params=MINE)
    with pytest.raises(ccxt.OrderNotFound):
        binance.fetch_order(None, SYMBOL, MINE)
    exchange.clock.advance(3_000)
    assert binance.fetch_order(None, SYMBOL, MINE)["filled"] == 5


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"kind": "earthquake"}, "unknown fault 'earthquake', expected one of accept_then_drop"),
        ({}, "unknown fault None"),
        ({"kind": "delay", "minutes": 1}, "fault delay has no minutes, expected some of"),
        ({"kind": "delay", "before_seconds": "soon"}, "before_seconds of a fault must be a number, was 'soon'"),
        ({"kind": "delay", "before_seconds": -1}, "must be from 0"),
        ({"kind": "partial_fill", "ratio": 2}, "ratio of a fault must be from 0 to 1"),
        ({"kind": "garbage", "body": "noise"}, "must be one of empty, html, truncated, object"),
        ({"kind": "status", "status": 99}, "must be an HTTP status, was 99"),
        ({"kind": "status", "count": 0}, "count of a fault must be a whole number above 0"),
        ({"kind": "status", "probability": 1.5}, "probability of a fault must be from 0 to 1"),
        ({"kind": "status", "symbol": 5}, "symbol of a fault must be a text"),
        ({"kind": "fill_after_cancel", "reply": "maybe"}, "must be canceled or unknown"),
        ([1], "must be a fault or a list of faults"),
        ([{"kind": "delay"}, {"kind": "earthquake"}], "unknown fault"),
    ],
)
def test_mistakes_in_a_fault_are_named_and_switch_nothing_on(content: object, sentence: str) -> None:
    exchange = coin_exchange()
    status, reply = admin_response(exchange, "POST", "/admin/faults", content)
    assert status == 400
    assert sentence in reply["error"]
    assert admin(exchange, "GET", "/admin/faults") == []


def test_every_kind_can_be_switched_on_with_its_defaults_and_off_again() -> None:
    exchange = coin_exchange()
    for kind in FaultKind:
        fault(exchange, kind.value)
    shown = admin(exchange, "GET", "/admin/faults")
    assert [entry["kind"] for entry in shown] == [kind.value for kind in FaultKind]
    admin(exchange, "DELETE", f"/admin/faults/{shown[0]['id']}")
    assert len(admin(exchange, "GET", "/admin/faults")) == len(FaultKind) - 1
    assert admin_response(exchange, "DELETE", "/admin/faults/999")[0] == 400
    admin(exchange, "DELETE", "/admin/faults")
    assert admin(exchange, "GET", "/admin/faults") == []


def test_counters_and_log_tell_what_came() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    buy(binance)
    binance.fetch_balance()
    state = admin(exchange, "GET", "/admin/state")
    assert state["requests"]["POST /api/v3/order"] == 1
    assert state["order_posts"] == {"mine": 1}
    last = admin(exchange, "GET", "/admin/requests")[-1]
    assert (last["method"], last["path"], last["account"], last["status"]) == ("GET", "/api/v3/account", "main", 200)
    admin(exchange, "DELETE", "/admin/requests")
    assert admin(exchange, "GET", "/admin/requests") == []
