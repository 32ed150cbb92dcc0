"""Run a backtest: read candles, run every budget's bots on an engine that can. Budgets run side by side."""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from local.backtest.candle_files import read_candles
from local.backtest.clock import SetClock
from local.backtest.direct.ability import BeyondDirectError
from local.backtest.direct.run import run_direct
from local.backtest.history import between
from local.backtest.market import Market
from local.backtest.outcome import BudgetResult
from local.backtest.setting_up import set_up
from local.backtest.spec import BacktestSpec, BudgetPlan, EngineKind
from local.errors import LocalError
from surefill.adapters.memory import MemoryStore
from surefill.domain.rows import Budget
from surefill.domain.times import from_milliseconds
from surefill.strategies import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from local.backtest.history import History
    from surefill.domain.rows import Bot


# From so many candles on, processes of their own pay for budgets on the direct engine.
_MANY_CANDLES = 5_000_000
AnyResult = TypeVar("AnyResult")


def _as_it_is(bot: Bot) -> Bot:
    return bot


def run(spec: BacktestSpec, *, processes: int | None = None) -> list[BudgetResult]:
    """Run every budget, in the order of the spec. `processes` at most; None: where more than one pay.

    Raises LocalError for input that can't be run, MoneyError when money was lost or made.
    """
    histories = read_histories(spec, symbols=tuple(spec.files))
    done: dict[str, BudgetResult] = {}
    if spec.engine is not EngineKind.PROTOCOL:
        many = sum(len(history) for history in histories.values()) >= _MANY_CANDLES
        count = processes or (os.cpu_count() or 1 if many else 1)
        found = _shared(partial(_direct, spec, histories=histories, changed=_as_it_is), spec.budgets, count=count)
        done = {result.name: result for result in found if isinstance(result, BudgetResult)}
    rest = [plan for plan in spec.budgets if plan.name not in done]
    run_rest = partial(_protocol, spec, histories=histories, changed=_as_it_is, whole=False)
    done |= {result.name: result for result in _shared(run_rest, rest, count=processes or os.cpu_count() or 1)}
    return [done[plan.name] for plan in spec.budgets]


def _shared(work: Callable[[BudgetPlan], AnyResult], plans: Sequence[BudgetPlan], *, count: int) -> list[AnyResult]:
    """The results of all plans, from so many processes at most. They share by fork what was read."""
    if min(count, len(plans)) < 2:
        return [work(plan) for plan in plans]
    import multiprocessing

    _WORK.append(work)
    try:
        with multiprocessing.get_context("fork").Pool(min(count, len(plans))) as pool:
            return pool.map(_work, plans, chunksize=1)
    finally:
        _WORK.pop()


# What the processes of a pool are forked to do.
_WORK: list[Callable[[BudgetPlan], Any]] = []


def _work(plan: BudgetPlan) -> Any:
    return _WORK[-1](plan)


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


def run_budget(
    spec: BacktestSpec,
    plan: BudgetPlan,
    *,
    histories: dict[str, History],
    changed: Callable[[Bot], Bot] = _as_it_is,
    whole: bool = False,
) -> BudgetResult:
    """Run the bots of one budget over these candles. `changed` is done to each bot first; `whole` as in `Deciding`.

    Raises LocalError when the engine asked for can't run them.
    """
    if spec.engine is not EngineKind.PROTOCOL and not whole:
        result = _direct(spec, plan, histories=histories, changed=changed)
        if result is not None:
            return result
    return _protocol(spec, plan, histories=histories, changed=changed, whole=whole)


def _direct(
    spec: BacktestSpec, plan: BudgetPlan, *, histories: dict[str, History], changed: Callable[[Bot], Bot]
) -> BudgetResult | None:
    """The result on the direct engine; None when that can't do it, and need not."""
    with no_collection():
        try:
            store = MemoryStore()
            bots = [changed(bot) for bot in set_up(store, spec, budgets=[plan], clock=_clock(histories))]
            (budget,) = store.rows(Budget)
            market, strategies = Market(histories=histories), spec.strategies or STRATEGIES
            return run_direct(spec, plan, budget=budget, bots=bots, market=market, strategies=strategies)
        except BeyondDirectError as beyond:
            if spec.engine is EngineKind.DIRECT:
                raise LocalError(f"--engine direct can't run this: {beyond}; use --engine auto") from None
            return None


def _protocol(
    spec: BacktestSpec,
    plan: BudgetPlan,
    *,
    histories: dict[str, History],
    changed: Callable[[Bot], Bot],
    whole: bool,
) -> BudgetResult:
    from local.backtest.protocol import run_protocol  # brings the use cases, which the direct engine does without

    with no_collection():
        return run_protocol(
            spec,
            plan,
            market=Market(histories=histories),
            clock=_clock(histories),
            strategies=spec.strategies or STRATEGIES,
            changed=changed,
            whole=whole,
        )


def _clock(histories: dict[str, History]) -> SetClock:
    return SetClock(current=from_milliseconds(min(int(item.opened_ms[0]) for item in histories.values())))


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
