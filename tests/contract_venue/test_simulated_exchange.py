"""The real adapter on the simulated exchange: what faults lead to, and public data."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from surefill.domain.candles import closed_candles, data_problem, quote_problem
from surefill.domain.kinds import Mode, OrderKind, Side
from surefill.domain.orders import Accepted, NotSent, Rejected, UnknownOutcome, VenueError
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account
from surefill.domain.times import to_milliseconds
from tests.contract_venue.worlds import SYMBOL, World, in_process

# Fault, its options, whether the order exists afterwards.
UNKNOWN: dict[str, tuple[str, dict[str, Any], bool]] = {
    "accepted, reply lost": ("accept_then_drop", {}, True),
    "request lost": ("drop_request", {}, False),
    "truncated reply": ("truncated_reply", {}, True),
    "empty": ("garbage", {"body": "empty"}, True),
    "html": ("garbage", {"body": "html"}, True),
    "half": ("garbage", {"body": "truncated"}, True),
    "object": ("garbage", {"body": "object"}, True),
    "bad gzip": ("bad_gzip", {}, True),
    "502, executed": ("status", {"status": 502, "execute": True}, True),
    "502, not executed": ("status", {"status": 502}, False),
    "524, executed": ("status", {"status": 524, "execute": True}, True),
    "504, executed": ("status", {"status": 504, "execute": True}, True),
    "403, not executed": ("status", {"status": 403}, False),
    "429": ("rate_limit", {}, False),
    "418": ("rate_limit", {"ban": True}, False),
    "-1007": ("reject", {"code": -1007, "msg": "Timeout waiting for response from backend server."}, False),
    "-1008": ("reject", {"code": -1008, "msg": "Server is currently overloaded with other requests."}, False),
}


@pytest.mark.parametrize(("kind", "options", "exists"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_an_unknown_outcome_is_settled_by_looking(
    live: World, kind: str, options: dict[str, Any], exists: bool
) -> None:
    live.fault(kind, **options, method="POST", path="/api/v3/order", count=1)
    assert isinstance(live.venue.post(live.order()), UnknownOutcome)
    found = live.find()
    assert (found is not None) is exists
    if found is not None:
        assert found.finished and found.fills


def test_a_reply_later_than_the_timeout_is_unknown_and_the_order_comes_all_the_same() -> None:
    with in_process() as world:
        world.fault("delay", before_seconds=7, method="POST", path="/api/v3/order", count=1)
        assert isinstance(world.venue.post(world.order()), UnknownOutcome)
        world.pass_time(seconds=5)
        found = world.find()
        assert found is not None and found.finished


def test_an_order_delayed_beyond_its_window_never_comes() -> None:
    with in_process() as world:
        world.fault("delay", before_seconds=12, method="POST", path="/api/v3/order", count=1)
        assert isinstance(world.venue.post(world.order()), UnknownOutcome)
        world.pass_time(seconds=60)
        assert world.find() is None


@pytest.mark.parametrize("kind", ["connect_timeout", "connection_refused"])
def test_a_connection_that_was_never_made_sent_nothing(kind: str) -> None:
    with in_process() as world:
        world.fault(kind, method="POST", path="/api/v3/order", count=1)
        assert isinstance(world.venue.post(world.order()), NotSent)
        assert world.find() is None


def test_an_order_that_is_not_visible_yet_is_denied_and_later_found(live: World) -> None:
    live.fault("visibility_lag", seconds=8)
    order = live.accepted(live.order())
    assert live.find() is None
    live.pass_time(seconds=9)
    assert live.find() == order


def test_a_part_filled_ioc_order_is_finished_with_its_part(live: World) -> None:
    live.fault("partial_fill_then_expire", ratio="0.4")
    order = live.accepted(live.order())
    assert (order.finished, order.filled_quantity) == (True, Decimal("0.004"))
    assert live.find() == order


def test_a_cancel_that_crossed_a_fill_is_seen_by_looking(live: World) -> None:
    live.accepted(live.order(kind=OrderKind.LIMIT, limit_price=Decimal(58_000)))
    live.fault("fill_after_cancel", reply="unknown")
    live.venue.cancel(symbol=SYMBOL, client_order_id="a" * 32)
    live.pass_time(seconds=2)
    found = live.find()
    assert found is not None and found.finished and found.fills
    assert found.filled_quantity == Decimal("0.01")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"quantity": Decimal("0.00001")}, Reason.BELOW_MINIMUM),
        ({"quantity": Decimal("0.010000001")}, None),
        ({"quantity": Decimal("0.01000001")}, Reason.MARKET_STALE),
        ({"limit_price": Decimal("60000.001")}, Reason.MARKET_STALE),
        ({"symbol": "XYZ/USDT"}, Reason.MARKET_UNKNOWN),
    ],
)
def test_orders_against_the_rules_are_rejected_with_what_is_wrong(
    live: World, changes: dict[str, Any], reason: Reason | None
) -> None:
    outcome = live.venue.post(live.order(**changes))
    if reason is None:
        assert isinstance(outcome, NotSent)
    else:
        assert isinstance(outcome, Rejected), outcome
        assert outcome.reason is reason


def test_a_revoked_key_is_told_from_a_venue_that_is_down(live: World) -> None:
    live.fault("revoke_key")
    outcome = live.venue.post(live.order())
    assert isinstance(outcome, Rejected) and outcome.reason is Reason.CREDENTIALS_REJECTED
    with pytest.raises(VenueError) as caught:
        live.find()
    assert caught.value.reason is Reason.CREDENTIALS_REJECTED


@pytest.mark.parametrize(
    ("kind", "options", "reason", "seconds"),
    [
        ("rate_limit", {"retry_after_seconds": 45}, Reason.RATE_LIMITED, 45),
        ("rate_limit", {"retry_after_seconds": 600, "ban": True}, Reason.RATE_LIMITED, 600),
        ("maintenance", {}, Reason.MAINTENANCE, None),
        ("status", {"status": 502}, Reason.VENUE_DOWN, None),
        ("garbage", {"body": "html"}, Reason.VENUE_DOWN, None),
        ("accept_then_drop", {}, Reason.VENUE_DOWN, None),
    ],
)
def test_looks_that_fail_say_why_and_when_to_come_back(
    live: World, kind: str, options: dict[str, Any], reason: Reason, seconds: int | None
) -> None:
    live.fault(kind, **options)
    with pytest.raises(VenueError) as caught:
        live.venue.balances()
    assert caught.value.reason is reason
    expected = None if seconds is None else live.time.now() + timedelta(seconds=seconds)
    assert caught.value.retry_at == expected


def test_every_intent_posts_once_whatever_happens(live: World) -> None:
    for number, kind in enumerate(["accept_then_drop", "truncated_reply", "bad_gzip", "status", "garbage"]):
        live.fault(kind, method="POST", path="/api/v3/order", count=1)
        live.venue.post(live.order("abcde"[number]))
    posts = live.admin("GET", "/admin/state")["order_posts"]
    assert posts == {letter * 32: 1 for letter in "abcde"}


def test_paper_and_live_accounts_do_not_meet() -> None:
    with in_process() as world:
        paper = world.venues.of_account(
            Account(
                account_id="paper-binance-main",
                venue="binance",
                mode=Mode.PAPER,
                currency="USDT",
                paper_balance=Decimal(5_000),
            )
        )
        assert isinstance(paper.post(world.order()), Accepted)
        assert world.find() is None
        assert world.held() == {"USDT": (Decimal(10_000), Decimal(0))}
        assert world.admin("GET", "/admin/state")["order_posts"] == {}


# public data


def test_candles_end_before_the_tick_and_carry_a_decision(live: World) -> None:
    live.pass_time(seconds=30)
    tick = live.time.now().replace(second=0, microsecond=0)
    rows = live.market_data.candle_rows(symbol=SYMBOL, timeframe="1m", until=tick, limit=120)
    assert len(rows) == 120
    assert rows[-1][0] == to_milliseconds(tick) - 60_000
    candles = closed_candles(timeframe="1m", rows=rows, tick=tick)
    assert len(candles) == 120
    assert data_problem(candles, tick=tick, needed=100) is None


def test_long_histories_are_joined(live: World) -> None:
    tick = live.time.now()
    rows = live.market_data.candle_rows(symbol=SYMBOL, timeframe="5m", until=tick, limit=1_500)
    assert len(closed_candles(timeframe="5m", rows=rows, tick=tick)) >= 1_499


def test_quotes_are_fresh_by_the_venues_clock_until_they_stand_still(live: World) -> None:
    quotes = live.market_data.quotes([SYMBOL, "ETH/USDT", "GONE/USDT"])
    assert set(quotes) == {SYMBOL, "ETH/USDT"}
    assert quotes[SYMBOL].bid < quotes[SYMBOL].ask
    assert quotes[SYMBOL].at == live.time.now()
    live.fault("stale_prices")
    live.pass_time(minutes=2)
    stale = live.market_data.quotes([SYMBOL])[SYMBOL]
    assert quote_problem(stale, now=live.time.now()) is Reason.PRICE_STALE


def test_rules_are_those_the_exchange_enforces(live: World) -> None:
    now = live.time.now()
    everything = live.market_data.market_rules(None, now=now)
    assert {row.symbol for row in everything} == {"BTC/USDT", "ETH/USDT", "SOL/USDT"}
    (row,) = live.market_data.market_rules([SYMBOL, "GONE/USDT"], now=now)
    assert row in everything
    smallest = live.order(quantity=row.quantity_step * 100, limit_price=Decimal(60_600))
    assert isinstance(live.venue.post(smallest), Accepted)


def test_the_clock_is_the_exchanges(live: World) -> None:
    assert live.market_data.server_time() == live.time.now()


def test_a_sell_after_a_buy_leaves_only_what_fees_took(live: World) -> None:
    live.accepted(live.order())
    leave = live.order("b", side=Side.SELL, kind=OrderKind.MARKET, quantity=Decimal("0.00999"), limit_price=None)
    live.accepted(leave)
    assert set(live.held()) == {"USDT"}
