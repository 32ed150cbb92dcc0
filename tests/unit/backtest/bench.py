"""Run bots over made-up candles without files or processes, with whatever of the bot a test wants changed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from local.backtest.costs import Costs
from local.backtest.history import History
from local.backtest.outcome import BudgetResult
from local.backtest.run import run_budget
from local.backtest.spec import BacktestSpec, BotPlan, BudgetPlan, EngineKind, FillModel
from surefill.domain.records import MarketRules
from surefill.domain.rows import Bot
from surefill.strategies import STRATEGIES
from surefill.strategies.base import Strategy

NO_COSTS = Costs(fee=Decimal(0))


def body(symbols: list[str], *, name: str = "bot", strategy: str = "rsi_macd", **fields: Any) -> dict[str, Any]:
    """A bot that acts on every signal at once, without levels anybody reaches."""
    return {
        "name": name,
        "symbols": symbols,
        "strategy": strategy,
        "timeframe": "5m",
        "interval_seconds": 300,
        "budget_percent": "10",
        "take_profit_percent": "1000",
        "stop_loss_percent": "99",
        "slippage_percent": "0",
        "confirmation_seconds": 0,
        "cooldown_seconds": 0,
        **fields,
    }


def run_bodies(
    bodies: list[dict[str, Any]],
    histories: list[History],
    *,
    fill: FillModel = FillModel.CLOSE,
    costs: Costs = NO_COSTS,
    budget: str = "1000000",
    limits: Mapping[str, Any] | None = None,
    rules: Mapping[str, MarketRules] | None = None,
    strategies: Mapping[str, type[Strategy]] = STRATEGIES,
    changed: Callable[[Bot], Bot] = lambda bot: bot,
    whole: bool = False,
    engine: EngineKind = EngineKind.AUTO,
) -> BudgetResult:
    """All bots on one budget."""
    plan = BudgetPlan(name="money", amount=Decimal(budget), limits=limits or {})
    spec = BacktestSpec(
        files={history.symbol: Path("none") for history in histories},
        budgets=(plan,),
        bots=tuple(BotPlan(budget="money", body=one) for one in bodies),
        fill=fill,
        costs=costs,
        engine=engine,
        rules=rules or {},
        strategies=strategies,
    )
    known = {history.symbol: history for history in histories}
    return run_budget(spec, plan, histories=known, changed=changed, whole=whole)


def with_sizing(bot: Bot, **fields: Any) -> Bot:
    """The bot with other sizing rules."""
    return replace(bot, sizing=replace(bot.sizing, **fields))
