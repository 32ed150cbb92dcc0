"""Past trades, day by day and page by page: none left out, none twice, none of another's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from surefill.adapters.ccxt.binance import BINANCE
from surefill.domain.kinds import Side
from surefill.domain.orders import TradePage, VenueError
from surefill.domain.times import to_milliseconds
from tests.unit.adapters.venues.helpers import CLIENT_ID, NOW, Scripted, order_row, trade_row, venue
from tests.unit.adapters.venues.ledger import FILL, Ledger


def history(ledger: Ledger, *, days: float, page: int = 1_000, limit: int = 1_000) -> list[TradePage]:
    """Every page of the trades since so many days ago."""
    account = venue(Scripted(ledger), profile=replace(BINANCE, page=page))
    pages, since = [], NOW - timedelta(days=days)
    while True:
        pages.append(account.past_trades(symbol="BTC/USDT", since=since, limit=limit))
        following = pages[-1].next_since
        if following is None:
            return pages
        assert following > since
        since = following


def past(number: int, *, hours_ago: float, order: int = 28, **changes: Any) -> dict[str, Any]:
    return trade_row(id=number, orderId=order, time=to_milliseconds(NOW - timedelta(hours=hours_ago)), **changes)


def test_past_trades_come_day_by_day_with_side_time_and_our_id() -> None:
    ledger = Ledger(orders=[order_row()], trades=[past(1, hours_ago=60), past(2, hours_ago=1, isBuyer=False)])
    pages = history(ledger, days=3)
    assert [[trade.fill.trade_id for trade in page.trades] for page in pages] == [["1"], [], ["2"], []]
    first, last = (trade for page in pages for trade in page.trades)
    assert (first.side, first.at, first.client_order_id) == (Side.BUY, NOW - timedelta(hours=60), CLIENT_ID)
    assert (last.side, last.venue_order_id, last.symbol) == (Side.SELL, "28", "BTC/USDT")
    assert last.fill == replace(FILL, trade_id="2")


def test_a_busy_day_is_read_page_by_page_and_nothing_is_left_out() -> None:
    ledger = Ledger(orders=[order_row()], trades=[past(n, hours_ago=5 - n / 10) for n in range(7)])
    pages = history(ledger, days=0.5, limit=3)
    assert all(len(page.trades) <= 3 for page in pages)
    assert {trade.fill.trade_id for page in pages for trade in page.trades} == {str(n) for n in range(7)}


def test_a_page_of_one_moment_does_not_go_round_for_ever() -> None:
    ledger = Ledger(orders=[order_row()], trades=[past(n, hours_ago=5) for n in range(4)])
    with pytest.raises(VenueError, match="do not advance"):
        history(ledger, days=0.5, limit=3)


def test_a_trade_whose_order_is_forgotten_is_nobodys() -> None:
    (page,) = history(Ledger(trades=[past(1, hours_ago=1)]), days=0.5)
    assert [trade.client_order_id for trade in page.trades] == [None]


def test_an_order_that_is_older_than_its_trade_is_asked_for_alone() -> None:
    ledger = Ledger(orders=[order_row()], trades=[past(1, hours_ago=1), past(2, hours_ago=1)])
    ledger.listed = []
    (page,) = history(ledger, days=0.5)
    assert [trade.client_order_id for trade in page.trades] == [CLIENT_ID, CLIENT_ID]
    assert ledger.asked == ["myTrades", "allOrders", "order"]


@pytest.mark.parametrize("changes", [{"isBuyer": None}, {"isBuyer": "true"}, {"symbol": "ETHUSDT"}])
def test_a_trade_of_another_form_is_no_trade(changes: dict[str, Any]) -> None:
    with pytest.raises(VenueError):
        history(Ledger(trades=[past(1, hours_ago=1, **changes)]), days=0.5)
