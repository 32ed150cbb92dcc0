"""The direct engine is the protocol engine, to the last digit; and what it can't do it says."""

import os
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.backtest.conservation import MoneyError
from local.backtest.costs import Costs
from local.backtest.direct.budget import DirectBudget
from local.backtest.direct.grid import Grid
from local.backtest.outcome import BudgetResult
from local.backtest.spec import EngineKind
from local.errors import LocalError
from surefill.domain.kinds import BotState, Side
from surefill.domain.money import ceil_to_step, floor_to_step
from surefill.domain.reasons import Reason
from surefill.domain.rows import Budget
from surefill.domain.rules import ExitRules, GateRules, LadderStep
from surefill.strategies import STRATEGIES, base
from surefill.strategies.market import MarketView
from tests.unit.backtest.bench import body, run_bodies
from tests.unit.backtest.cases import Erratic, Moody, case_of
from tests.unit.backtest.markets import history_of, random_walk
from tests.unit.backtest.test_money import PARAMS, SYMBOLS

# More of them: BACKTEST_CASES=5000 pytest tests/unit/backtest/test_direct.py
CASES = int(os.environ.get("BACKTEST_CASES", "240"))
# What must have happened among the cases, or they would prove nothing of it.
SEEN = {
    "closed as dust",
    Reason.STOP_LOSS, Reason.TAKE_PROFIT, Reason.TRAILING_STOP, Reason.BREAK_EVEN, Reason.ROI, Reason.TIME_LIMIT,
    Reason.STRATEGY_EXIT, Reason.BUY, Reason.SELL, Reason.NO_POSITION, Reason.ALREADY_IN_POSITION, Reason.HOLD,
    Reason.WAITING_CONFIRMATION, Reason.WAITING_COOLDOWN, Reason.BUDGET_TOO_SMALL, Reason.LIMIT_OPEN_POSITIONS,
    Reason.LIMIT_TRADES, Reason.LIMIT_LOSS, Reason.LIMIT_EXPOSURE, Reason.LIMIT_DRAWDOWN, Reason.PRICE_GAP,
    Reason.MARKET_HOURS, Reason.STOP_LOSS_GUARD, Reason.DRAWDOWN_PAUSE, Reason.LOW_PROFIT, Reason.SIZE_UNKNOWN,
    Reason.SIZE_ZERO, Reason.QUANTITY_TOO_SMALL, Reason.BELOW_MINIMUM, Reason.EXIT_BELOW_MINIMUM,
}  # fmt: skip


def test_both_engines_give_the_same_trades_balances_and_decisions() -> None:
    seen: Counter[str] = Counter()
    for seed in range(CASES):
        case = case_of(seed)
        direct, protocol = case.run(EngineKind.DIRECT), case.run(EngineKind.PROTOCOL)
        assert (direct.engine, protocol.engine) == (EngineKind.DIRECT, EngineKind.PROTOCOL)
        assert direct.orders == protocol.orders, f"seed {seed}"
        assert direct.trades == protocol.trades, f"seed {seed}"
        assert direct.decisions == protocol.decisions, f"seed {seed}"
        assert (direct.available, direct.realised) == (protocol.available, protocol.realised), f"seed {seed}"
        assert direct.open_quantity == protocol.open_quantity, f"seed {seed}"
        assert direct.curve.values.tolist() == protocol.curve.values.tolist(), f"seed {seed}"
        seen.update(direct.decisions)
        seen.update(str(trade.reason) for trade in direct.trades)
        bought = sum(order.side is Side.BUY for order in direct.orders)
        seen["closed as dust"] += bought > len(direct.trades) + len(direct.open_quantity)
    missing = {what for what in SEEN if not seen[what]}
    assert CASES < 240 or not missing, f"no case had {sorted(missing)}, they had {dict(seen)}"


# Grids, and what looks at its equity. Those that may add to a position do not on the candles of the test.
MORE_THAN_PLAIN = {"spot_grid", "infinity_grid", "bollinger_range", "rebalance"}
BTC = "BTC/USDT"
FLAT = (100.0, 100.0, 100.0, 100.0)


class Adds(Erratic):
    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        return base.Signal(action=base.Action.BUY, adds=True)


class SellsHalf(Erratic):
    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        if position is None:
            return base.Signal(action=base.Action.BUY)
        return base.Signal(action=base.Action.SELL, share=Decimal("0.5"))


class Fails(Erratic):
    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        raise ZeroDivisionError("no reason")


