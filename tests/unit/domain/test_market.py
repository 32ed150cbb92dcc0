"""From a wish to spend to an order the venue takes, and back out again."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.domain.candles import Quote
from surefill.domain.market import EntryTerms, Refusal, entry_terms, levels, rules_problem, sellable_quantity
from surefill.domain.reasons import Reason
from tests.fakes.rows import TICK, rules


def quote(price: str) -> Quote:
    return Quote(symbol="BTC/USDT", bid=Decimal(price), ask=Decimal(price), at=TICK)


def terms(spend: str, *, price: str = "100", **rule_changes: object) -> EntryTerms | Refusal:
    return entry_terms(
        rules=rules(**rule_changes),
        quote=quote(price),
        spend=Decimal(spend),
        slippage_percent=Decimal("0.5"),
        stop_loss_percent=Decimal(2),
    )


def test_the_reservation_covers_the_order_at_its_limit_with_the_fee() -> None:
    found = terms("200")
    assert isinstance(found, EntryTerms)
    assert (found.limit_price, found.quantity) == (Decimal("100.50"), Decimal("1.988"))
    assert found.reserved == Decimal("1.988") * Decimal("100.50") * Decimal("1.001")


@given(
    spend=st.decimals(min_value=20, max_value=10**6, places=2),
    price=st.decimals(min_value=1, max_value=10**5, places=2),
)
def test_what_is_reserved_is_never_above_the_wish(spend: Decimal, price: Decimal) -> None:
    found = terms(str(spend), price=str(price))
    if isinstance(found, EntryTerms):
        assert found.reserved <= spend + Decimal("0.00000001")
        assert found.quantity * found.limit_price * Decimal("1.001") <= found.reserved


@pytest.mark.parametrize(
    ("spend", "changes", "reason"),
    [
        ("0.01", {}, Reason.QUANTITY_TOO_SMALL),
        ("4", {}, Reason.BELOW_MINIMUM),
        ("5.2", {}, Reason.EXIT_BELOW_MINIMUM),
        ("200", {"min_quantity": Decimal(5)}, Reason.QUANTITY_TOO_SMALL),
    ],
)
def test_an_order_the_venue_would_refuse_is_refused_with_its_numbers(
    spend: str, changes: dict[str, object], reason: Reason
) -> None:
    found = terms(spend, **changes)
    assert isinstance(found, Refusal)
    assert found.reason is reason
    assert found.numbers


def test_an_entry_that_could_not_be_sold_at_its_stop_is_refused() -> None:
    """Bought for 5.6, it would be worth 5.48 at the stop: less than the minimum of 5 with its headroom."""
    found = terms("5.65")
    assert isinstance(found, Refusal)
    assert found.reason is Reason.EXIT_BELOW_MINIMUM


@pytest.mark.parametrize(
    ("changes", "age", "reason"),
    [({"active": False}, 0, Reason.MARKET_CLOSED), ({}, 49, Reason.MARKET_STALE), ({}, 47, None)],
)
def test_rules_must_be_of_a_trading_market_and_fresh(
    changes: dict[str, object], age: int, reason: Reason | None
) -> None:
    problem = rules_problem(rules(**changes), now=TICK + timedelta(hours=age))
    assert (problem.reason if problem else None) is reason


def test_unknown_rules_refuse() -> None:
    problem = rules_problem(None, now=TICK)
    assert problem is not None
    assert problem.reason is Reason.MARKET_UNKNOWN


def test_what_can_be_sold_is_floored_to_the_step_or_nothing() -> None:
    assert sellable_quantity(Decimal("1.23456"), rules=rules(), price=Decimal(100)) == Decimal("1.234")
    assert sellable_quantity(Decimal("0.0009"), rules=rules(), price=Decimal(100)) == 0
    assert sellable_quantity(Decimal("0.049"), rules=rules(), price=Decimal(100)) == 0


def test_levels_stand_around_the_price_paid() -> None:
    found = levels(cost=Decimal(200), quantity=Decimal(2), take_profit_percent=Decimal(3), stop_loss_percent=Decimal(2))
    assert found == (Decimal(103), Decimal(98))
