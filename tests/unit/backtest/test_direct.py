"""The direct engine is the protocol engine, to the last digit; and what it can't do it says."""

import os
from collections import Counter

from local.backtest.spec import EngineKind
from surefill.domain.reasons import Reason
from surefill.domain.rows import Side
from tests.unit.backtest.cases import case_of

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
