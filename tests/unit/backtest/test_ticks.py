"""The ticks model: minute by minute at the simulated exchange's own prices."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from local.backtest.conservation import require_conservation
from local.backtest.costs import Costs
from local.backtest.outcome import filled_orders
from local.backtest.run import run
from local.backtest.spec import BacktestSpec, BotPlan, BudgetPlan, FillModel
from local.backtest.ticks import run_ticks
from local.errors import LocalError
from surefill.domain.kinds import Side
from surefill.strategies import STRATEGIES
from tests.unit.backtest.bench import body
from tests.unit.backtest.markets import START_MS, write_rows

SYMBOL = "BTC/USDT"
WARM_UP = 600


def saw(minute: int) -> Decimal:
    """A price that falls and rises in turns of 20 minutes."""
    phase = minute % 40
    return Decimal(60_000) + 30 * (phase if phase < 20 else 40 - phase)


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> BacktestSpec:
    rows = []
    for minute in range(WARM_UP + 200):
        opened, closed = saw(minute), saw(minute + 1)
        low, high = min(opened, closed) - 5, max(opened, closed) + 5
        rows.append([START_MS + minute * 60_000, opened, high, low, closed, 20])
    file = write_rows(tmp_path_factory.mktemp("ticks") / "btc.csv", rows)
    bot = body([SYMBOL], strategy="rsi_macd", timeframe="1m", interval_seconds=60, slippage_percent="0.2")
    params = {"rsi_period": 5, "macd_fast": 3, "macd_slow": 6, "macd_signal": 3, "rsi_entry": 60, "rsi_exit": 95}
    return BacktestSpec(
        files={SYMBOL: file},
        budgets=(BudgetPlan(name="money", amount=Decimal(10_000)),),
        bots=(BotPlan(budget="money", body={**bot, "params": params}),),
        fill=FillModel.TICKS,
        costs=Costs(fee=Decimal("0.002")),
        strategies=STRATEGIES,
    )


def test_orders_fill_at_the_exchange_s_bid_and_ask_with_the_fee_asked_for(spec: BacktestSpec) -> None:
    done = run_ticks(spec, spec.budgets[0], strategies=STRATEGIES, count=90)
    orders = filled_orders(done.world.store)
    require_conservation(done.world.store, orders=orders)
    assert len(orders) >= 4
    for order in orders:
        minute = (int(order.at.timestamp() * 1_000) - START_MS) // 60_000
        price, spread = saw(minute), Decimal("0.0001")
        worst = price * (1 + spread) if order.side is Side.BUY else price * (1 - spread)
        assert order.price == pytest.approx(float(worst), abs=0.01)
        if order.side is Side.BUY:
            assert order.quantity - order.base_change == (order.quantity * Decimal("0.002")).quantize(
                Decimal("0.00000001"), rounding="ROUND_DOWN"
            )


def test_the_same_candles_give_the_same_orders(spec: BacktestSpec) -> None:
    first, second = (run_ticks(spec, spec.budgets[0], strategies=STRATEGIES, count=60) for _ in range(2))
    assert filled_orders(first.world.store) == filled_orders(second.world.store)
    assert first.counts == second.counts


def test_a_whole_run_has_a_result(spec: BacktestSpec) -> None:
    (result,) = run(spec, processes=1)
    assert result.trades
    assert result.candles == WARM_UP + 200


def test_too_few_candles_are_one_sentence(spec: BacktestSpec, tmp_path: Path) -> None:
    rows = [[START_MS + minute * 60_000, 100, 101, 99, 100, 1] for minute in range(40)]
    short = replace(spec, files={SYMBOL: write_rows(tmp_path / "short.csv", rows)})
    with pytest.raises(LocalError, match="must last longer than the warm-up"):
        run_ticks(short, short.budgets[0], strategies=STRATEGIES)
