"""Every figure against one worked out by hand, and closed-trade arithmetic against Decimal sums of the fills."""

import math
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from local.backtest.costs import Costs
from local.backtest.outcome import Curve, Order, Trade
from local.backtest.statistics import (
    DAY_MS,
    annual_return,
    buy_and_hold,
    daily_returns,
    drawdown,
    exposure,
    profit_factor,
    sharpe,
    sortino,
    sqn,
    statistics_of,
)
from surefill.domain.kinds import Side
from surefill.domain.reasons import Reason
from tests.unit.backtest.bench import body, run_bodies
from tests.unit.backtest.markets import random_walk

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)


def curve(values: list[float], *, step_ms: int = DAY_MS, held: list[float] | None = None) -> Curve:
    begin = int(BEGIN.timestamp() * 1_000)
    times = begin + np.arange(len(values), dtype=np.int64) * step_ms
    return Curve(times_ms=times, values=np.array(values), held=np.array(held or [0.0] * len(values)))


def trade(
    cost: str, proceeds: str, *, reason: Reason = Reason.TAKE_PROFIT, symbol: str = "A/B", hours: int = 1
) -> Trade:
    return Trade(
        bot="bot", symbol=symbol, opened_at=BEGIN, closed_at=BEGIN + timedelta(hours=hours), quantity=Decimal(1),
        entry_price=1.0, exit_price=1.0, cost=Decimal(cost), proceeds=Decimal(proceeds), fees=0.1, tranches=1,
        reason=reason,
    )  # fmt: skip


def test_drawdown_is_from_the_highest_value_so_far() -> None:
    fall = drawdown(curve([100, 120, 90, 110, 130, 117, 140]))
    assert (fall.amount, fall.share) == (30, 0.25)
    assert fall.longest_ms == 3 * DAY_MS


def test_a_drawdown_that_has_not_ended_counts_to_the_end() -> None:
    assert drawdown(curve([100, 90, 95, 80])).longest_ms == 3 * DAY_MS
    assert drawdown(curve([100, 110, 120])).longest_ms == 0


def test_daily_returns_are_between_the_last_values_of_days() -> None:
    values = [100, 105, 110, 99, 100, 121]
    assert daily_returns(curve(values, step_ms=DAY_MS // 2)).tolist() == pytest.approx([99 / 105 - 1, 121 / 99 - 1])


def test_sharpe_and_sortino() -> None:
    returns = np.array([0.01, -0.02, 0.03, 0.0])
    mean = 0.005
    deviation = math.sqrt(((0.005) ** 2 + (-0.025) ** 2 + (0.025) ** 2 + (-0.005) ** 2) / 3)
    assert sharpe(returns) == pytest.approx(mean / deviation * math.sqrt(365))
    assert sortino(returns) == pytest.approx(mean / math.sqrt(0.02**2 / 4) * math.sqrt(365))
    assert sharpe(np.array([0.01])) is None
    assert sharpe(np.array([0.01, 0.01, 0.01]).round(2) * 0) is None
    assert sortino(np.array([0.01, 0.02])) is None


def test_growth_per_year() -> None:
    assert annual_return(0.1, days=365) == pytest.approx(0.1)
    assert annual_return(0.1, days=730) == pytest.approx(math.sqrt(1.1) - 1)
    assert annual_return(0.1, days=0.5) is None
    assert annual_return(-1.0, days=10) is None
    assert annual_return(1e6, days=1) is None


def test_system_quality_number_and_profit_factor() -> None:
    profits = [10.0, -5.0, 20.0, -5.0]
    deviation = math.sqrt((25 + 100 + 225 + 100) / 3)
    assert sqn(profits) == pytest.approx(2 * 5 / deviation)
    assert profit_factor(profits) == 3.0
    assert profit_factor([1.0]) is None
    assert sqn([1.0]) is None


def test_buy_and_hold_is_the_mean_over_symbols() -> None:
    assert buy_and_hold({"A/B": (100, 150), "C/B": (10, 9)}) == pytest.approx(0.2)
    assert buy_and_hold({}) is None


def test_exposure_counts_candles_with_a_position() -> None:
    assert exposure(curve([1, 1, 1, 1], held=[0, 5, 5, 0])) == 0.5


def test_everything_together() -> None:
    lost = trade("100", "95", reason=Reason.STOP_LOSS)
    trades = [trade("100", "110"), lost, trade("50", "55", symbol="C/B", hours=3)]
    found = statistics_of(
        trades=trades, curve=curve([1000, 1010, 1005, 1010]), start=Decimal(1000), closes={"A/B": (1, 2)}
    )
    assert found.profit == Decimal(10)
    assert (found.trades, found.wins, found.losses) == (3, 2, 1)
    assert found.win_rate == pytest.approx(2 / 3)
    assert found.expectancy == pytest.approx(10 / 3)
    assert found.expectancy_ratio == pytest.approx((0.1 - 0.05 + 0.1) / 3)
    assert found.profit_factor == pytest.approx(3.0)
    assert (found.best, found.worst) == pytest.approx((0.1, -0.05))
    assert found.mean_duration_ms == pytest.approx(5 / 3 * 3_600_000)
    assert found.total_return == pytest.approx(0.01)
    assert found.buy_and_hold == 1.0
    assert found.by_reason[Reason.STOP_LOSS].profit == Decimal(-5)
    assert found.by_symbol["C/B"].trades == 1
    assert found.fees == pytest.approx(0.3)
    assert found.calmar is not None


def test_no_trades_have_no_figures() -> None:
    found = statistics_of(trades=[], curve=curve([1000, 1000]), start=Decimal(1000), closes={"A/B": (1, 1)})
    assert (found.win_rate, found.expectancy, found.best, found.sqn, found.sharpe) == (None,) * 5
    assert found.profit == 0


def exact(order: Order) -> Fraction:
    return Fraction(order.quote_change)


def test_closed_trades_equal_an_independent_sum_over_the_fills_exactly() -> None:
    walk = random_walk(pairs=2, candles=4_000, seed=7)
    result = run_bodies(
        [body(["C00/USDT", "C01/USDT"], stop_loss_percent="1", take_profit_percent="1.5")],
        [walk.history(0), walk.history(1)],
        costs=Costs(fee=Decimal("0.00075"), slippage_percent=Decimal("0.05")),
    )
    sums: dict[str, Fraction] = defaultdict(Fraction)
    closed = {order.position for order in result.orders if order.side is Side.SELL}
    for order in result.orders:
        if order.position in closed:
            sums[order.position] += exact(order)
    assert len(result.trades) == len(sums) > 40
    assert sorted(Fraction(one.profit) for one in result.trades) == sorted(sums.values())
    assert Fraction(result.realised) == sum(sums.values(), Fraction(0))
