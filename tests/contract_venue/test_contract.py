"""What every venue adapter promises the use cases, on paper or not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from surefill.domain.fills import order_result
from surefill.domain.kinds import OrderKind, Side
from surefill.domain.money import ZERO
from surefill.domain.orders import AlreadyExists, Rejected, VenueOrder
from surefill.domain.reasons import Reason
from tests.contract_venue.worlds import OPENING, SYMBOL, World


def check_booked(world: World, *orders: VenueOrder | None) -> None:
    """The balances moved by exactly what the fills of the orders say."""
    base, quote = ZERO, OPENING
    for order in orders:
        assert order is not None and order.finished and order.fills is not None
        result = order_result(
            venue_order_id=order.venue_order_id,
            side=order.side,
            base="BTC",
            quote="USDT",
            filled_quantity=order.filled_quantity,
            fills=order.fills,
        )
        base, quote = base + result.base_change, quote + result.quote_change
    held = world.held()
    assert held.get("BTC", (ZERO, ZERO)) == (base, ZERO)
    assert held["USDT"] == (quote, ZERO)


def test_an_entry_fills_at_once_within_its_limit(world: World) -> None:
    order = world.accepted(world.order())
    assert order.finished and order.fills
    assert order.filled_quantity == Decimal("0.01")
    assert all(fill.price <= Decimal(60_600) and fill.fee_asset == "BTC" for fill in order.fills)
    assert world.find() == order
    check_booked(world, order)


def test_an_exit_by_market_sells_the_quantity(world: World) -> None:
    entry = world.accepted(world.order())
    leave = world.order("b", side=Side.SELL, kind=OrderKind.MARKET, quantity=Decimal("0.00999"), limit_price=None)
    sold = world.accepted(leave)
    assert sold.finished and sold.fills
    assert sold.filled_quantity == Decimal("0.00999")
    assert all(fill.fee_asset == "USDT" for fill in sold.fills)
    check_booked(world, entry, world.find("b"))


def test_an_ioc_order_out_of_reach_ends_empty(world: World) -> None:
    order = world.accepted(world.order(limit_price=Decimal(59_000)))
    assert (order.finished, order.filled_quantity, order.fills) == (True, ZERO, ())
    assert world.find() == order
    check_booked(world, order)


def test_nothing_is_found_where_nothing_was_placed(world: World) -> None:
    assert world.find() is None
    since = world.time.now() - timedelta(hours=30)
    assert world.venue.find_trace(symbol=SYMBOL, client_order_id="a" * 32, since=since) is None


def test_an_order_leaves_a_trace(world: World) -> None:
    order = world.accepted(world.order())
    world.accepted(world.order("b"))
    world.pass_time(minutes=3)
    since = world.time.now() - timedelta(minutes=5)
    assert world.venue.find_trace(symbol=SYMBOL, client_order_id="a" * 32, since=since) == order


def test_a_resting_order_is_unfinished_until_it_is_cancelled(world: World) -> None:
    order = world.accepted(world.order(kind=OrderKind.LIMIT, limit_price=Decimal(58_000)))
    assert (order.finished, order.filled_quantity, order.fills) == (False, ZERO, ())
    assert world.held()["USDT"] == (OPENING - 580, Decimal(580))
    found = world.find()
    assert found is not None and not found.finished
    world.venue.cancel(symbol=SYMBOL, client_order_id="a" * 32)
    world.venue.cancel(symbol=SYMBOL, client_order_id="a" * 32)
    check_booked(world, world.find())


def test_a_resting_order_fills_when_the_market_comes(world: World) -> None:
    world.accepted(world.order(kind=OrderKind.LIMIT, limit_price=Decimal(58_000)))
    world.set_price("57000")
    world.pass_time(seconds=2)
    found = world.find()
    assert found is not None and found.finished
    assert found.filled_quantity == Decimal("0.01")
    check_booked(world, found)


def test_the_client_id_of_an_open_order_is_taken(world: World) -> None:
    world.accepted(world.order(kind=OrderKind.LIMIT, limit_price=Decimal(58_000)))
    assert isinstance(world.venue.post(world.order(kind=OrderKind.LIMIT, limit_price=Decimal(58_000))), AlreadyExists)
    assert world.held()["USDT"] == (OPENING - 580, Decimal(580))


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": Decimal(1)},
        {"side": Side.SELL, "limit_price": Decimal(59_500)},
        {"side": Side.SELL, "kind": OrderKind.MARKET, "limit_price": None},
    ],
)
def test_an_order_beyond_the_balance_is_rejected(world: World, changes: dict[str, Any]) -> None:
    outcome = world.venue.post(world.order(**changes))
    assert isinstance(outcome, Rejected), outcome
    assert outcome.reason is Reason.BALANCE_SHORT
    assert world.find() is None
    check_booked(world)


def test_an_order_is_refused_after_its_window(world: World) -> None:
    late = world.order()
    world.pass_time(seconds=11)
    outcome = world.venue.post(late)
    assert isinstance(outcome, Rejected) and outcome.reason is Reason.REJECTED
    assert world.find() is None


def test_orders_of_other_symbols_are_not_found(world: World) -> None:
    world.accepted(world.order())
    assert world.venue.find(symbol="ETH/USDT", client_order_id="a" * 32) is None
