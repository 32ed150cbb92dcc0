"""Looking for one order by its id: found, denied, or nothing concluded. Absence needs a real answer."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from surefill.domain.kinds import Side
from surefill.domain.orders import VenueError, VenueOrder
from tests.unit.adapters.venues.helpers import (
    CLIENT_ID,
    Reply,
    Scripted,
    Seen,
    error,
    order_row,
    said,
    trade_row,
    venue,
)
from tests.unit.adapters.venues.ledger import FILL, NOT_FOUND, Ledger

if TYPE_CHECKING:
    from collections.abc import Callable


def find(answer: Callable[[Seen], Reply | Exception]) -> VenueOrder | None:
    return venue(Scripted(answer)).find(symbol="BTC/USDT", client_order_id=CLIENT_ID)


def test_a_finished_order_comes_with_its_trades() -> None:
    assert find(Ledger(orders=[order_row()], trades=[trade_row()])) == VenueOrder(
        client_order_id=CLIENT_ID,
        venue_order_id="28",
        symbol="BTC/USDT",
        side=Side.BUY,
        finished=True,
        filled_quantity=Decimal("0.00123"),
        fills=(FILL,),
    )


@pytest.mark.parametrize(
    ("status", "finished"),
    [
        ("NEW", False), ("PARTIALLY_FILLED", False), ("PENDING_NEW", False), ("PENDING_CANCEL", False),
        ("SOMETHING_NEW", False), (None, False), ("FILLED", True), ("CANCELED", True), ("EXPIRED", True),
        ("REJECTED", True), ("EXPIRED_IN_MATCH", True),
    ],
)  # fmt: skip
def test_the_status_says_only_whether_it_is_finished(status: str | None, finished: bool) -> None:
    ledger = Ledger(orders=[order_row(status=status, executedQty="0.00000000", cummulativeQuoteQty="0.00000000")])
    order = find(ledger)
    assert order is not None
    assert order.finished is finished
    assert order.filled_quantity == 0 and order.fills == ()
    assert ledger.asked == ["order"]


def test_a_filled_status_without_a_filled_quantity_invents_nothing() -> None:
    row = {key: value for key, value in order_row().items() if key != "executedQty"}
    order = find(lambda seen: said(row))
    assert order is not None
    assert (order.finished, order.filled_quantity, order.fills) == (False, Decimal(0), None)


def test_a_partly_filled_open_order_has_no_fills_to_book_yet() -> None:
    order = find(Ledger(orders=[order_row(status="PARTIALLY_FILLED")], trades=[trade_row()]))
    assert order is not None
    assert (order.finished, order.filled_quantity, order.fills) == (False, Decimal("0.00123"), None)


@pytest.mark.parametrize("trades", [[], [trade_row(qty="0.00100000")], [trade_row(orderId=29)]])
def test_trades_that_do_not_add_up_yet_are_not_given(trades: list[dict[str, Any]]) -> None:
    order = find(Ledger(orders=[order_row()], trades=trades))
    assert order is not None
    assert order.finished and order.fills is None


def test_trades_are_read_page_by_page() -> None:
    trades = [trade_row(id=900 + number, qty="0.00041000", quoteQty="26.65000000") for number in range(3)]
    ledger = Ledger(orders=[order_row()], trades=trades, page=1)
    order = find(ledger)
    assert order is not None and order.fills is not None
    assert [fill.trade_id for fill in order.fills] == ["900", "901", "902"]
    assert ledger.asked == ["order", "myTrades", "myTrades", "myTrades"]


def test_trades_that_add_up_to_too_much_are_not_given() -> None:
    order = find(Ledger(orders=[order_row()], trades=[trade_row(), trade_row(id=901)]))
    assert order is not None and order.fills is None


def test_only_the_code_of_an_unknown_order_is_a_denial() -> None:
    assert find(lambda seen: NOT_FOUND) is None


@pytest.mark.parametrize(
    "reply",
    [
        error(-2013, "Order does not exist.", status=500),
        error(-2013, "Order does not exist.", status=429),
        error(-2013, "Order does not exist.", status=200),
        error(-2011, "Unknown order sent."),
        error(-1021, "Timestamp for this request is outside of the recvWindow."),
        error(-2015, "Invalid API-key, IP, or permissions for action.", status=401),
        error(-1121, "Invalid symbol."),
        Reply(status=404, body="Not Found"),
        Reply(status=400, body="Order does not exist."),
        Reply(body="{}"),
        Reply(body="[]"),
        Reply(body="null"),
        Reply(body="<html>"),
        Reply(body=""),
        said(order_row(clientOrderId="another", executedQty="0")),
        said(order_row(symbol="ETHUSDT", executedQty="0")),
        said(order_row(executedQty=0.5)),
        said(order_row(executedQty="-1")),
        said(order_row(orderId=None)),
        said([order_row()]),
    ],
)
def test_nothing_else_is(reply: Reply) -> None:
    with pytest.raises(VenueError):
        find(lambda seen: reply)
