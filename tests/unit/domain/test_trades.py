"""Closed trades out of finished sales, and what they add up to."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from surefill.domain.kinds import Leg, OrderKind, Side
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent
from surefill.domain.trades import (
    ClosedTrade,
    closed_trades,
    max_drawdown_percent,
    profit_percent_of,
    record_of,
)
from tests.fakes.rows import TICK

SALE = Intent(
    intent_id="x1",
    account_id="a",
    bot_id="trend",
    budget_id="b",
    venue="binance",
    symbol="BTC/USDT",
    leg=Leg.EXIT,
    side=Side.SELL,
    kind=OrderKind.MARKET,
    quantity=Decimal(1),
    limit_price=None,
    reserved=Decimal(0),
    reason=Reason.TAKE_PROFIT,
    tick=TICK,
    created_at=TICK,
    deadline=TICK,
    entry_intent_id="e1",
    opened_at=TICK - timedelta(hours=1),
    finished_at=TICK,
    basis=Decimal(100),
    realised=Decimal(3),
)


def trade(
    percent: str, *, minutes: int = 0, reason: Reason = Reason.TAKE_PROFIT, symbol: str = "BTC/USDT"
) -> ClosedTrade:
    at = TICK + timedelta(minutes=minutes)
    return ClosedTrade(
        bot_id="trend", symbol=symbol, opened_at=at - timedelta(minutes=1), closed_at=at, basis=Decimal(200),
        realised=Decimal(percent) * 2, reason=reason,
    )  # fmt: skip


def test_a_finished_sale_is_a_trade() -> None:
    assert closed_trades([SALE]) == (
        ClosedTrade(
            bot_id="trend", symbol="BTC/USDT", opened_at=TICK - timedelta(hours=1), closed_at=TICK,
            basis=Decimal(100), realised=Decimal(3), reason=Reason.TAKE_PROFIT,
        ),
    )  # fmt: skip


def test_entries_unfinished_and_empty_sales_are_none() -> None:
    others = [
        replace(SALE, leg=Leg.ENTRY),
        replace(SALE, realised=None),
        replace(SALE, basis=None),
        replace(SALE, opened_at=None),
        replace(SALE, finished_at=None),
    ]
    assert closed_trades(others) == ()


def test_a_position_sold_in_parts_is_one_trade_closed_by_the_last_of_them() -> None:
    """However the intents are ordered: stores give the newest first."""
    part = replace(SALE, intent_id="x0", reason=Reason.LADDER, finished_at=TICK - timedelta(minutes=5), part=True)
    for order in ([SALE, part], [part, SALE]):
        (found,) = closed_trades(order)
        assert (found.basis, found.realised, found.reason, found.closed_at) == (200, 6, Reason.TAKE_PROFIT, TICK)


def test_the_newest_trade_is_last() -> None:
    later = replace(SALE, entry_intent_id="e2", finished_at=TICK + timedelta(hours=1), realised=Decimal(-1))
    without_entry = replace(SALE, intent_id="x3", entry_intent_id=None, finished_at=TICK + timedelta(hours=2))
    assert [one.realised for one in closed_trades([without_entry, later, SALE])] == [3, -1, 3]


def test_the_profit_is_of_the_basis() -> None:
    assert trade("1.5").profit_percent == Decimal("1.5")
    assert replace(trade("1"), basis=Decimal(3), realised=Decimal(1)).profit_percent == Decimal("33.33333333")
    assert replace(trade("1"), basis=Decimal(0)).profit_percent == 0


def test_a_record_counts_even_trades_as_no_wins() -> None:
    record = record_of([trade("2"), trade("4"), trade("-1"), trade("0")])
    assert (record.trades, record.wins, record.losses) == (4, 2, 1)
    assert (record.win_rate, record.average_win, record.average_loss) == (Decimal("0.5"), 3, 1)


def test_without_trades_everything_is_zero() -> None:
    record = record_of([])
    assert (record.trades, record.win_rate, record.average_win, record.average_loss) == (0, 0, 0, 0)
    assert (profit_percent_of([]), max_drawdown_percent([])) == (0, 0)


def test_the_drawdown_is_the_deepest_fall_from_a_peak() -> None:
    assert max_drawdown_percent([trade("-2"), trade("5"), trade("-1"), trade("-3"), trade("9")]) == 4
    assert max_drawdown_percent([trade("-2"), trade("1"), trade("-2")]) == 3
    assert max_drawdown_percent([trade("1"), trade("2")]) == 0


@given(percents=st.lists(st.decimals(min_value=-50, max_value=50, places=4), max_size=20))
def test_a_drawdown_is_at_least_the_loss_and_never_negative(percents: list[Decimal]) -> None:
    trades = [trade(str(percent)) for percent in percents]
    drawdown = max_drawdown_percent(trades)
    assert drawdown >= max(-profit_percent_of(trades), Decimal(0))
    record = record_of(trades)
    assert 0 <= record.win_rate <= 1
    assert record.wins + record.losses <= record.trades
