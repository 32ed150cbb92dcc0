"""Replay through the deployed functions and backtest at the same prices: the same orders, to the last digit."""

import json
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from local.backtest.outcome import filled_orders
from local.backtest.run import no_collection
from local.backtest.spec import BacktestSpec, BotPlan, BudgetPlan, FillModel
from local.backtest.ticks import run_ticks
from local.replay import ReplayOptions, run_replay
from local.replay.plan import BUDGET, plan_replay
from surefill.domain.rows import Intent
from surefill.domain.times import format_time
from surefill.strategies import STRATEGIES

SYMBOL = "BTC/USDT"
TICKS = 90
_START_MS = 1_767_571_200_000


def write_minutes(path: Path, *, minutes: int) -> Path:
    """One-minute candles of a restless market, in cents."""
    draw, price = Random(5), Decimal("60000.00")
    lines = ["timestamp,open,high,low,close,volume"]
    for minute in range(minutes):
        step = Decimal(draw.gauss(0, 90)).quantize(Decimal("0.01"))
        closed = max(Decimal(1_000), price + step)
        low, high = (min(price, closed) - Decimal("7.50"), max(price, closed) + Decimal("9.25"))
        lines.append(f"{_START_MS + minute * 60_000},{price},{high},{low},{closed},{draw.randint(5, 50)}")
        price = closed
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def replayed(options: ReplayOptions, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, ...]]:
    """Orders of the replay: tick, side, and quantity and price of each fill."""
    assert run_replay(options) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return [
        (trade["tick"], trade["side"], *(f"{Decimal(fill[0]):f}@{Decimal(fill[1]):f}" for fill in trade["fills"]))
        for trade in result["trades"]
        if trade["fills"]
    ]


def backtested(options: ReplayOptions) -> list[tuple[str, ...]]:
    """The same of the backtest."""
    (bot,) = plan_replay(options).bots
    budget = BudgetPlan(name=bot["name"], amount=BUDGET)
    spec = BacktestSpec(
        files={SYMBOL: options.candles[0]},
        budgets=(budget,),
        bots=(BotPlan(budget=budget.name, body=bot),),
        fill=FillModel.TICKS,
        strategies=STRATEGIES,
    )
    with no_collection():
        run = run_ticks(spec, budget, strategies=STRATEGIES, count=options.ticks)
    assert filled_orders(run.world.store)
    intents = [intent for intent in run.world.store.rows(Intent) if intent.fills]
    return [
        (format_time(intent.tick), intent.side, *(f"{fill.quantity:f}@{fill.price:f}" for fill in intent.fills))
        for intent in sorted(intents, key=lambda intent: (intent.tick, intent.leg))
    ]


def test_replay_and_backtest_give_the_same_orders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_minutes(tmp_path / "minutes.csv", minutes=400)
    options = ReplayOptions(candles=(file,), symbols=(SYMBOL,), ticks=TICKS, as_json=True)
    expected = backtested(options)
    assert len(expected) >= 4
    assert replayed(options, capsys) == expected
