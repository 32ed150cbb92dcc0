"""Amounts: exact, or an error."""

from decimal import Decimal, Inexact

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.domain.money import (
    AmountError,
    add,
    ceil_to_step,
    floor_to_step,
    multiply,
    plain,
    positive,
    to_decimal,
    total,
)

steps = st.sampled_from([Decimal("0.00000001"), Decimal("0.001"), Decimal("0.5"), Decimal(1), Decimal(10)])
amounts = st.decimals(min_value=0, max_value=10**9, places=8, allow_nan=False, allow_infinity=False)


@given(value=amounts, step=steps)
def test_flooring_and_ceiling_enclose_the_value_on_the_grid(value: Decimal, step: Decimal) -> None:
    low, high = floor_to_step(value, step), ceil_to_step(value, step)
    assert low <= value <= high
    assert high - low in (0, step)
    assert low % step == 0


def test_a_sum_that_would_round_raises_instead() -> None:
    with pytest.raises(Inexact):
        add(Decimal("1e20"), Decimal("1e-20"))


def test_products_are_exact() -> None:
    assert multiply(Decimal("0.12345678"), Decimal("98765.4321")) == Decimal("12193.262222374638")


@pytest.mark.parametrize("value", ["abc", "NaN", "Infinity", "", 1.5, True, None])
def test_what_is_no_amount_is_refused_with_its_name(value: object) -> None:
    with pytest.raises(AmountError, match="price must be"):
        to_decimal(value, name="price")  # type: ignore[arg-type]


def test_people_read_amounts_without_exponent_or_padding() -> None:
    assert [plain(Decimal(text)) for text in ("1E+3", "0.500", "10", "0E-8")] == ["1000", "0.5", "10", "0"]


def test_what_must_be_above_zero_is() -> None:
    assert positive(Decimal(1), name="step") == 1
    with pytest.raises(AmountError, match="step must be above 0, was 0"):
        positive(Decimal(0), name="step")


def test_totals_are_exact_sums() -> None:
    assert total([Decimal("0.1")] * 3) == Decimal("0.3")
