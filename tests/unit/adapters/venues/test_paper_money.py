"""A paper account never spends what it does not have, and its balances are what its fills say."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefill.adapters.paper.fills import PaperTerms
from surefill.domain.fills import order_result
from surefill.domain.kinds import OrderKind, Side
from surefill.domain.money import ZERO
from surefill.domain.orders import Accepted, Balance, OrderRequest, Rejected, VenueOrder
from surefill.domain.reasons import Reason
from surefill.domain.records import PaperEntry
from tests.unit.adapters.venues.helpers import request
from tests.unit.adapters.venues.paper_account import World


def test_the_account_starts_with_its_opening_balance_once() -> None:
    world = World()
    assert world.venue.balances() == {"USDT": Balance(free=Decimal(1_000), locked=ZERO)}
    assert world.account().balances() == world.venue.balances()


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": Decimal("0.02"), "limit_price": Decimal("65100")},
        {"quantity": Decimal("0.02"), "limit_price": Decimal("60000")},
        {"quantity": Decimal("0.02"), "limit_price": None, "kind": OrderKind.MARKET},
        {"quantity": Decimal("0.02"), "limit_price": Decimal("60000"), "kind": OrderKind.LIMIT},
        {"side": Side.SELL},
        {"side": Side.SELL, "kind": OrderKind.MARKET, "limit_price": None},
    ],
)
def test_an_order_beyond_the_balance_is_rejected_and_leaves_nothing(changes: dict[str, Any]) -> None:
    world = World()
    outcome = world.venue.post(request(**changes))
    assert isinstance(outcome, Rejected) and outcome.reason is Reason.BALANCE_SHORT
    assert world.find() is None
    assert world.held() == {"USDT": (Decimal(1_000), ZERO)}


def test_many_orders_for_the_same_money_never_overdraw_it() -> None:
    world = World()
    buy = replace(request(), quantity=Decimal("0.003"), limit_price=Decimal("65000.1"))

    def post(number: int) -> object:
        return world.account().post(replace(buy, client_order_id=f"order{number}"))

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(post, range(32)))
    assert sum(isinstance(outcome, Accepted) for outcome in outcomes) == 5
    assert all(isinstance(outcome, Accepted | Rejected) for outcome in outcomes)
    assert world.held()["USDT"] == (Decimal(1_000) - 5 * Decimal("195.0003"), ZERO)


def check_conserved(world: World, orders: list[VenueOrder]) -> None:
    """Balances are the opening money plus what the fills of all orders say, and nothing is below zero."""
    expected = {"USDT": world.opening, "BTC": ZERO}
    for order in orders:
        assert order.fills is not None
        result = order_result(
            venue_order_id=order.venue_order_id,
            side=order.side,
            base="BTC",
            quote="USDT",
            filled_quantity=order.filled_quantity,
            fills=order.fills,
        )
        expected["BTC"] += result.base_change
        expected["USDT"] += result.quote_change
    held = world.held()
    for asset, total in expected.items():
        free, locked = held.get(asset, (ZERO, ZERO))
        assert free >= 0 and locked >= 0 and free + locked == total, asset


@given(seed=st.integers(0, 2**32), depth=st.none() | st.integers(20, 2_000).map(Decimal))
@settings(max_examples=60, deadline=None)
def test_money_is_conserved_whatever_is_ordered(seed: int, depth: Decimal | None) -> None:
    draw = random.Random(seed)
    world = World(PaperTerms(slippage_percent=Decimal("0.05"), depth=depth))
    names: list[str] = []
    for number in range(25):
        middle = draw.randrange(60_000, 70_000)
        world.prices.set(bid=f"{middle}.10", ask=f"{middle}.{draw.randrange(11, 99)}")
        kind = draw.choice(list(OrderKind))
        order: OrderRequest = request(
            client_order_id=f"o{number}",
            side=draw.choice(list(Side)),
            kind=kind,
            quantity=Decimal(draw.randrange(1, 900)).scaleb(-5),
            limit_price=None if kind is OrderKind.MARKET else Decimal(draw.randrange(60_000, 70_000)),
        )
        if isinstance(world.venue.post(order), Accepted):
            names.append(order.client_order_id)
        if names and draw.random() < 0.4:
            world.venue.cancel(symbol="BTC/USDT", client_order_id=draw.choice(names))
        found = [world.find(name) for name in names]
        check_conserved(world, [order for order in found if order is not None])
    assert len(world.store.all_rows(PaperEntry)) >= len(names)