LADDER = ExitRules(ladder=(LadderStep(percent=Decimal(1), share=Decimal("0.5")),))


@pytest.mark.parametrize(
    ("strategy", "more", "said"),
    [
        (Adds, {}, "adds to positions"),
        (SellsHalf, {}, "sells in parts (strategy rsi_macd)"),
        (Fails, {}, "failed (no reason)"),
        (STRATEGIES["spot_grid"], {}, "trades a grid"),
        (STRATEGIES["rebalance"], {}, "looks at its equity"),
        (Moody, {"costs": Costs(volume_share=Decimal("0.5"))}, "fills orders in part"),
        (Moody, {"changed": lambda bot: replace(bot, exit_rules=LADDER)}, "sells in parts (exit_rules.ladder)"),
        (Moody, {"changed": lambda bot: replace(bot, gates=GateRules(adviser="rules"))}, "asks an adviser"),
        (Moody, {"changed": lambda bot: replace(bot, state=BotState.DRAINING)}, "is DRAINING"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_what_is_more_than_plain_positions_runs_on_the_protocol_engine(
    strategy: type[base.Strategy], more: dict[str, Any], said: str
) -> None:
    params = {
        "spot_grid": {"lower": "90", "upper": "110", "levels": 5},
        "rebalance": {"weights": "BTC/USDT=40"},
    }.get(strategy.name, {})
    bodies = [body([BTC], strategy=strategy.name, params=params)]
    histories = [history_of([FLAT, (100.0, 102.0, 99.0, 101.0)] * 20)]

    def run(engine: EngineKind) -> BudgetResult:
        return run_bodies(bodies, histories, strategies={strategy.name: strategy}, engine=engine, **more)

    with pytest.raises(LocalError, match="--engine direct can't run this") as refused:
        run(EngineKind.DIRECT)
    assert said in str(refused.value)
    auto, protocol = run(EngineKind.AUTO), run(EngineKind.PROTOCOL)
    assert auto.engine is EngineKind.PROTOCOL
    assert (auto.orders, auto.decisions) == (protocol.orders, protocol.decisions)


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_strategy_gives_the_same_on_the_engine_chosen_for_it(name: str) -> None:
    walk = random_walk(pairs=2, candles=2_000, seed=9)
    bodies = [
        body(
            SYMBOLS.get(name, ["C00/USDT"]),
            strategy=name,
            interval_seconds=max(STRATEGIES[name].default_interval_seconds, 300),
            params=PARAMS.get(name, {}),
            stop_loss_percent="1",
            take_profit_percent="1.5",
        )
    ]
    auto, protocol = (
        run_bodies(bodies, [walk.history(0), walk.history(1)], costs=Costs(), engine=engine)
        for engine in (EngineKind.AUTO, EngineKind.PROTOCOL)
    )
    assert (auto.engine is EngineKind.DIRECT) == (name not in MORE_THAN_PLAIN)
    assert auto.orders == protocol.orders
    assert auto.trades == protocol.trades
    assert auto.decisions == protocol.decisions
    assert (auto.available, auto.realised) == (protocol.available, protocol.realised)


def test_money_that_the_orders_do_not_explain_is_found() -> None:
    funded = Decimal(10)
    limits = Budget(budget_id="b", account_id="a", currency="USDT", funded=funded, available=funded)
    budget = DirectBudget.of(limits)
    budget.require_sums()
    budget.available = Decimal(9)
    with pytest.raises(MoneyError, match="must hold 10, holds 9"):
        budget.require_sums()


def test_a_buy_above_its_reservation_is_a_defect() -> None:
    limits = Budget(budget_id="b", account_id="a", currency="USDT", funded=Decimal(10), available=Decimal(10))
    budget = DirectBudget.of(limits)
    budget.reserve(Decimal(5), asset="BTC", now_ms=0)
    with pytest.raises(MoneyError, match="at most what is reserved"):
        budget.spend(Decimal(5), cost=Decimal("5.01"), asset="BTC")


amounts = st.decimals(min_value="0", max_value="1e9", places=9)


@given(value=amounts, step=st.sampled_from(("0.00000001", "0.01", "1", "0.5", "0.00025", "3")))
def test_grids_round_as_money_does(value: Decimal, step: str) -> None:
    grid = Grid.of(Decimal(step))
    assert grid.floor(value) == floor_to_step(value, Decimal(step))
    assert grid.ceil(value) == ceil_to_step(value, Decimal(step))
