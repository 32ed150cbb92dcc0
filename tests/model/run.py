"""Run the models of a size, on all processors, and say what they showed."""

import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.table import Table

from tests.model.checker import ModelResult, check
from tests.model.scenarios import scenarios

# States per model of a soak: about a gigabyte each.
SOAK_LIMIT = 6_000_000
_REPORT = Path(__file__).resolve().parents[2] / "build" / "model.json"


def _run(size: str, index: int) -> ModelResult:
    limit = SOAK_LIMIT if size == "soak" else 5_000_000
    return check(scenarios(size)[index], limit=limit)


def run_all(size: str = "commit", *, workers: int | None = None) -> list[ModelResult]:
    """Check every model of a size ("commit" or "soak"), the slowest first, each in a process of its own."""
    count = len(scenarios(size))
    workers = workers or min(2, os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(_run, [size] * count, range(count)))


def summary(results: Sequence[ModelResult], *, seconds: float) -> dict[str, object]:
    """The figures of a run, as `build/model.json` keeps them."""
    return {
        "model_states": sum(result.states for result in results),
        "model_transitions": sum(result.transitions for result in results),
        "model_crash_points": sum(result.crash_points for result in results),
        "model_violations": sum(result.violations for result in results),
        "worst_sweeps_to_settle": max((result.worst_sweeps for result in results), default=0),
        "seconds": round(seconds, 1),
        "models": [asdict(result) for result in results],
    }


def table(results: Sequence[ModelResult], *, seconds: float) -> Table:
    """The results for people."""
    made = Table(title=f"Models, {seconds:.0f} s")
    made.add_column("model")
    for name in (
        "states",
        "transitions",
        "crash points",
        "quiet states",
        "sweeps",
        "seconds",
        "complete",
        "violations",
    ):
        made.add_column(name, justify="right")
    for one in results:
        numbers = (one.states, one.transitions, one.crash_points, one.quiet_states, one.worst_sweeps)
        shown = (*(f"{number:,}" for number in numbers), f"{one.seconds:.1f}", "yes" if one.complete else "no")
        made.add_row(one.name, *shown, str(one.violations))
    totals = (sum(one.states for one in results), sum(one.transitions for one in results))
    made.add_row(
        "all", *(f"{number:,}" for number in totals), "", "", "", "", "", str(sum(r.violations for r in results))
    )
    return made


def main(arguments: Sequence[str]) -> int:
    """Command line: `python -m tests.model [--soak]`; exit code 1 when a law was broken."""
    began = perf_counter()
    results = run_all("soak" if "--soak" in arguments else "commit")
    seconds = perf_counter() - began
    console = Console(width=150)
    console.print(table(results, seconds=seconds))
    for result in results:
        if result.violation is not None:
            console.print(f"\n{result.name}: {result.violation}", markup=False, highlight=False)
    _REPORT.parent.mkdir(exist_ok=True)
    _REPORT.write_text(json.dumps(summary(results, seconds=seconds), indent=2, default=str) + "\n", encoding="utf-8")
    return int(any(result.violations for result in results))
