"""Which accounts, budgets and bots a seed has: shared and own budgets, live and paper, one and two symbols."""

from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import Any

from surefill.domain.rules import ExitRules, LadderStep, RoiStep
from tests.simulation.venue import PRICES
from tests.simulation.world import LIVE, BudgetPlan

_SYMBOLS = (("BTC/USDT",), ("ETH/USDT",), ("BTC/USDT", "ETH/USDT"))


def drawn(random: Random, *, seed: int, paper: str) -> list[BudgetPlan]:
    """A shared live budget, an own live one, and a shared one on paper."""
    manners = Random(f"manners {seed}")
    return [
        BudgetPlan(
            name="shared",
            account_id=LIVE,
            amount=Decimal(random.choice((60, 300, 2_000))),
            bots=tuple(_bot(random, manners, f"shared{number}") for number in range(5)),
            limits=_limits(random, manners),
        ),
        BudgetPlan(
            name="own",
            account_id=LIVE,
            amount=Decimal(random.choice((15, 500))),
            bots=(_bot(random, manners, "own"),),
            limits=_limits(random, manners),
        ),
        BudgetPlan(
            name="paper",
            account_id=paper,
            amount=Decimal(400),
            bots=tuple(_bot(random, manners, f"paper{number}") for number in range(5)),
        ),
    ]


def _bot(random: Random, manners: Random, name: str) -> tuple[str, tuple[str, ...], Mapping[str, Any]]:
    changes: dict[str, Any] = {
        "budget_percent": Decimal(random.choice((20, 50, 100))),
        "interval_seconds": random.choice((60, 60, 60, 120, 300)),
        "cooldown_seconds": random.choice((0, 0, 60)),
        "confirmation_seconds": random.choice((0, 0, 0, 60)),
        "slippage_percent": Decimal(random.choice(("0", "0.2", "1"))),
        "take_profit_percent": Decimal(random.choice(("0.3", "1", "3"))),
        "stop_loss_percent": Decimal(random.choice(("0.3", "1", "2"))),
    }
    symbols = random.choice(_SYMBOLS)
    manner = manners.choice(_MANNERS)
    return name, symbols[:1] if manner is _grid else symbols, {**changes, **manner(name, symbols[0])}


def _plain(name: str, symbol: str) -> Mapping[str, Any]:
    return {}


def _adds(name: str, symbol: str) -> Mapping[str, Any]:
    """Buys in tranches and sells in parts."""
    return {"params": {"name": name, "adds": 35, "sells": 15, "parts": 50}, "budget_percent": Decimal(20)}


def _climbs(name: str, symbol: str) -> Mapping[str, Any]:
    """Sells on a ladder, and adds on the way."""
    steps = (
        LadderStep(percent=Decimal("0.1"), share=Decimal("0.4")),
        LadderStep(percent=Decimal("0.4"), share=Decimal("0.4")),
    )
    params = {"name": name, "adds": 15, "sells": 5}
    return {"params": params, "exit_rules": ExitRules(ladder=steps), "take_profit_percent": Decimal(2)}


def _trails(name: str, symbol: str) -> Mapping[str, Any]:
    """Trailing stop, break even, ROI and a time limit."""
    rules = ExitRules(
        trailing_percent=Decimal("0.2"),
        trailing_from_percent=Decimal("0.1"),
        break_even_from_percent=Decimal("0.15"),
        break_even_margin_percent=Decimal("0.05"),
        roi=(RoiStep(after_seconds=120, percent=Decimal("0.3")),),
        time_limit_seconds=360,
    )
    return {"params": {"name": name, "sells": 0}, "exit_rules": rules, "take_profit_percent": Decimal(3)}


def _grid(name: str, symbol: str) -> Mapping[str, Any]:
    """Resting orders around the first price."""
    price = PRICES[symbol]
    params = {"lower": str(price * _LOWEST), "upper": str(price * _HIGHEST), "levels": 5, "spacing": "arithmetic"}
    return {
        "strategy": "spot_grid",
        "params": params,
        "budget_percent": Decimal(10),
        "take_profit_percent": Decimal(0),
        "stop_loss_percent": Decimal(0),
    }


_LOWEST, _HIGHEST = Decimal("0.985"), Decimal("1.015")
_MANNERS = (_plain, _plain, _plain, _adds, _adds, _climbs, _trails, _grid)


def _limits(random: Random, manners: Random) -> Mapping[str, Any]:
    return {
        "max_open_positions": random.choice((None, None, 1, 2)),
        "max_trades_per_day": random.choice((None, None, 3)),
        "max_daily_loss": random.choice((None, None, Decimal(1))),
        "max_exposure_per_asset": manners.choice((None, None, Decimal(100))),
        "realised_floor": manners.choice((None, None, None, Decimal(-2))),
    }
