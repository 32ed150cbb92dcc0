"""What the looks conclude from answers: found, denied, or nothing at all. Absence needs a real answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from surefill.adapters.ccxt.binance import BINANCE
from surefill.domain.orders import Accepted, Balance, TradePage, VenueError, VenueOrder
from surefill.domain.reasons import Reason
from surefill.domain.rows import Fill, Side
from surefill.domain.times import to_milliseconds
from tests.unit.adapters.venues.helpers import (
    CLIENT_ID,
    NOW,
    Reply,
    Scripted,
    Seen,
    SetClock,
    error,
    fill_row,
    order_row,
    request,
    said,
    trade_row,
    venue,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_FOUND = error(-2013, "Order does not exist.")
FILL = Fill(
    trade_id="900",
    quantity=Decimal("0.00123"),
    price=Decimal("65000"),
    cost=Decimal("79.95"),
    fee=Decimal("0.00000123"),
    fee_asset="BTC",
)


Rows = Sequence[dict[str, Any]]


class Ledger:
    """A venue's memory: orders and trades, served as Binance does."""

    def __init__(
        self,
        *,
        orders: list[dict[str, Any]] | None = None,
        trades: list[dict[str, Any]] | None = None,
        page: int = 1_000,
    ) -> None:
        self.orders = orders or []
        self.trades = trades or []
        self.listed = list(self.orders)
        self.page = page
        self.asked: list[str] = []

    def __call__(self, seen: Seen) -> Reply:
        asked, name = seen.parameters, seen.path.rsplit("/", 1)[1]
        self.asked.append(name)
        if name == "order":
            found = [
                row
                for row in self.orders
                if asked.get("origClientOrderId") == row["clientOrderId"] or asked.get("orderId") == str(row["orderId"])
            ]
            return said(found[0]) if found else NOT_FOUND
        if name == "openOrders":
            return said([row for row in self.listed if row["status"] in ("NEW", "PARTIALLY_FILLED")])
        return said(self._within(self.listed if name == "allOrders" else self.trades, asked))

    def _within(self, rows: list[dict[str, Any]], asked: Any) -> list[dict[str, Any]]:
        if "orderId" in asked:
            rows = [row for row in rows if str(row["orderId"]) == asked["orderId"]]
        rows = [row for row in rows if row.get("id", 0) >= int(asked.get("fromId", 0))]
        if "startTime" in asked:
            assert int(asked["endTime"]) - int(asked["startTime"]) < 86_400_000
            rows = [row for row in rows if int(asked["startTime"]) <= row["time"] <= int(asked["endTime"])]
        return rows[: min(int(asked["limit"]), self.page)]


def find(answer: Callable[[Seen], Reply | Exception]) -> VenueOrder | None:
    return venue(Scripted(answer)).find(symbol="BTC/USDT", client_order_id=CLIENT_ID)


def trace(
    answer: Callable[[Seen], Reply | Exception], *, ago: timedelta = timedelta(minutes=5), page: int = 1_000
) -> VenueOrder | None:
    account = venue(Scripted(answer), profile=replace(BINANCE, page=page))
    return account.find_trace(symbol="BTC/USDT", client_order_id=CLIENT_ID, since=NOW - ago)


# find


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


# find_trace


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


# cancel, balances, accepted orders


@pytest.mark.parametrize("code", [-2011, -2013])
def test_cancelling_what_is_gone_is_no_failure(code: int) -> None:
    venue(Scripted(lambda seen: error(code, "Unknown order sent."))).cancel(
        symbol="BTC/USDT", client_order_id=CLIENT_ID
    )


@pytest.mark.parametrize("reply", [error(-1003, "Too many.", status=429), Reply(status=504), Reply(body="")])
def test_cancelling_that_was_not_heard_is_one(reply: Reply) -> None:
    with pytest.raises(VenueError):
        venue(Scripted(lambda seen: reply)).cancel(symbol="BTC/USDT", client_order_id=CLIENT_ID)


def test_balances_are_exact_and_without_zeros() -> None:
    rows = [
        {"asset": "BTC", "free": "0.00000001", "locked": "0.12345678"},
        {"asset": "USDT", "free": "99999999999.12345678", "locked": "0.00000000"},
        {"asset": "ETH", "free": "0.00000000", "locked": "0.00000000"},
    ]
    assert venue(Scripted(lambda seen: said({"balances": rows}))).balances() == {
        "BTC": Balance(free=Decimal("0.00000001"), locked=Decimal("0.12345678")),
        "USDT": Balance(free=Decimal("99999999999.12345678"), locked=Decimal(0)),
    }


