"""Run a backtest: read candles, run every budget's bots, read off what became of it. Budgets run side by side."""

from __future__ import annotations

import gc
import multiprocessing
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.backtest.candle_files import read_candles
from local.backtest.deciding import Deciding
from local.backtest.engine import Engine
from local.backtest.history import between
from local.backtest.market import Market
from local.backtest.outcome import (
    Curve,
    Order,
    Trade,
    closed_positions,
    equity_curve,
    filled_orders,
    require_conservation,
)
from local.backtest.setting_up import set_up
from local.backtest.spec import BacktestSpec, BudgetPlan, FillModel
from local.backtest.tape import Tape
from local.backtest.touches import Touches
from local.backtest.venue import BacktestVenue, SetClock
from local.backtest.world import make_world
from local.errors import LocalError
from surefill.domain.rows import Budget, Slot
from surefill.domain.states import SlotState
from surefill.domain.times import from_milliseconds
from surefill.strategies import STRATEGIES

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from local.backtest.history import Gaps, History
    from local.backtest.world import World
    from surefill.domain.rows import Bot


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetResult:
    """What one budget's bots did. `open_quantity` is what is still held by symbol (base)."""

    name: str
    bots: tuple[str, ...]
    symbols: tuple[str, ...]
    start: Decimal
    available: Decimal
    realised: Decimal
    trades: Sequence[Trade]
    orders: Sequence[Order]
    curve: Curve
    open_quantity: dict[str, Decimal]
    decisions: dict[str, int]
    candles: int
    gaps: dict[str, Gaps]
    closes: dict[str, tuple[float, float]]


def run(spec: BacktestSpec, *, processes: int | None = None) -> list[BudgetResult]:
    """Run every budget. Raises LocalError for input that can't be run, MoneyError when money was lost or made."""
    count = min(len(spec.budgets), processes or os.cpu_count() or 1)
    if count < 2:
        histories = read_histories(spec, symbols=tuple(spec.files))
        return [run_budget(spec, plan, histories=histories) for plan in spec.budgets]
    shares = [spec.budgets[number::count] for number in range(count)]
    context = multiprocessing.get_context("fork")
    with context.Pool(count) as pool:
        done = pool.starmap(_run_share, [(spec, share) for share in shares], chunksize=1)
    by_name: dict[str, BudgetResult] = {}
    for results, problem in done:
        if problem is not None:
            raise LocalError(problem)
        by_name.update({result.name: result for result in results})
    return [by_name[plan.name] for plan in spec.budgets]


def _run_share(spec: BacktestSpec, share: Sequence[BudgetPlan]) -> tuple[list[BudgetResult], str | None]:
    names = {plan.name for plan in share}
    symbols = tuple(dict.fromkeys(symbol for bot in spec.bots if bot.budget in names for symbol in bot.symbols))
    try:
        histories = read_histories(spec, symbols=symbols)
        return [run_budget(spec, plan, histories=histories) for plan in share], None
    except LocalError as error:
        return [], str(error)


def read_histories(spec: BacktestSpec, *, symbols: Sequence[str]) -> dict[str, History]:
    """The candles of these symbols, within the span asked for."""
    found: dict[str, History] = {}
    for symbol in symbols:
        if symbol not in spec.files:
            raise LocalError(f"candles of {symbol} were not given, expected --candles FILE --symbol {symbol}")
        history = read_candles(spec.files[symbol], symbol=symbol)
        found[symbol] = between(history, since_ms=spec.since_ms, until_ms=spec.until_ms)
        if len(found[symbol]) < 2:
            raise LocalError(f"{spec.files[symbol]}: has no candles of {symbol} in the span asked for")
    return found


def run_budget(spec: BacktestSpec, plan: BudgetPlan, *, histories: dict[str, History]) -> BudgetResult:
    """Run the bots of one budget over these candles."""
    market = Market(histories=histories)
    strategies = spec.strategies or STRATEGIES
    with no_collection():
        if spec.fill is FillModel.TICKS:
            from local.backtest.ticks import run_ticks  # brings ccxt

            done = run_ticks(spec, plan, strategies=strategies)
            return result_of(done.world, plan, bots=done.bots, counts=done.counts, market=market)
        clock = SetClock(current=from_milliseconds(min(int(item.opened_ms[0]) for item in histories.values())))
        venue = BacktestVenue(clock=clock, costs=spec.costs)
        world = make_world(clock=clock, venues=venue, strategies=strategies)
        bots = set_up(world, spec, budgets=[plan])
        counts = run_engine(world, venue, bots=bots, market=market, spec=spec)
        return result_of(world, plan, bots=bots, counts=counts, market=market)


def run_engine(
    world: World, venue: BacktestVenue, *, bots: Sequence[Bot], market: Market, spec: BacktestSpec, whole: bool = False
) -> Counter[str]:
    """Run bots over a market; decisions by reason. `whole` as in `Deciding`."""
    tape = Tape(venue=venue, rules=spec.rules)
    engine = Engine(
        world=world,
        venue=venue,
        market=market,
        fill=spec.fill,
        tape=tape,
        touches=Touches(world=world, venue=venue, tape=tape),
        deciding=Deciding(world=world, market=market, whole=whole),
    )
    engine.run(bots)
    return engine.deciding.counts


def result_of(
    world: World, plan: BudgetPlan, *, bots: Sequence[Bot], counts: Counter[str], market: Market
) -> BudgetResult:
    orders = filled_orders(world.store)
    require_conservation(world.store, orders=orders)
    symbols = tuple(dict.fromkeys(symbol for bot in bots for symbol in bot.symbols))
    held = [slot for slot in world.store.rows(Slot) if slot.state is not SlotState.EMPTY]
    (budget,) = world.store.rows(Budget)
    used = [market.finest(symbol).history for symbol in symbols]
    return BudgetResult(
        name=plan.name,
        bots=tuple(bot.bot_id for bot in bots),
        symbols=symbols,
        start=plan.amount,
        available=budget.available,
        realised=budget.realised,
        trades=closed_positions(orders, still_open={slot.entry_intent_id or "" for slot in held}),
        orders=orders,
        curve=equity_curve(orders, market=market, symbols=symbols, start=plan.amount),
        open_quantity={slot.market_key.partition("|")[2]: slot.quantity for slot in held if slot.quantity},
        decisions=dict(counts + world.workflow.refusals),
        candles=sum(len(history) for history in used),
        gaps={history.symbol: history.gaps() for history in used},
        closes={history.symbol: (float(history.close[0]), float(history.close[-1])) for history in used},
    )


@contextmanager
def no_collection() -> Iterator[None]:
    """No garbage collection: rows are kept to the end anyway, and nothing here is cyclic."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
