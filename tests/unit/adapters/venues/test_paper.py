"""The paper account: filled like a taker, exactly once, never with money it does not have."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefill.adapters.memory import MemoryStore
from surefill.adapters.paper.book import PaperBook
from surefill.adapters.paper.fills import PaperTerms
from surefill.adapters.paper.venue import PaperVenue
from surefill.domain.candles import Quote
from surefill.domain.fills import order_result
from surefill.domain.money import ZERO
from surefill.domain.orders import (
    Accepted,
    AlreadyExists,
    Balance,
    NotSent,
    OrderRequest,
    Rejected,
    UnknownOutcome,
    VenueError,
    VenueOrder,
)
from surefill.domain.reasons import Reason
from surefill.domain.rows import MarketRules, OrderKind, PaperEntry, Side
from surefill.ports import StoreUnavailableError
from surefill.protocol.transaction import GuardFailedError
from tests.unit.adapters.venues.helpers import CLIENT_ID, NOW, SetClock, request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from surefill.protocol.transaction import Transaction

ACCOUNT = "paper-binance-main"


class Prices:
    """Market data of one symbol."""

    def __init__(self, bid: str = "65000.00", ask: str = "65000.10") -> None:
        self.set(bid=bid, ask=ask)
        self.fails: VenueError | None = None

    def set(self, *, bid: str, ask: str, at: datetime = NOW) -> None:
        self.quote: Quote | None = Quote(symbol="BTC/USDT", bid=Decimal(bid), ask=Decimal(ask), at=at)

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        if self.fails is not None:
            raise self.fails
        return {self.quote.symbol: self.quote} if self.quote is not None else {}

    def candle_rows(self, **asked: Any) -> Sequence[Sequence[float]]:
        raise AssertionError(f"a paper account needs no candles, asked for {asked}")

    def market_rules(self, symbols: Sequence[str] | None, *, now: datetime) -> Sequence[MarketRules]:
        raise AssertionError("a paper account needs no rules")

    def server_time(self) -> datetime:
        return NOW


class Broken(MemoryStore):
    """A store that loses the reply of, or refuses, the next commits."""

    lost = 0
    refused = 0

    def commit(self, transaction: Transaction) -> None:
        if transaction.name != "paper_list" and self.refused:
            self.refused -= 1
            raise StoreUnavailableError("no answer")
        super().commit(transaction)
        if transaction.name != "paper_list" and self.lost:
            self.lost -= 1
            raise StoreUnavailableError("reply lost")


class World:
    """A paper account with 1,000 USDT."""

    def __init__(
        self, terms: PaperTerms | None = None, *, opening: str = "1000", store: MemoryStore | None = None
    ) -> None:
        self.store = store or Broken()
        self.prices = Prices()
        self.clock = SetClock()
        self.terms = terms or PaperTerms()
        self.opening = Decimal(opening)
        self.venue = self.account()

    def account(self) -> PaperVenue:
        book = PaperBook(store=self.store, account_id=ACCOUNT, currency="USDT", opening=self.opening)
        return PaperVenue(book=book, market_data=self.prices, clock=self.clock, terms=self.terms)

    def accepted(self, **changes: Any) -> VenueOrder:
        outcome = self.venue.post(request(**changes))
        assert isinstance(outcome, Accepted), outcome
        return outcome.order

    def find(self, client_order_id: str = CLIENT_ID) -> VenueOrder | None:
        return self.venue.find(symbol="BTC/USDT", client_order_id=client_order_id)

    def held(self) -> dict[str, tuple[Decimal, Decimal]]:
        return {asset: (balance.free, balance.locked) for asset, balance in self.venue.balances().items()}


def test_the_account_starts_with_its_opening_balance_once() -> None:
    world = World()
    assert world.venue.balances() == {"USDT": Balance(free=Decimal(1_000), locked=ZERO)}
    assert world.account().balances() == world.venue.balances()


def test_a_buy_takes_the_ask_and_pays_its_fee_in_base() -> None:
    world = World()
    order = world.accepted(quantity=Decimal("0.01"), limit_price=Decimal("65100"))
    assert order.finished and order.fills is not None
    (fill,) = order.fills
    assert (fill.price, fill.quantity, fill.cost) == (Decimal("65000.1"), Decimal("0.01"), Decimal("650.001"))
    assert (fill.fee, fill.fee_asset) == (Decimal("0.00001"), "BTC")
    assert world.held() == {"USDT": (Decimal("349.999"), ZERO), "BTC": (Decimal("0.00999"), ZERO)}


def test_a_sell_takes_the_bid_and_pays_its_fee_in_quote() -> None:
    world = World()
    world.accepted(quantity=Decimal("0.01"), limit_price=Decimal("65100"))
    order = world.accepted(
        client_order_id="s", side=Side.SELL, kind=OrderKind.MARKET, quantity=Decimal("0.005"), limit_price=None
    )
    assert order.fills is not None
    (fill,) = order.fills
    assert (fill.price, fill.fee, fill.fee_asset) == (Decimal(65_000), Decimal("0.325"), "USDT")
    assert world.held() == {"USDT": (Decimal("674.674"), ZERO), "BTC": (Decimal("0.00499"), ZERO)}


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [
        (Side.BUY, None, "65065.1001"),
        (Side.BUY, "66000", "65065.1001"),
        (Side.BUY, "65020", "65020"),
        (Side.BUY, "65000.1", "65000.1"),
        (Side.SELL, None, "64935"),
        (Side.SELL, "64000", "64935"),
        (Side.SELL, "64990", "64990"),
    ],
)
def test_slippage_worsens_the_price_but_never_beyond_the_limit(side: Side, limit: str | None, price: str) -> None:
    world = World(PaperTerms(slippage_percent=Decimal("0.1")))
    if side is Side.SELL:
        world.accepted(client_order_id="stock", quantity=Decimal("0.01"), limit_price=Decimal("70000"))
    order = world.accepted(
        side=side,
        kind=OrderKind.MARKET if limit is None else OrderKind.LIMIT_IOC,
        quantity=Decimal("0.001"),
        limit_price=None if limit is None else Decimal(limit),
    )
    assert order.fills is not None and order.fills[0].price == Decimal(price)


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "65000.10000007"), (Side.SELL, "64999.99999993")])
def test_prices_are_rounded_against_the_order(side: Side, price: str) -> None:
    world = World(PaperTerms(slippage_percent=Decimal("0.0000000001")))
    world.accepted(client_order_id="stock", quantity=Decimal("0.01"), limit_price=Decimal("70000"))
    order = world.accepted(side=side, kind=OrderKind.MARKET, quantity=Decimal("0.001"), limit_price=None)
    assert order.fills is not None and order.fills[0].price == Decimal(price)


@pytest.mark.parametrize(("side", "limit"), [(Side.BUY, "65000.09"), (Side.SELL, "65000.01")])
def test_an_ioc_order_out_of_reach_is_finished_and_empty(side: Side, limit: str) -> None:
    world = World()
    if side is Side.SELL:
        world.accepted(client_order_id="stock", quantity=Decimal("0.01"), limit_price=Decimal("70000"))
    before = world.held()
    order = world.accepted(side=side, quantity=Decimal("0.001"), limit_price=Decimal(limit))
    assert (order.finished, order.filled_quantity, order.fills) == (True, ZERO, ())
    assert world.held() == before


def test_a_thin_book_fills_a_part_in_whole_steps() -> None:
    world = World(PaperTerms(depth=Decimal(100)))
    order = world.accepted(quantity=Decimal("0.01000"), limit_price=Decimal("65100"))
    assert (order.finished, order.filled_quantity) == (True, Decimal("0.00153"))
    assert world.held()["USDT"] == (Decimal("1000") - Decimal("0.00153") * Decimal("65000.1"), ZERO)


def test_a_book_too_thin_for_one_step_fills_nothing() -> None:
    world = World(PaperTerms(depth=Decimal("0.01")))
    order = world.accepted(kind=OrderKind.MARKET, limit_price=None, quantity=Decimal("0.01"))
    assert (order.finished, order.fills) == (True, ())


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


def test_the_same_client_id_is_one_order() -> None:
    world = World()
    first = world.accepted()
    held = world.held()
    world.prices.set(bid="60000", ask="60001")
    assert isinstance(world.venue.post(request()), AlreadyExists)
    assert world.find() == first
    assert world.held() == held


def test_the_receive_window_is_honoured() -> None:
    world = World()
    world.clock.pass_time(seconds=10.001)
    outcome = world.venue.post(request(window_ms=10_000))
    assert isinstance(outcome, Rejected) and outcome.reason is Reason.REJECTED
    assert world.find() is None


@pytest.mark.parametrize("quote", [None, ("0", "1"), ("2", "1"), ("65000", "65001", NOW - timedelta(seconds=61))])
def test_without_a_price_nothing_is_placed(quote: Any) -> None:
    world = World()
    if quote is None:
        world.prices.quote = None
    else:
        world.prices.set(bid=quote[0], ask=quote[1], at=quote[2] if len(quote) > 2 else NOW)
    assert isinstance(world.venue.post(request()), NotSent)
    world.prices.fails = VenueError(Reason.VENUE_DOWN, "down")
    assert isinstance(world.venue.post(request()), NotSent)
    assert world.find() is None


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
