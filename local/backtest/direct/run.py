"""Run one budget on the direct engine, and check at the end that nothing was lost or made."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from local.backtest.conservation import MoneyError
from local.backtest.direct.ability import require_plain
from local.backtest.direct.budget import DirectBudget
from local.backtest.direct.engine import DirectEngine
from local.backtest.outcome import BudgetResult, result_of
from local.backtest.spec import EngineKind
from surefill.domain.money import ZERO, add, total

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from local.backtest.market import Market
    from local.backtest.spec import BacktestSpec, BudgetPlan
    from surefill.domain.rows import Bot, Budget
    from surefill.strategies.base import Strategy


def run_direct(
    spec: BacktestSpec,
    plan: BudgetPlan,
    *,
    budget: Budget,
    bots: Sequence[Bot],
    market: Market,
    strategies: Mapping[str, type[Strategy]],
) -> BudgetResult:
    """Run the bots of one budget. Raises BeyondDirectError for what only the protocol engine can do."""
    require_plain(spec, bots)
    engine = DirectEngine(spec=spec, market=market, budget=DirectBudget.of(budget), strategies=strategies)
    engine.run(bots)
    require_explained(engine)
    held = [stream for stream in engine.streams if stream.held]
    return result_of(
        plan,
        engine=EngineKind.DIRECT,
        bots=bots,
        market=market,
        available=engine.budget.available,
        realised=engine.budget.realised,
        orders=sorted(engine.record.orders, key=lambda order: order.at),
        trades=[trade for *_, trade in sorted(engine.record.trades)],
        held=[(stream.symbol, stream.slot.quantity) for stream in held],
        decisions=engine.counts,
    )


def require_explained(engine: DirectEngine) -> None:
    """The budget is what its orders make of it, and what was bought is sold, held or dust. Raises MoneyError."""
    budget, orders = engine.budget, engine.record.orders
    budget.require_sums()
    slots = [(stream.symbol, stream.slot) for stream in engine.streams if stream.held]
    _require("available", budget.available, add(budget.limits.funded, *(order.quote_change for order in orders)))
    _require("deployed", budget.deployed, total(slot.cost for _, slot in slots))
    _require("reserved", budget.reserved, ZERO)
    base: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for symbol, slot in slots:
        base[symbol] = add(base[symbol], slot.quantity)
    for symbol, dust in engine.record.dust.items():
        base[symbol] = add(base[symbol], dust)
    moved: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for order in orders:
        moved[order.symbol] = add(moved[order.symbol], order.base_change)
    for symbol in base.keys() | moved.keys():
        _require(f"base of {symbol}", base[symbol], moved[symbol])


def _require(what: str, there: Decimal, explained: Decimal) -> None:
    if there != explained:
        raise MoneyError(f"{what} is {there}, the orders say {explained}")
