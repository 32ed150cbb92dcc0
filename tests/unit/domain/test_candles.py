"""Candles: closed ones only, in order, with possible prices; fresh, or no decision."""

from datetime import timedelta
from decimal import Decimal

import pytest

from surefill.domain.candles import CandleError, Quote, closed_candles, data_problem, quote_problem
from surefill.domain.reasons import Reason
from tests.fakes.rows import TICK, candle_rows


def test_the_open_candle_is_left_out() -> None:
    """The row that opens at the tick is still moving: seeing it would be looking ahead."""
    rows = candle_rows([1, 2, 3], until=TICK + timedelta(minutes=1))
    assert list(closed_candles(timeframe="1m", rows=rows, tick=TICK).close) == [1, 2]


@pytest.mark.parametrize(
    "spoil",
    [
        {"1": float("nan")}, {"2": 0.5}, {"3": -1.0}, {"4": float("inf")}, {"5": -1.0}, {"0": "repeat"},
    ],
)  # fmt: skip
def test_impossible_candles_are_refused(spoil: dict[str, object]) -> None:
    rows = candle_rows([100, 101, 102])
    ((column, value),) = spoil.items()
    rows[1][int(column)] = rows[0][0] if value == "repeat" else value  # type: ignore[call-overload]
    with pytest.raises(CandleError):
        closed_candles(timeframe="1m", rows=rows, tick=TICK)


@pytest.mark.parametrize(
    ("count", "age_minutes", "needed", "problem"),
    [
        (0, 0, 1, Reason.NO_DATA),
        (5, 0, 5, None),
        (5, 1, 5, None),
        (5, 2, 5, Reason.DATA_STALE),
        (5, 0, 6, Reason.DATA_SHORT),
    ],
)
def test_data_is_fresh_and_long_enough_or_the_reason_says_not(
    count: int, age_minutes: int, needed: int, problem: Reason | None
) -> None:
    rows = candle_rows([100.0] * count, until=TICK - timedelta(minutes=age_minutes))
    candles = closed_candles(timeframe="1m", rows=rows, tick=TICK)
    assert data_problem(candles, tick=TICK, needed=needed) is problem


@pytest.mark.parametrize(
    ("bid", "ask", "age", "problem"),
    [
        ("1", "1", 0, None),
        ("0", "1", 0, Reason.NO_PRICE),
        ("2", "1", 0, Reason.NO_PRICE),
        ("1", "1", 61, Reason.PRICE_STALE),
    ],
)
def test_a_price_is_there_and_fresh_or_refused(bid: str, ask: str, age: int, problem: Reason | None) -> None:
    quote = Quote(symbol="X", bid=Decimal(bid), ask=Decimal(ask), at=TICK - timedelta(seconds=age))
    assert quote_problem(quote, now=TICK) is problem
