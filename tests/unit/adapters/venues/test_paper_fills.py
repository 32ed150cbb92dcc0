"""A paper order is filled like a taker's: at the other side's price, worse by the slippage, within limit and depth."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from surefill.adapters.paper.fills import PaperTerms
from surefill.domain.kinds import OrderKind, Side
from surefill.domain.money import ZERO
from surefill.domain.orders import NotSent, Rejected, VenueError
from surefill.domain.reasons import Reason
from tests.unit.adapters.venues.helpers import NOW, request
from tests.unit.adapters.venues.paper_account import World


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
