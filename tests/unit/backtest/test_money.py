"""Whatever a strategy does, the money adds up; and every strategy of the product runs."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.backtest.conservation import MoneyError, require_balances, require_conservation
from local.backtest.costs import Costs
from local.backtest.spec import FillModel
from surefill.adapters.memory import MemoryStore
from surefill.domain.rows import Bot, Budget
from surefill.domain.rules import ExitRules, LadderStep
from surefill.strategies import STRATEGIES, base
from surefill.strategies.market import MarketView
from tests.unit.backtest.bench import body, run_bodies
from tests.unit.backtest.markets import FIVE_MINUTES_MS, START_MS, history_of, random_walk

ACTIONS = (base.Action.HOLD, base.Action.BUY, base.Action.SELL)


class Erratic(base.Strategy):
    """Does at each candle what a list says."""

    name: ClassVar[str] = "rsi_macd"
    Params: ClassVar[type[base.Params]] = base.Params
    PLAN: ClassVar[tuple[tuple[int, bool, str, str], ...]] = ()

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        return base.Needs(candles=1)

    def decide(self, market: MarketView, position: base.Position | None) -> base.Signal:
        index = int((market.closed_at.timestamp() * 1_000 - START_MS) // FIVE_MINUTES_MS) - 1
        action, adds, share, weight = self.PLAN[index % len(self.PLAN)]
        return base.Signal(action=ACTIONS[action], adds=adds, share=Decimal(share), weight=Decimal(weight))


steps = st.tuples(
    st.integers(0, 2), st.booleans(), st.sampled_from(("1", "0.5", "0.3333")), st.sampled_from(("1", "2", "0.1"))
)
rules = st.sampled_from(
    (
        None,
        ExitRules(trailing_percent=Decimal("0.3")),
        ExitRules(ladder=(LadderStep(percent=Decimal("0.2"), share=Decimal("0.4")),)),
        ExitRules(time_limit_seconds=900, break_even_from_percent=Decimal("0.1")),
    )
)


@given(
    plan=st.lists(steps, min_size=1, max_size=40),
    seed=st.integers(0, 1_000),
    fill=st.sampled_from((FillModel.CLOSE, FillModel.NEXT_OPEN)),
    share=st.sampled_from((None, Decimal("0.001"))),
    exits=rules,
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_money_is_conserved_whatever_a_strategy_does(
    plan: list[tuple[int, bool, str, str]], seed: int, fill: FillModel, share: Decimal | None, exits: ExitRules | None
) -> None:
    walk = random_walk(pairs=2, candles=120, seed=seed)

    def changed(bot: Bot) -> Bot:
        return bot if exits is None else replace(bot, exit_rules=exits)

    result = run_bodies(
        [
            body(["C00/USDT", "C01/USDT"], name="one", stop_loss_percent="0.4", take_profit_percent="0.6"),
            body(["C00/USDT"], name="two", stop_loss_percent="0.2", take_profit_percent="3", budget_percent="25"),
        ],
        [walk.history(0), walk.history(1)],
        fill=fill,
        costs=Costs(fee=Decimal("0.001"), slippage_percent=Decimal("0.1"), volume_share=share),
        budget="1000",
        limits={"max_daily_loss": Decimal(50), "max_trades_per_day": 30},
        strategies={"rsi_macd": type("Planned", (Erratic,), {"PLAN": tuple(plan)})},
        changed=changed,
    )
    # The run itself checks budgets, ledger, positions and fills against each other; this is what must come of it.
    profit = sum((trade.profit for trade in result.trades), Decimal(0))
    assert result.realised >= profit - Decimal(1_000)
    assert result.available >= 0


def test_money_that_is_missing_is_found() -> None:
    store = MemoryStore()
    store.insert(Budget(budget_id="b", account_id="a", currency="USDT", funded=Decimal(10), available=Decimal(9)))
    for check in (lambda: require_conservation(store, orders=()), lambda: require_balances(store)):
        with pytest.raises(MoneyError, match="must hold 10, holds 9"):
            check()


def test_money_that_nothing_explains_is_found() -> None:
    store = MemoryStore()
    store.insert(Budget(budget_id="b", account_id="a", currency="USDT", funded=Decimal(10), available=Decimal(10)))
    require_balances(store)
    with pytest.raises(MoneyError, match="available of budget b is 10, ledger says 0"):
        require_conservation(store, orders=())


# What a strategy can't run without.
PARAMS: dict[str, dict[str, Any]] = {
    "spot_grid": {"lower": "0.30", "upper": "0.55", "levels": 41},
    "infinity_grid": {"lower": "0.30"},
    "rebalance": {"weights": "C00/USDT=40, C01/USDT=40"},
}
# Acts on alerts from outside only.
_WAITING = "webhook"
SYMBOLS = {"pairs": ["C00/USDT", "C01/USDT"], "rebalance": ["C00/USDT", "C01/USDT"]}


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_strategy_of_the_product_runs(name: str) -> None:
    walk = random_walk(pairs=2, candles=3_000, seed=3)
    strategy = STRATEGIES[name]
    symbols = SYMBOLS.get(name, ["C00/USDT"])
    result = run_bodies(
        [
            body(
                symbols,
                strategy=name,
                interval_seconds=max(strategy.default_interval_seconds, 300),
                params=PARAMS.get(name, {}),
                stop_loss_percent="3",
                take_profit_percent="4",
            )
        ],
        [walk.history(pair) for pair in range(2)],
        costs=Costs(fee=Decimal("0.001")),
        fill=FillModel.NEXT_OPEN,
    )
    assert sum(result.decisions.values()) > 0 or name == _WAITING
    assert "strategy.failed" not in result.decisions


def test_a_position_that_is_still_open_is_valued_at_the_last_close() -> None:
    rows = [(100.0, 100.0, 100.0, 100.0)] * 3 + [(100.0, 104.0, 100.0, 104.0)]
    planned = type("Once", (Erratic,), {"PLAN": ((1, False, "1", "1"), *((0, False, "1", "1"),) * 9)})
    result = run_bodies([body(["BTC/USDT"])], [history_of(rows)], budget="1000", strategies={"rsi_macd": planned})
    assert result.open_quantity == {"BTC/USDT": Decimal(1)}
    assert float(result.curve.values[-1]) == 1_004.0
