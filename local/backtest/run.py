"""Run a backtest: read candles, run every budget's bots on an engine that can. Budgets run side by side."""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local.backtest.candle_files import read_candles
from local.backtest.clock import SetClock
from local.backtest.direct.ability import BeyondDirectError
from local.backtest.direct.run import run_direct
from local.backtest.history import between
from local.backtest.market import Market
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
    from local.backtest.outcome import BudgetResult
    from surefill.domain.rows import Bot


def _as_it_is(bot: Bot) -> Bot:
    return bot


def run(spec: BacktestSpec, *, processes: int | None = None) -> list[BudgetResult]:
    """Run every budget. Raises LocalError for input that can't be run, MoneyError when money was lost or made."""
    count = min(len(spec.budgets), processes or os.cpu_count() or 1)
    if count < 2:
        histories = read_histories(spec, symbols=tuple(spec.files))
        return [run_budget(spec, plan, histories=histories) for plan in spec.budgets]
    shares = [spec.budgets[number::count] for number in range(count)]
    import multiprocessing

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
    market = Market(histories=histories)
    clock = SetClock(current=from_milliseconds(min(int(item.opened_ms[0]) for item in histories.values())))
    strategies = spec.strategies or STRATEGIES
    with no_collection():
        if spec.engine is not EngineKind.PROTOCOL and not whole:
            try:
                store = MemoryStore()
                bots = [changed(bot) for bot in set_up(store, spec, budgets=[plan], clock=clock)]
                (budget,) = store.rows(Budget)
                return run_direct(spec, plan, budget=budget, bots=bots, market=market, strategies=strategies)
            except BeyondDirectError as beyond:
                if spec.engine is EngineKind.DIRECT:
                    raise LocalError(f"--engine direct can't run this: {beyond}; use --engine auto") from None
        from local.backtest.protocol import run_protocol  # brings the use cases, which the direct engine does without

        return run_protocol(spec, plan, market=market, clock=clock, strategies=strategies, changed=changed, whole=whole)


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
