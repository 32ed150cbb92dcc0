"""The exact requests that leave, for every order kind and every look, under real ccxt."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from surefill.adapters.ccxt.binance import BINANCE
from surefill.adapters.ccxt.transport import ForbiddenRequestError
from surefill.adapters.ccxt.venue import CcxtVenue
from surefill.domain.kinds import OrderKind, Side
from surefill.domain.money import plain
from surefill.domain.orders import Accepted, NotSent, OrderRequest, UnknownOutcome, VenueError
from surefill.domain.times import to_milliseconds
from tests.unit.adapters.venues.helpers import (
    CLIENT_ID,
    KEY,
    NOW,
    Reply,
    Scripted,
    Seen,
    SetClock,
    connection,
    fill_row,
    market_data,
    order_row,
    request,
    said,
    venue,
)

STAMP = str(to_milliseconds(NOW))
GOLDEN: dict[str, tuple[OrderRequest, tuple[tuple[str, str], ...]]] = {
    "limit IOC buy": (
        request(),
        (("side", "BUY"), ("newClientOrderId", CLIENT_ID), ("newOrderRespType", "FULL"), ("type", "LIMIT"),
         ("quantity", "0.00123"), ("price", "65000.1"), ("timeInForce", "IOC")),
    ),
    "limit IOC sell": (
        request(side=Side.SELL),
        (("side", "SELL"), ("newClientOrderId", CLIENT_ID), ("newOrderRespType", "FULL"), ("type", "LIMIT"),
         ("quantity", "0.00123"), ("price", "65000.1"), ("timeInForce", "IOC")),
    ),
    "limit buy": (
        request(kind=OrderKind.LIMIT),
        (("side", "BUY"), ("newClientOrderId", CLIENT_ID), ("newOrderRespType", "FULL"), ("type", "LIMIT"),
         ("quantity", "0.00123"), ("price", "65000.1"), ("timeInForce", "GTC")),
    ),
    "limit sell": (
        request(kind=OrderKind.LIMIT, side=Side.SELL),
        (("side", "SELL"), ("newClientOrderId", CLIENT_ID), ("newOrderRespType", "FULL"), ("type", "LIMIT"),
         ("quantity", "0.00123"), ("price", "65000.1"), ("timeInForce", "GTC")),
    ),
    "market buy": (
        request(kind=OrderKind.MARKET, limit_price=None),
        (("side", "BUY"), ("newClientOrderId", CLIENT_ID), ("newOrderRespType", "FULL"), ("type", "MARKET"),
         ("quantity", "0.00123")),
    ),
    "market sell": (
        request(kind=OrderKind.MARKET, limit_price=None, side=Side.SELL),
        (("side", "SELL"), ("newClientOrderId", CLIENT_ID), ("newOrderRespType", "FULL"), ("type", "MARKET"),
         ("quantity", "0.00123")),
    ),
}  # fmt: skip


def accepting(seen: Seen) -> Reply:
    return said(order_row(side=seen.parameters["side"], fills=[fill_row()]))


def signature(pairs: tuple[tuple[str, str], ...]) -> str:
    return hmac.new(KEY.secret.encode(), urlencode(pairs).encode(), hashlib.sha256).hexdigest()


def test_every_order_kind_is_pinned() -> None:
    assert {order.kind for order, _ in GOLDEN.values()} == set(OrderKind) == set(BINANCE.forms)


@pytest.mark.parametrize(("order", "expected"), GOLDEN.values(), ids=GOLDEN.keys())
def test_the_request_of_an_order(order: OrderRequest, expected: tuple[tuple[str, str], ...]) -> None:
    wire = Scripted(accepting)
    assert isinstance(venue(wire).post(order), Accepted)
    (sent,) = wire.requests
    assert (sent.method, sent.path) == ("POST", "/api/v3/order")
    signed = (("timestamp", STAMP), ("symbol", "BTCUSDT"), *expected, ("recvWindow", "10000"))
    assert sent.pairs == (*signed, ("signature", signature(signed)))
    assert sent.headers["x-mbx-apikey"] == KEY.api_key
    assert wire.timeouts == [5.0]


@pytest.mark.parametrize(
    "amount",
    ["0.00000001", "0.1", "1", "10", "1E+3", "1E-8", "0.10000000", "123456789.12345678", "99999999999.99999999"],
)
def test_decimals_arrive_exactly(amount: str) -> None:
    wire = Scripted(accepting)
    venue(wire).post(request(quantity=Decimal(amount), limit_price=Decimal(amount)))
    sent = wire.requests[0].parameters
    assert sent["quantity"] == sent["price"] == plain(Decimal(amount))


def test_the_signed_time_is_the_one_of_the_order_and_not_of_the_clock() -> None:
    wire = Scripted(accepting)
    clock = SetClock(NOW + timedelta(minutes=7))
    venue(wire, clock=clock).post(request(window_ms=1_234))
    assert wire.requests[0].parameters["timestamp"] == STAMP
    assert wire.requests[0].parameters["recvWindow"] == "1234"


def test_looks_are_signed_with_the_clock() -> None:
    wire = Scripted(lambda seen: said(order_row()) if seen.path.endswith("order") else said([]))
    clock = SetClock()
    account = venue(wire, clock=clock)
    account.post(request(signed_at=NOW - timedelta(seconds=9)))
    clock.pass_time(seconds=5)
    account.find(symbol="BTC/USDT", client_order_id=CLIENT_ID)
    assert wire.requests[1].parameters["timestamp"] == str(to_milliseconds(clock.now()))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"limit_price": None}, "with a limit price"),
        ({"kind": OrderKind.MARKET}, "without a limit price"),
        ({"window_ms": 0}, "window must be 1 to 60000 ms"),
        ({"window_ms": 60_001}, "window must be 1 to 60000 ms"),
        ({"quantity": Decimal("0.000000001")}, "at most 8 decimals"),
        ({"quantity": Decimal(0)}, "above 0"),
        ({"quantity": Decimal(-1)}, "above 0"),
        ({"quantity": Decimal("NaN")}, "above 0"),
        ({"limit_price": Decimal("1.123456789")}, "at most 8 decimals"),
        ({"symbol": "BTCUSDT"}, "symbol must look like"),
        ({"kind": "STOP_LOSS"}, "order kind must be one of"),
    ],
)
def test_what_must_not_be_tried_never_leaves(changes: dict[str, Any], expected: str) -> None:
    wire = Scripted(accepting)
    outcome = venue(wire).post(request(**changes))
    assert isinstance(outcome, NotSent)
    assert expected in outcome.message
    assert wire.requests == []


def test_the_first_request_of_a_new_adapter_is_the_order_itself() -> None:
    # No market download, no account settings, no margin or futures calls.
    wire = Scripted(accepting)
    venue(wire).post(request())
    assert len(wire.requests) == 1


def test_a_second_post_in_one_call_is_stopped_before_it_leaves() -> None:
    class Twice(type(BINANCE.dialect)):  # type: ignore[misc]
        def ask_post(self, exchange: Any, *, order: Any, params: Any) -> object:
            super().ask_post(exchange, order=order, params=params)
            return super().ask_post(exchange, order=order, params=params)

    wire = Scripted(accepting)
    twice = connection(wire, profile=replace(BINANCE, dialect=Twice()))
    assert isinstance(CcxtVenue(connection=twice).post(request()), UnknownOutcome)
    assert len(wire.requests) == twice.transport.posts == 1


def test_a_look_can_not_post() -> None:
    wire = Scripted(accepting)
    one = connection(wire)
    with one.transport.call() as log:
        with pytest.raises(ForbiddenRequestError, match="post 0 times"):
            one._exchange.private_post_order({"symbol": "BTCUSDT"})
        assert not log.left
    assert wire.requests == []


def test_ccxt_is_told_to_retry_nothing_and_to_load_nothing() -> None:
    exchange = connection(Scripted(accepting))._exchange
    assert exchange.options["maxRetriesOnFailure"] == 0
    assert exchange.enableRateLimit is False
    assert exchange.timeout == 5_000
    assert exchange.session.trust_env is False
    assert exchange.markets == {}
    assert exchange.urls["api"] == {
        "public": "https://api.binance.com/api/v3",
        "private": "https://api.binance.com/api/v3",
    }


@pytest.mark.parametrize("call", ["sapi_get_capital_config_getall", "fapiprivatev2_get_account", "papi_get_balance"])
def test_interfaces_that_are_not_listed_have_no_address(call: str) -> None:
    wire = Scripted(accepting)
    one = connection(wire)
    with one.transport.call(), pytest.raises(Exception, match="URL"):
        getattr(one._exchange, call)({})
    assert wire.requests == []


def test_every_look_is_pinned() -> None:
    replies = {
        "/api/v3/order": said(order_row()),
        "/api/v3/account": said({"balances": []}),
    }
    wire = Scripted(lambda seen: replies.get(seen.path, said([])))
    account = venue(wire)
    account.find(symbol="BTC/USDT", client_order_id=CLIENT_ID)
    account.find_trace(symbol="BTC/USDT", client_order_id=CLIENT_ID, since=NOW - timedelta(minutes=3))
    account.cancel(symbol="BTC/USDT", client_order_id=CLIENT_ID)
    account.balances()
    since, until = str(to_milliseconds(NOW) - 180_000), str(to_milliseconds(NOW) + 60_000)
    span = f"symbol=BTCUSDT&startTime={since}&endTime={until}&limit=1000"
    assert [(seen.method, seen.path, looked_for(seen)) for seen in wire.requests] == [
        ("GET", "/api/v3/order", f"symbol=BTCUSDT&origClientOrderId={CLIENT_ID}"),
        ("GET", "/api/v3/myTrades", "symbol=BTCUSDT&orderId=28&limit=1000"),
        ("GET", "/api/v3/openOrders", "symbol=BTCUSDT"),
        ("GET", "/api/v3/allOrders", span),
        ("GET", "/api/v3/myTrades", span),
        ("DELETE", "/api/v3/order", f"symbol=BTCUSDT&origClientOrderId={CLIENT_ID}"),
        ("GET", "/api/v3/account", "omitZeroBalances=true"),
    ]
    assert all(seen.parameters["recvWindow"] == "60000" for seen in wire.requests)


def test_public_requests_carry_neither_key_nor_signature() -> None:
    replies = {"/api/v3/time": said({"serverTime": 1}), "/api/v3/exchangeInfo": said({"symbols": []})}
    wire = Scripted(lambda seen: replies.get(seen.path, said([])))
    data = market_data(wire)
    data.candle_rows(symbol="BTC/USDT", timeframe="5m", until=NOW, limit=50)
    data.quotes(["BTC/USDT", "ETH/USDT"])
    data.market_rules(["BTC/USDT"], now=NOW)
    data.market_rules(None, now=NOW)
    data.server_time()
    assert [(seen.path, looked_for(seen)) for seen in wire.requests] == [
        ("/api/v3/klines", f"symbol=BTCUSDT&interval=5m&endTime={to_milliseconds(NOW) - 1}&limit=50"),
        ("/api/v3/ticker/24hr", 'symbols=["BTCUSDT","ETHUSDT"]'),
        ("/api/v3/exchangeInfo", 'symbols=["BTCUSDT"]&showPermissionSets=false'),
        ("/api/v3/exchangeInfo", "showPermissionSets=false"),
        ("/api/v3/time", ""),
    ]
    assert all("signature" not in seen.parameters and "x-mbx-apikey" not in seen.headers for seen in wire.requests)


def looked_for(seen: Seen) -> str:
    """What a look asked for, without what signs it."""
    signing = ("timestamp", "recvWindow", "signature")
    return "&".join(f"{name}={value}" for name, value in seen.pairs if name not in signing)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_not_even_to_the_venue_itself(status: int) -> None:
    elsewhere = {"Location": "https://api.binance.com/api/v3/account?again=1"}
    wire = Scripted(lambda seen: Reply(status=status, headers=elsewhere))
    account = venue(wire)
    assert isinstance(account.post(request()), UnknownOutcome)
    with pytest.raises(VenueError):
        account.balances()
    assert [seen.method for seen in wire.requests] == ["POST", "GET"]
