"""At which price and how much an order fills: close or next open, fee, slippage, limit, volume, the venue's rules."""

from dataclasses import replace
from decimal import Decimal

import pytest

from local.backtest.costs import Costs
from local.backtest.setting_up import permissive_rules
from local.backtest.spec import FillModel
from surefill.domain.reasons import Reason
from tests.unit.backtest.scripted import BTC, FLAT, moment, only, run, script


def test_a_decision_fills_at_its_close_or_at_the_next_open() -> None:
    rows = [FLAT, (100, 101, 99, 101.0), (102.0, 103, 102, 103), (104.0, 104, 104, 104)]
    strategy = script(buys=(1,), sells=(2,))
    at_close = only(run(rows, strategy=strategy, fill=FillModel.CLOSE))
    assert (at_close.entry_price, at_close.exit_price) == (101.0, 103.0)
    assert (at_close.opened_at, at_close.closed_at) == (moment(2), moment(3))
    at_open = only(run(rows, strategy=strategy, fill=FillModel.NEXT_OPEN))
    assert (at_open.entry_price, at_open.exit_price) == (102.0, 104.0)
    assert (at_open.opened_at, at_open.closed_at) == (moment(2), moment(3))


def test_the_last_candle_has_no_next_open() -> None:
    assert not run([FLAT, FLAT], fill=FillModel.NEXT_OPEN).orders
    assert len(run([FLAT, FLAT], fill=FillModel.CLOSE).orders) == 1


def test_fee_and_slippage_are_paid_both_ways() -> None:
    costs = Costs(fee=Decimal("0.001"), slippage_percent=Decimal("0.5"))
    fields = {"slippage_percent": "1"}
    trade = only(run([FLAT] * 4, strategy=script(sells=(2,)), costs=costs, fields=fields))
    assert (trade.entry_price, trade.exit_price) == pytest.approx((100.5, 99.5))
    kept = trade.quantity - (trade.quantity * Decimal("0.001")).quantize(Decimal("0.00000001"), rounding="ROUND_DOWN")
    assert trade.cost == trade.quantity * Decimal("100.5")
    gross = kept * Decimal("99.5")
    assert trade.proceeds == gross - (gross * Decimal("0.001")).quantize(Decimal("0.00000001"), rounding="ROUND_DOWN")


def test_a_buy_never_pays_more_than_its_limit() -> None:
    trade = only(run([FLAT] * 4, strategy=script(sells=(2,)), costs=Costs(fee=Decimal(0), slippage_percent=Decimal(3))))
    assert (trade.entry_price, trade.exit_price) == (100.0, 97.0)


def test_an_order_fills_no_more_than_its_share_of_the_volume() -> None:
    result = run([FLAT] * 6, strategy=script(sells=(2, 3, 4)), costs=Costs(fee=Decimal(0), volume_share=Decimal("0.1")))
    assert [order.quantity for order in result.orders] == [Decimal(10), Decimal(10)]
    assert only(result).proceeds == Decimal(1_000)


def test_rules_of_the_venue_refuse_and_round() -> None:
    rules = replace(permissive_rules(BTC, fee=Decimal(0)), quantity_step=Decimal("0.1"), min_notional=Decimal(200))
    small = run([FLAT] * 4, rules={BTC: rules}, budget="1000")
    assert not small.orders
    assert small.decisions[Reason.BELOW_MINIMUM] == 1
    enough = run([FLAT] * 4, rules={BTC: rules}, budget="2510")
    assert enough.orders[0].quantity == Decimal("2.5")
