"""Which accounts, budgets and bots a seed has: shared and own budgets, live and paper, one and two symbols."""

from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import Any

from tests.simulation.world import LIVE, BudgetPlan

_SYMBOLS = (("BTC/USDT",), ("ETH/USDT",), ("BTC/USDT", "ETH/USDT"))


def drawn(random: Random, *, paper: str) -> list[BudgetPlan]:
    """A shared live budget, an own live one, and a shared one on paper."""
    return [
        BudgetPlan(
            name="shared",
            account_id=LIVE,
            amount=Decimal(random.choice((60, 300, 2_000))),
            bots=tuple(_bot(random, f"shared{number}") for number in range(5)),
            limits=_limits(random),
        ),
        BudgetPlan(
            name="own",
            account_id=LIVE,
            amount=Decimal(random.choice((15, 500))),
            bots=(_bot(random, "own"),),
            limits=_limits(random),
        ),
        BudgetPlan(
            name="paper",
            account_id=paper,
            amount=Decimal(400),
            bots=tuple(_bot(random, f"paper{number}") for number in range(5)),
        ),
    ]


def _bot(random: Random, name: str) -> tuple[str, tuple[str, ...], Mapping[str, Any]]:
    changes: dict[str, Any] = {
        "budget_percent": Decimal(random.choice((20, 50, 100))),
        "interval_seconds": random.choice((60, 60, 60, 120, 300)),
        "cooldown_seconds": random.choice((0, 0, 60)),
        "confirmation_seconds": random.choice((0, 0, 0, 60)),
        "slippage_percent": Decimal(random.choice(("0", "0.2", "1"))),
        "take_profit_percent": Decimal(random.choice(("0.3", "1", "3"))),
        "stop_loss_percent": Decimal(random.choice(("0.3", "1", "2"))),
    }
    return name, random.choice(_SYMBOLS), changes


def _limits(random: Random) -> Mapping[str, Any]:
    return {
        "max_open_positions": random.choice((None, None, 1, 2)),
        "max_trades_per_day": random.choice((None, None, 3)),
        "max_daily_loss": random.choice((None, None, Decimal(1))),
    }
