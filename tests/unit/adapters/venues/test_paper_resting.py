"""A resting paper order: its money is locked, it fills when the market comes, the rest can be cancelled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest

from surefill.adapters.paper.book import PaperBook
from surefill.adapters.paper.fills import PaperTerms
from surefill.domain.kinds import OrderKind, Side
from surefill.domain.money import ZERO
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.protocol.transaction import GuardFailedError
from tests.unit.adapters.venues.helpers import CLIENT_ID
from tests.unit.adapters.venues.paper_account import ACCOUNT, World


def test_a_resting_order_locks_its_money_and_fills_at_its_limit_when_the_market_comes() -> None:
    world = World()
    order = world.accepted(kind=OrderKind.LIMIT, quantity=Decimal("0.01"), limit_price=Decimal("64000"))
    assert (order.finished, order.filled_quantity, order.fills) == (False, ZERO, ())
    assert world.held() == {"USDT": (Decimal(360), Decimal(640))}
    assert world.find() == order
    world.prices.set(bid="63900", ask="63950")
    found = world.find()
    assert found is not None and found.finished and found.fills is not None
    assert found.fills[0].price == Decimal(64_000)
    assert world.held() == {"USDT": (Decimal(360), ZERO), "BTC": (Decimal("0.00999"), ZERO)}
    assert world.find() == found


def test_a_resting_sell_fills_in_parts_and_the_rest_can_be_cancelled() -> None:
    world = World()
    world.accepted(client_order_id="stock", quantity=Decimal("0.01"), limit_price=Decimal("70000"))
    world.terms = PaperTerms(depth=Decimal(132))
    world.venue = world.account()
    world.accepted(kind=OrderKind.LIMIT, side=Side.SELL, quantity=Decimal("0.005"), limit_price=Decimal("66000"))
    assert world.held()["BTC"] == (Decimal("0.00499"), Decimal("0.005"))
    world.prices.set(bid="66001", ask="66002")
    part = world.find()
    assert part is not None and (part.finished, part.filled_quantity) == (False, Decimal("0.002"))
    world.venue.cancel(symbol="BTC/USDT", client_order_id=CLIENT_ID)
    done = world.find()
    assert done is not None and (done.finished, done.filled_quantity) == (True, Decimal("0.002"))
    assert done.fills == part.fills
    assert world.held()["BTC"] == (Decimal("0.00799"), ZERO)


def test_a_resting_order_is_shown_as_it_is_when_there_is_no_price() -> None:
    world = World()
    order = world.accepted(kind=OrderKind.LIMIT, limit_price=Decimal("64000"))
    world.prices.fails = VenueError(Reason.VENUE_DOWN, "down")
    assert world.find() == order
    world.prices.fails, world.prices.quote = None, None
    assert world.find() == order


def test_cancelling_what_is_finished_or_unknown_changes_nothing() -> None:
    world = World()
    order = world.accepted()
    held = world.held()
    for client_order_id in (CLIENT_ID, "unknown"):
        world.venue.cancel(symbol="BTC/USDT", client_order_id=client_order_id)
    assert world.find() == order and world.held() == held


def test_a_resting_order_found_by_many_is_filled_once() -> None:
    world = World()
    world.accepted(kind=OrderKind.LIMIT, quantity=Decimal("0.01"), limit_price=Decimal("64000"))
    world.prices.set(bid="63900", ask="63950")
    with ThreadPoolExecutor(16) as pool:
        looks = [pool.submit(world.account().find, symbol="BTC/USDT", client_order_id=CLIENT_ID) for _ in range(24)]
        for _ in range(8):
            pool.submit(world.account().cancel, symbol="BTC/USDT", client_order_id=CLIENT_ID)
        for look in looks:
            assert look.result() is not None
    found = world.find()
    assert found is not None and found.finished
    held = world.held()
    if found.filled_quantity:
        assert held == {"USDT": (Decimal(360), ZERO), "BTC": (Decimal("0.00999"), ZERO)}
    else:
        assert held == {"USDT": (Decimal(1_000), ZERO)}


def test_whoever_comes_second_to_a_resting_order_changes_nothing() -> None:
    world = World()
    world.accepted(kind=OrderKind.LIMIT, quantity=Decimal("0.01"), limit_price=Decimal("64000"))
    book = PaperBook(store=world.store, account_id=ACCOUNT, currency="USDT", opening=world.opening)
    before = book.order(CLIENT_ID)
    assert before is not None
    cancelled = replace(before, open_quantity=ZERO)
    book.change(before=before, after=cancelled)
    with pytest.raises(GuardFailedError, match="still_open"):
        book.change(before=before, after=cancelled)
    assert world.held() == {"USDT": (Decimal(1_000), ZERO)}
