"""Parameter sweep: one bot with many parameters over the same candles, on all cores, ranked."""

from __future__ import annotations

import itertools
import json
import math
import multiprocessing
import os
import random
import sys
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from local.backtest.botfile import scalar
from local.backtest.options import make_spec
from local.backtest.run import read_histories, run_budget
from local.backtest.show import statistics
from local.errors import LocalError
from surefill.domain.money import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from local.backtest.history import History
    from local.backtest.options import Asked
    from local.backtest.spec import BacktestSpec

Scalar = str | int | float | bool
RANKS = ("sharpe", "total_return", "sortino", "calmar", "sqn")
_MOST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One combination and what came of it; `problem` when it could not be run."""

    params: dict[str, Scalar]
    figures: dict[str, Any]
    problem: str | None = None


def read_axis(text: str) -> tuple[str, list[Scalar]]:
    """An axis: "rsi_period=10:30:2", "fast=5,8,13" or "slow=26". Raises LocalError."""
    name, sign, values = text.partition("=")
    if not sign or not name or not values:
        raise LocalError(f"--param must look like name=first:last:step or name=a,b,c, was {text!r}")
    if ":" not in values:
        return name, [scalar(value.strip()) for value in values.split(",")]
    try:
        first, last, step = (Decimal(part) for part in (values + ":1").split(":")[:3])
    except (InvalidOperation, ValueError):
        raise LocalError(f"--param {name} must be numbers first:last:step, was {values!r}") from None
    if step <= 0 or last < first or (last - first) / step > _MOST:
        raise LocalError(f"--param {name} must rise in steps above 0, was {values!r}")
    count = int((last - first) / step) + 1
    return name, [scalar(plain(first + step * number)) for number in range(count)]


def combinations(axes: Iterable[tuple[str, list[Scalar]]], *, trials: int | None, seed: int) -> list[dict[str, Scalar]]:
    """All combinations in order, or `trials` different ones drawn from them."""
    known = list(axes)
    names = [name for name, _ in known]
    if len(set(names)) != len(names):
        raise LocalError(f"each --param may be given once, were {', '.join(names)}")
    sizes = [len(values) for _, values in known]
    size = math.prod(sizes)
    if trials is None and size > _MOST:
        raise LocalError(f"{size:,} combinations are too many, expected at most {_MOST:,}: give --trials")
    if trials is None or trials >= size:
        return [dict(zip(names, values, strict=True)) for values in itertools.product(*(item[1] for item in known))]
    drawn = random.Random(seed).sample(range(size), trials)  # noqa: S311 - a search, not a secret
    return [_combination(number, known) for number in sorted(drawn)]


def _combination(number: int, axes: Sequence[tuple[str, list[Scalar]]]) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for name, values in reversed(axes):
        number, place = divmod(number, len(values))
        found[name] = values[place]
    return {name: found[name] for name, _ in axes}


def run_sweep(
    asked: Asked,
    *,
    axes: Sequence[str],
    trials: int | None,
    seed: int,
    by: str,
    top: int,
    processes: int | None,
    as_json: bool,
) -> int:
    """The whole command; its exit code."""
    if by not in RANKS:
        raise LocalError(f"--by must be one of {', '.join(RANKS)}, was {by!r}")
    spec = make_spec(asked)
    if len(spec.bots) != 1:
        raise LocalError(f"a sweep is of one bot, were {len(spec.bots)}")
    chosen = combinations([read_axis(axis) for axis in axes], trials=trials, seed=seed)
    done = sweep(spec, chosen, processes=processes)
    if all(trial.problem for trial in done):
        raise LocalError(f"no combination could be run: {done[0].problem}")
    ranked = sorted(done, key=lambda trial: _rank(trial, by=by), reverse=True)
    if as_json:
        rows = [{"params": trial.params, **trial.figures, "problem": trial.problem} for trial in ranked]
        sys.stdout.write(json.dumps({"by": by, "trials": rows}, indent=2) + "\n")
    else:
        _print(ranked[:top], by=by, count=len(done))
    return 0


def sweep(spec: BacktestSpec, chosen: Sequence[dict[str, Scalar]], *, processes: int | None = None) -> list[Trial]:
    """Run every combination; the candles are read once and handed to each worker.

    Workers are started anew: a fork of a process that has threads may hang.
    """
    histories = read_histories(spec, symbols=spec.bots[0].symbols)
    count = min(len(chosen), processes or os.cpu_count() or 1)
    with multiprocessing.get_context("spawn").Pool(count, initializer=_begin, initargs=(spec, histories)) as pool:
        return list(_tracked(pool.imap(_trial, chosen), total=len(chosen)))


def _tracked(trials: Iterable[Trial], *, total: int) -> Iterable[Trial]:
    from rich.console import Console
    from rich.progress import track

    return track(trials, total=total, description="combinations", console=Console(stderr=True))


_SHARED: dict[str, Any] = {}


def _begin(spec: BacktestSpec, histories: dict[str, History]) -> None:
    _SHARED.update(spec=spec, histories=histories)


def _trial(params: dict[str, Scalar]) -> Trial:
    spec: BacktestSpec = _SHARED["spec"]
    (bot,) = spec.bots
    own = replace(bot, body={**bot.body, "params": {**bot.body["params"], **params}})
    try:
        result = run_budget(replace(spec, bots=(own,)), spec.budgets[0], histories=_SHARED["histories"])
    except LocalError as error:
        return Trial(params=params, figures={}, problem=str(error))
    figures = statistics(result)
    return Trial(
        params=params,
        figures={
            "total_return": figures.total_return,
            "profit": plain(figures.profit),
            "trades": figures.trades,
            "win_rate": figures.win_rate,
            "drawdown": figures.drawdown.share,
            "sharpe": figures.sharpe,
            "sortino": figures.sortino,
            "calmar": figures.calmar,
            "sqn": figures.sqn,
        },
    )


def _rank(trial: Trial, *, by: str) -> float:
    value = trial.figures.get(by)
    return -math.inf if value is None else float(value)


def _print(trials: Sequence[Trial], *, by: str, count: int) -> None:
    from rich.console import Console
    from rich.table import Table

    names = list(trials[0].params)
    table = Table(title=f"best of {count:,} by {by}", box=None, title_justify="left")
    for column in (*names, "return", "trades", "won", "drawdown", "Sharpe", "SQN", "problem"):
        table.add_column(column, justify="right")
    for trial in trials:
        figures = trial.figures
        table.add_row(
            *(str(trial.params[name]) for name in names),
            _shown(figures.get("total_return"), percent=True),
            str(figures.get("trades", "-")),
            _shown(figures.get("win_rate"), percent=True),
            _shown(figures.get("drawdown"), percent=True),
            _shown(figures.get("sharpe")),
            _shown(figures.get("sqn")),
            (trial.problem or "")[:60],
        )
    Console().print(table)


def _shown(value: float | None, *, percent: bool = False) -> str:
    if value is None:
        return "-"
    return f"{value:.2%}" if percent else f"{value:.2f}"
