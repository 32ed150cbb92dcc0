"""What the engine skips to be fast changes no order."""

from typing import Any

import numpy as np
import pytest

from local.backtest.spec import EngineKind
from surefill.strategies import STRATEGIES
from tests.unit.backtest.bench import body, run_bodies
from tests.unit.backtest.markets import random_walk


def test_screened_candles_and_all_candles_give_the_same_orders() -> None:
    from surefill.strategies.rsi_macd import RsiMacd

    class Unscreened(RsiMacd):
        def screen(self, series: Any) -> Any:
            return None

    histories = [random_walk(pairs=1, candles=2_500).history(0)]
    screened = run_bodies([body(["C00/USDT"], stop_loss_percent="1", take_profit_percent="1")], histories)
    asked = run_bodies(
        [body(["C00/USDT"], stop_loss_percent="1", take_profit_percent="1")],
        histories,
        strategies={"rsi_macd": Unscreened},
    )
    assert screened.orders == asked.orders
    assert len(screened.trades) > 20
    assert np.array_equal(screened.curve.values, asked.curve.values)


@pytest.mark.parametrize("fields", [{}, {"confirmation_seconds": 600, "cooldown_seconds": 1_800}])
def test_plain_signals_and_whole_evaluations_give_the_same_orders(fields: dict[str, Any]) -> None:
    walk = random_walk(pairs=2, candles=2_500, seed=5)
    bodies = [
        body(
            ["C00/USDT", "C01/USDT"], name=name, strategy=name, stop_loss_percent="1", take_profit_percent="2", **fields
        )
        for name in ("rsi_macd", "composite", "signal_dca")
    ]
    histories = [walk.history(0), walk.history(1)]
    limits = {"max_open_positions": 4, "max_trades_per_day": 25}
    plain = run_bodies(bodies, histories, strategies=STRATEGIES, limits=limits, engine=EngineKind.PROTOCOL)
    whole = run_bodies(bodies, histories, strategies=STRATEGIES, limits=limits, whole=True)
    assert plain.orders == whole.orders
    assert plain.decisions == whole.decisions
    assert plain.available == whole.available
    assert len(plain.orders) > 40
