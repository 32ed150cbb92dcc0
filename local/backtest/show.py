"""Run what was asked for, and show it: tables, JSON, an HTML report."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

from local.backtest.figures import as_json, facts, part_rows
from local.backtest.options import make_spec
from local.backtest.run import no_collection, read_histories, run
from local.backtest.spec import FillModel
from local.backtest.statistics import statistics_of
from local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from local.backtest.options import Asked
    from local.backtest.outcome import BudgetResult
    from local.backtest.spec import BacktestSpec
    from local.backtest.statistics import Statistics


_FILLS = {
    FillModel.CLOSE: "the close of the candle decided on",
    FillModel.NEXT_OPEN: "the open of the next candle",
    FillModel.TICKS: "the prices of the minute, as in a replay",
}


def run_and_show(asked: Asked, *, as_json: bool, report_file: Path | None, processes: int | None) -> int:
    """The whole command; its exit code."""
    started = time.perf_counter()
    spec = make_spec(asked)
    with no_collection():
        results = run(spec, processes=processes)
    seconds = time.perf_counter() - started
    figures = {result.name: statistics(result) for result in results}
    if report_file is not None:
        _write_report(report_file, spec=spec, results=results, figures=figures)
    if as_json:
        sys.stdout.write(json.dumps(document(spec, results, figures, seconds=seconds), indent=2) + "\n")
    else:
        _print(spec, results, figures, seconds=seconds)
    return 0


def statistics(result: BudgetResult) -> Statistics:
    """Figures of one budget."""
    return statistics_of(trades=result.trades, curve=result.curve, start=result.start, closes=result.closes)


def document(
    spec: BacktestSpec, results: Sequence[BudgetResult], figures: Mapping[str, Statistics], *, seconds: float
) -> dict[str, Any]:
    """Everything as JSON values."""
    candles = sum(result.candles for result in results)
    return {
        "settings": settings(spec, results),
        "candles": candles,
        "seconds": round(seconds, 3),
        "candles_per_second": round(candles / seconds),
        "results": [as_json(result, figures[result.name]) for result in results],
    }


def settings(spec: BacktestSpec, results: Sequence[BudgetResult]) -> dict[str, str]:
    """What was run, in words."""
    costs = spec.costs
    return {
        "orders fill at": _FILLS[spec.fill],
        "fee": f"{costs.fee * 100:f} % of what is received",
        "slippage": f"{costs.slippage_percent:f} %",
        "one order fills": "any amount" if costs.volume_share is None else f"{costs.volume_share} of a candle's volume",
        "trading rules": "given" if spec.rules else "none (steps of 8 decimals, no minimum)",
        "within a candle": "open, low, high, close: stops before profits",
        "engine": _engines(results),
    }


def _engines(results: Sequence[BudgetResult]) -> str:
    return ", ".join(sorted({str(result.engine) for result in results}))


def _write_report(
    path: Path, *, spec: BacktestSpec, results: Sequence[BudgetResult], figures: Mapping[str, Statistics]
) -> None:
    from local.backtest.report import report

    symbols = tuple(dict.fromkeys(symbol for result in results for symbol in result.symbols))
    page = report(
        results,
        statistics=figures,
        histories=read_histories(spec, symbols=symbols),
        title="Backtest of " + ", ".join(bot.name for bot in spec.bots),
        settings=settings(spec, results),
    )
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise LocalError(f"--report {path}: can't be written: {error.strerror}") from None


def _print(
    spec: BacktestSpec, results: Sequence[BudgetResult], figures: Mapping[str, Statistics], *, seconds: float
) -> None:
    columns = {result.name: dict(facts(figures[result.name])) for result in results}
    names = next(iter(columns.values()))
    rows = [["", *columns], *([fact, *(values[fact] for values in columns.values())] for fact in names)]
    lines = ["Backtest", *aligned(rows)]
    for result in results:
        parts = [["reason", "trades", "won", "profit", "mean"], *part_rows(figures[result.name].by_reason)]
        lines += ["", f"{result.name}: by exit", *aligned(parts), *_rest(result)]
    candles = sum(result.candles for result in results)
    lines.append(
        f"{candles:,} candles in {seconds:.2f} s ({candles / seconds:,.0f} per s), engine: {_engines(results)}"
    )
    sys.stdout.write("\n".join(lines) + "\n")


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _rest(result: BudgetResult) -> list[str]:
    decided = ", ".join(f"{name} {count}" for name, count in sorted(result.decisions.items()))
    lines = [f"  decisions: {decided or 'none'}"]
    lines += [f"  still open: {quantity.normalize():f} {symbol}" for symbol, quantity in result.open_quantity.items()]
    lines += [
        f"  {symbol}: {gaps.missing} candles missing in {gaps.count} gaps, the longest {gaps.longest},"
        f" the first from {gaps.first_from:%Y-%m-%d %H:%M}"
        for symbol, gaps in result.gaps.items()
        if gaps.count and gaps.first_from is not None
    ]
    return lines
