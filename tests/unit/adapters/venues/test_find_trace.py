"""Looking for any trace of an order in all lists: only lists that were read to their end prove that there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from surefill.adapters.ccxt.binance import BINANCE
from surefill.domain.orders import VenueError, VenueOrder
from surefill.domain.times import to_milliseconds
from tests.unit.adapters.venues.helpers import CLIENT_ID, NOW, Reply, Scripted, Seen, order_row, said, trade_row, venue
from tests.unit.adapters.venues.ledger import FILL, NOT_FOUND, Ledger

if TYPE_CHECKING:
    from collections.abc import Callable


def trace(
    answer: Callable[[Seen], Reply | Exception], *, ago: timedelta = timedelta(minutes=5), page: int = 1_000
) -> VenueOrder | None:
    account = venue(Scripted(answer), profile=replace(BINANCE, page=page))
    return account.find_trace(symbol="BTC/USDT", client_order_id=CLIENT_ID, since=NOW - ago)


def test_no_list_knows_it() -> None:
    ledger = Ledger(orders=[order_row(clientOrderId="another")], trades=[trade_row()])
    assert trace(ledger) is None
    assert ledger.asked == ["openOrders", "allOrders", "myTrades"]


def test_it_is_found_among_the_open_orders() -> None:
    ledger = Ledger(orders=[order_row(status="NEW", executedQty="0", cummulativeQuoteQty="0")])
    order = trace(ledger)
    assert order is not None and not order.finished
    assert ledger.asked == ["openOrders"]


def test_it_is_found_among_the_past_orders_with_its_trades() -> None:
    order = trace(Ledger(orders=[order_row()], trades=[trade_row()]))
    assert order is not None and order.fills == (FILL,)


def test_it_is_found_behind_a_trade_that_no_order_list_shows() -> None:
    ledger = Ledger(orders=[order_row()], trades=[trade_row()])
    ledger.listed = []
    order = trace(ledger)
    assert order is not None and order.fills == (FILL,)
    assert ledger.asked == ["openOrders", "allOrders", "myTrades", "order", "myTrades"]


def test_a_trade_without_an_order_proves_no_absence() -> None:
    with pytest.raises(VenueError):
        trace(Ledger(trades=[trade_row()]))


@pytest.mark.parametrize("silent", ["openOrders", "allOrders", "myTrades"])
@pytest.mark.parametrize(
    "reply",
    [Reply(body="{}"), Reply(body=""), Reply(body="<html>"), Reply(body="null"), Reply(body='"[]"'), Reply(status=502),
     said([{}]), said([[]]), said(["<"]), NOT_FOUND],
)  # fmt: skip
def test_a_list_that_can_not_be_read_is_not_empty(silent: str, reply: Reply) -> None:
    with pytest.raises(VenueError):
        trace(lambda seen: reply if seen.path.endswith(silent) else said([]))


def test_long_spans_are_asked_for_day_by_day() -> None:
    old = to_milliseconds(NOW - timedelta(days=2, hours=3))
    ledger = Ledger(orders=[order_row(time=old)], trades=[trade_row(time=old)])
    assert trace(ledger, ago=timedelta(days=1)) is None
    ledger.asked.clear()
    assert trace(ledger, ago=timedelta(days=3)) is not None


@pytest.mark.parametrize("page", [3, 4, 7])
def test_long_lists_are_read_page_by_page(page: int) -> None:
    start = to_milliseconds(NOW - timedelta(minutes=4))
    others = [
        order_row(orderId=number, clientOrderId=f"other{number}", time=start + number // 2, executedQty="0")
        for number in range(11)
    ]
    ours = order_row(time=start + 20, status="EXPIRED", executedQty="0")
    order = trace(Ledger(orders=[*others, ours], page=page), page=page)
    assert order is not None and order.fills == ()


def test_long_lists_of_trades_are_read_page_by_page() -> None:
    start = to_milliseconds(NOW - timedelta(minutes=4))
    others = [trade_row(id=number, orderId=7, time=start + number) for number in range(11)]
    ledger = Ledger(
        orders=[order_row(), order_row(orderId=7, clientOrderId="other")], trades=[*others, trade_row()], page=3
    )
    ledger.listed = []
    order = trace(ledger, page=3)
    assert order is not None and order.fills == (FILL,)


def test_a_list_that_does_not_advance_is_no_evidence() -> None:
    row = order_row(clientOrderId="other", time=to_milliseconds(NOW) - 300_000)
    with pytest.raises(VenueError, match="do not advance"):
        trace(lambda seen: said([row, row] if seen.path.endswith("allOrders") else []), page=2)
