"""Paper accounts under real concurrency: the guards are DynamoDB's, not Python's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING

from surefill.domain.kinds import OrderKind
from surefill.domain.orders import Accepted, AlreadyExists, Rejected, UnknownOutcome
from tests.contract_venue.worlds import OPENING, SYMBOL, on_paper

if TYPE_CHECKING:
    from surefill.ports import Store


def test_one_order_posted_by_many_is_filled_once(stored: Store) -> None:
    with on_paper(stored) as world, ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: world.venue.post(world.order()), range(16)))
        assert sum(isinstance(outcome, Accepted) for outcome in outcomes) == 1
        assert all(isinstance(outcome, Accepted | AlreadyExists | UnknownOutcome) for outcome in outcomes)
        assert world.held()["BTC"] == (Decimal("0.00999"), Decimal(0))


def test_the_same_money_is_spent_once(stored: Store) -> None:
    with on_paper(stored) as world, ThreadPoolExecutor(8) as pool:
        orders = [world.order(client_order_id=f"order{number}", quantity=Decimal("0.05")) for number in range(12)]
        outcomes = list(pool.map(world.venue.post, orders))
        filled = sum(isinstance(outcome, Accepted) for outcome in outcomes)
        assert all(isinstance(outcome, Accepted | Rejected | UnknownOutcome) for outcome in outcomes)
        held = world.held()
        assert filled == 3
        assert held["USDT"] == (OPENING - filled * Decimal("0.05") * Decimal(60_006), Decimal(0))
        assert held["BTC"] == (filled * Decimal("0.04995"), Decimal(0))


def test_a_resting_order_met_by_looks_and_cancels_ends_one_way(stored: Store) -> None:
    with on_paper(stored) as world, ThreadPoolExecutor(8) as pool:
        world.accepted(world.order(kind=OrderKind.LIMIT, limit_price=Decimal(58_000)))
        world.set_price("57000")
        for _ in range(6):
            pool.submit(world.find)
            pool.submit(world.venue.cancel, symbol=SYMBOL, client_order_id="a" * 32)
        pool.shutdown(wait=True)
        found = world.find()
        assert found is not None and found.finished
        spent = found.filled_quantity * 58_000
        assert world.held()["USDT"] == (OPENING - spent, Decimal(0))
