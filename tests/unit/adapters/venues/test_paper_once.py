"""A paper order is one order, however often it is posted and whatever reply is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from surefill.domain.kinds import OrderKind
from surefill.domain.orders import Accepted, AlreadyExists, UnknownOutcome
from tests.unit.adapters.venues.helpers import CLIENT_ID, NOW, request
from tests.unit.adapters.venues.paper_account import Broken, World


def test_the_same_client_id_is_one_order() -> None:
    world = World()
    first = world.accepted()
    held = world.held()
    world.prices.set(bid="60000", ask="60001")
    assert isinstance(world.venue.post(request()), AlreadyExists)
    assert world.find() == first
    assert world.held() == held


def test_there_is_nothing_where_nothing_was_placed() -> None:
    world = World()
    assert world.find() is None
    assert world.venue.find_trace(symbol="BTC/USDT", client_order_id=CLIENT_ID, since=NOW) is None
    world.accepted()
    assert world.venue.find_trace(symbol="BTC/USDT", client_order_id=CLIENT_ID, since=NOW) == world.find()
    assert world.venue.find(symbol="ETH/USDT", client_order_id=CLIENT_ID) is None


def test_a_lost_reply_is_unknown_and_a_look_tells() -> None:
    store = Broken()
    world = World(store=store)
    store.lost = 1
    assert isinstance(world.venue.post(request()), UnknownOutcome)
    assert world.find() is not None
    store.refused = 1
    assert isinstance(world.venue.post(request(client_order_id="other")), UnknownOutcome)
    assert world.find("other") is None


def test_everything_shown_is_from_the_store() -> None:
    # A function is started anew at any time: nothing may live in the adapter.
    world = World()
    order = world.accepted(kind=OrderKind.LIMIT, limit_price=Decimal("64000"))
    world.venue = world.account()
    assert world.find() == order


def test_one_order_posted_by_many_is_filled_once() -> None:
    world = World()
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(lambda _: world.account().post(request()), range(32)))
    assert sum(isinstance(outcome, Accepted) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AlreadyExists) for outcome in outcomes) == 31
    assert world.held()["BTC"][0] == Decimal("0.00122877")