@pytest.mark.parametrize(
    "reply", [said({}), said([]), Reply(body="<html>"), said({"balances": {}}), said({"balances": [{"asset": "BTC"}]})]
)
def test_an_unreadable_account_is_not_an_empty_one(reply: Reply) -> None:
    with pytest.raises(VenueError):
        venue(Scripted(lambda seen: reply)).balances()


def accepted(**changes: Any) -> VenueOrder:
    outcome = venue(Scripted(lambda seen: said(order_row(**changes)))).post(request())
    assert isinstance(outcome, Accepted)
    return outcome.order


def test_an_accepted_order_carries_its_fills_when_they_add_up() -> None:
    order = accepted(fills=[fill_row(tradeId=900, qty="0.001"), fill_row(tradeId=901, qty="0.00023")])
    assert order.fills is not None
    assert sum(fill.quantity for fill in order.fills) == order.filled_quantity == Decimal("0.00123")
    assert sum(fill.cost for fill in order.fills) == Decimal("79.95")
    assert {fill.fee_asset for fill in order.fills} == {"BTC"}


@pytest.mark.parametrize(
    "fills",
    [
        None,
        [],
        [fill_row(qty="0.001")],
        [fill_row(), fill_row()],
        [fill_row(price="64000")],
        [{key: value for key, value in fill_row().items() if key != "tradeId"}],
    ],
)
def test_otherwise_they_must_be_fetched(fills: list[dict[str, Any]] | None) -> None:
    order = accepted(fills=fills)
    assert order.finished and order.fills is None


def test_a_bare_acknowledgement_says_nothing_of_fills() -> None:
    row = {key: order_row()[key] for key in ("symbol", "orderId", "clientOrderId", "side")}
    outcome = venue(Scripted(lambda seen: said(row))).post(request())
    assert isinstance(outcome, Accepted)
    assert (outcome.order.finished, outcome.order.fills) == (False, None)


def test_an_ioc_order_that_found_nothing_is_finished_and_empty() -> None:
    order = accepted(status="EXPIRED", executedQty="0.00000000", cummulativeQuoteQty="0.00000000", fills=[])
    assert (order.finished, order.filled_quantity, order.fills) == (True, Decimal(0), ())


# reasons


@pytest.mark.parametrize(
    ("reply", "reason", "seconds"),
    [
        (
            error(-2015, "Invalid API-key, IP, or permissions for action.", status=401),
            Reason.CREDENTIALS_REJECTED,
            None,
        ),
        (error(-2014, "API-key format invalid.", status=401), Reason.CREDENTIALS_REJECTED, None),
        (error(-1022, "Signature for this request is not valid."), Reason.CREDENTIALS_REJECTED, None),
        (error(-1003, "Too much.", status=429, headers={"Retry-After": "37"}), Reason.RATE_LIMITED, 37),
        (error(-1003, f"IP banned until {to_milliseconds(NOW) + 90_000}.", status=418), Reason.RATE_LIMITED, 90),
        (Reply(status=429, body=""), Reason.RATE_LIMITED, None),
        (Reply(status=429, headers={"Retry-After": "9" * 40}), Reason.RATE_LIMITED, None),
        (Reply(status=429, headers={"Retry-After": "soon"}), Reason.RATE_LIMITED, None),
        (Reply(status=418, body="<html>", headers={"Retry-After": "120"}), Reason.RATE_LIMITED, 120),
        (Reply(status=403, body="<html>"), Reason.RATE_LIMITED, None),
        (said({"code": 1, "msg": "System is under maintenance."}, status=503), Reason.MAINTENANCE, None),
        (error(-1000, "System is under maintenance.", status=503), Reason.MAINTENANCE, None),
        (error(-1016, "This service is no longer available."), Reason.MAINTENANCE, None),
        (error(-1121, "Invalid symbol."), Reason.NO_DATA, None),
        (error(-1021, "Timestamp for this request is outside of the recvWindow."), Reason.VENUE_DOWN, None),
        (error(-1001, "Internal error.", status=500), Reason.VENUE_DOWN, None),
        (Reply(status=502, body="<html>"), Reason.VENUE_DOWN, None),
        (Reply(body="<html>"), Reason.VENUE_DOWN, None),
    ],
)
def test_a_failed_look_says_how_and_when_to_come_back(reply: Reply, reason: Reason, seconds: int | None) -> None:
    with pytest.raises(VenueError) as caught:
        venue(Scripted(lambda seen: reply), clock=SetClock()).balances()
    assert caught.value.reason is reason
    assert caught.value.retry_at == (None if seconds is None else NOW + timedelta(seconds=seconds))


# past trades


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
