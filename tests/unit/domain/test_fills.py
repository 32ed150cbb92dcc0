"""Fills: the only source of quantities."""

from decimal import Decimal

import pytest

from surefill.domain.fills import FillError, order_result
from surefill.domain.kinds import Side
from surefill.domain.rows import Fill


def fill(trade: str = "1", quantity: str = "2", price: str = "10", fee: str = "0.002", asset: str = "BTC") -> Fill:
    amount = Decimal(quantity)
    return Fill(
        trade_id=trade,
        quantity=amount,
        price=Decimal(price),
        cost=amount * Decimal(price),
        fee=Decimal(fee),
        fee_asset=asset,
    )


def result(side: Side, *fills: Fill, filled: str = "2"):  # type: ignore[no-untyped-def]
    return order_result(
        venue_order_id="v", side=side, base="BTC", quote="USDT", filled_quantity=Decimal(filled), fills=fills
    )


def test_a_fee_in_base_makes_the_purchase_smaller() -> None:
    bought = result(Side.BUY, fill())
    assert (bought.base_change, bought.quote_change) == (Decimal("1.998"), Decimal(-20))


def test_a_fee_in_quote_makes_it_dearer() -> None:
    bought = result(Side.BUY, fill(fee="0.02", asset="USDT"))
    assert (bought.base_change, bought.quote_change) == (Decimal(2), Decimal("-20.02"))


def test_a_fee_in_a_third_asset_is_told_and_not_booked() -> None:
    bought = result(Side.BUY, fill(fee="0.001", asset="BNB"))
    assert (bought.base_change, bought.quote_change) == (Decimal(2), Decimal(-20))
    assert bought.other_fees == (("BNB", Decimal("0.001")),)


def test_a_sale_brings_quote_less_its_fee() -> None:
    sold = result(Side.SELL, fill(fee="0.02", asset="USDT"))
    assert (sold.base_change, sold.quote_change) == (Decimal(-2), Decimal("19.98"))


def test_the_same_trade_twice_counts_once() -> None:
    assert result(Side.BUY, fill(), fill()).filled_quantity == 2


def test_fills_that_do_not_add_up_are_not_booked() -> None:
    with pytest.raises(FillError, match="must add up to 3, were 2"):
        result(Side.BUY, fill(), filled="3")


@pytest.mark.parametrize("bad", [fill(quantity="0"), fill(trade=""), fill(price="0"), fill(quantity="-1")])
def test_incomplete_records_are_refused(bad: Fill) -> None:
    """Incident N21: trade rows without quantity, price or identity."""
    with pytest.raises(FillError):
        result(Side.BUY, bad, filled=str(bad.quantity))
