"""Exits inside a candle: levels, gaps, trailing stops, time limits and ladders, in the careful order."""

from datetime import timedelta
from decimal import Decimal

import pytest

from local.backtest.spec import FillModel
from surefill.domain.reasons import Reason
from surefill.domain.rules import ExitRules, LadderStep
from tests.unit.backtest.markets import history_of
from tests.unit.backtest.scripted import FLAT, Row, moment, only, run


@pytest.mark.parametrize("fill", [FillModel.CLOSE, FillModel.NEXT_OPEN])
@pytest.mark.parametrize(
    ("candle", "price", "reason"),
    [
        ((100.0, 104.0, 94.0, 103.0), 95.0, Reason.STOP_LOSS),
        ((100.0, 111.0, 99.0, 100.0), 110.0, Reason.TAKE_PROFIT),
        ((100.0, 120.0, 90.0, 119.0), 95.0, Reason.STOP_LOSS),
        ((93.0, 96.0, 92.0, 95.5), 93.0, Reason.STOP_LOSS),
        ((112.0, 113.0, 94.0, 112.0), 112.0, Reason.TAKE_PROFIT),
        ((95.0, 97.0, 95.0, 96.0), 95.0, Reason.STOP_LOSS),
    ],
    ids=["low at stop", "high at profit", "both: the stop", "gap below the stop", "gap above the profit", "touch"],
)
def test_levels_are_met_in_the_careful_order(fill: FillModel, candle: Row, price: float, reason: Reason) -> None:
    trade = only(run([FLAT, FLAT, FLAT, candle, FLAT], fill=fill))
    assert (trade.exit_price, trade.reason) == (price, reason)
    assert moment(3) <= trade.closed_at < moment(4)


def test_the_candle_of_the_entry_counts_only_from_the_entry_on() -> None:
    wild = (100.0, 150.0, 50.0, 100.0)
    assert not run([FLAT, wild, FLAT, FLAT], fill=FillModel.CLOSE).trades
    assert only(run([FLAT, FLAT, wild, FLAT], fill=FillModel.NEXT_OPEN)).reason is Reason.STOP_LOSS


def test_exits_are_looked_for_in_the_recorded_candles_not_in_the_longer_ones() -> None:
    minutes = [FLAT] * 12 + [(100.0, 111.0, 100.0, 100.0), (100.0, 100.0, 90.0, 100.0)] + [FLAT] * 6
    trade = only(run([], history=history_of(minutes, timeframe="1m")))
    assert trade.reason is Reason.TAKE_PROFIT


def test_a_trailing_stop_follows_the_highs() -> None:
    rows = [FLAT, FLAT, (100, 104.0, 100, 104), (104, 108.0, 104, 108), (108, 108, 104.0, 105), FLAT]
    trade = only(run(rows, exits=ExitRules(trailing_percent=Decimal(3), trailing_from_percent=Decimal(2))))
    assert trade.reason is Reason.TRAILING_STOP
    assert trade.exit_price == pytest.approx(108 * 0.97)


def test_a_trailing_stop_raised_by_a_high_holds_for_the_close_of_the_same_candle() -> None:
    rows = [FLAT, FLAT, (100, 109.0, 100.0, 101.0), FLAT]
    trade = only(run(rows, exits=ExitRules(trailing_percent=Decimal(3), trailing_from_percent=Decimal(2))))
    assert trade.reason is Reason.TRAILING_STOP
    assert trade.exit_price == pytest.approx(109 * 0.97)


def test_a_time_limit_ends_a_position_at_the_open_after_it() -> None:
    rows = [FLAT, FLAT, FLAT, FLAT, (101.0, 101, 101, 101), FLAT]
    trade = only(run(rows, exits=ExitRules(time_limit_seconds=600)))
    assert trade.reason is Reason.TIME_LIMIT
    assert trade.closed_at - trade.opened_at == timedelta(minutes=10)
    assert trade.exit_price == 101.0


def test_a_ladder_sells_in_parts() -> None:
    ladder = (LadderStep(percent=Decimal(2), share=Decimal("0.5")), LadderStep(percent=Decimal(4), share=Decimal(1)))
    rows = [FLAT, FLAT, (100, 102.5, 100, 102.5), (102.5, 105.0, 102.5, 105), FLAT]
    result = run(rows, exits=ExitRules(ladder=ladder))
    assert [order.reason for order in result.orders] == [Reason.BUY, Reason.LADDER, Reason.LADDER]
    assert [order.price for order in result.orders[1:]] == pytest.approx([102.0, 104.0], rel=1e-6)
    assert result.orders[1].quantity == result.orders[2].quantity
    assert only(result).exit_price == pytest.approx(103.0, rel=1e-6)
