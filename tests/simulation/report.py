"""Many seeds at once, what they add up to, and how it is shown."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from tests.simulation.run import MINUTES, Verdict, run_seed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import Console

BUILD = Path(__file__).parents[2] / "build"
_YEAR_SECONDS = 365 * 86_400
# One seed in so many is run twice: the second run must leave the same trace.
TWICE = 100


@dataclass(slots=True)
class Tally:
    """What some seeds add up to."""

    seeds: int = 0
    twice: int = 0
    steps: int = 0
    invocations: int = 0
    executions: int = 0
    orders: int = 0
    bot_seconds: float = 0.0
    seconds: float = 0.0
    failures: dict[int, list[str]] = field(default_factory=dict)
    settled_after: list[float] = field(default_factory=list)
    unprotected: list[float] = field(default_factory=list)
    unprotected_calm: list[float] = field(default_factory=list)
    fired: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    heard: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """Take in a seed."""
        self.seeds += 1
        self.steps += verdict.steps
        self.invocations += verdict.invocations
        self.executions += verdict.executions
        self.orders += verdict.orders
        self.bot_seconds += verdict.bot_seconds
        self.settled_after += verdict.settled_after
        self.unprotected += verdict.unprotected
        self.unprotected_calm += verdict.unprotected_calm
        self.fired += verdict.fired
        self.outcomes += verdict.outcomes
        self.heard += verdict.heard
        self.twice += verdict.twice
        if verdict.violations:
            self.failures[verdict.seed] = verdict.violations

    @property
    def bot_years(self) -> float:
        """Simulated time summed over bots."""
        return self.bot_seconds / _YEAR_SECONDS

    def figures(self) -> Mapping[str, Any]:
        """As written to build/simulation.json."""
        return {
            "sim_steps": self.steps,
            "sim_seeds": self.seeds,
            "sim_violations": sum(map(len, self.failures.values())),
            "sim_failing_seeds": sorted(self.failures),
            "seeds_run_twice": self.twice,
            "bot_years": round(self.bot_years, 3),
            "invocations": self.invocations,
            "executions": self.executions,
            "venue_orders": self.orders,
            "settled_after_seconds": spread(self.settled_after),
            "settled_after_ticks": spread([-(-seconds // 60) for seconds in self.settled_after]),
            "unprotected_seconds": spread(self.unprotected),
            "unprotected_seconds_after_faults_stop": spread(self.unprotected_calm),
            "faults_fired": dict(sorted(self.fired.items())),
            "outcomes": dict(sorted(self.outcomes.items())),
            "steps_per_second": round(self.steps / self.seconds) if self.seconds else 0,
            "seconds": round(self.seconds, 1),
        }


def spread(values: Sequence[float]) -> Mapping[str, float]:
    """How many, the middle, the 99th of a hundred, and the worst."""
    ordered = sorted(values)
    if not ordered:
        return {"count": 0, "p50": 0.0, "p99": 0.0, "worst": 0.0}
    return {
        "count": len(ordered),
        "p50": ordered[len(ordered) // 2],
        "p99": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
        "worst": ordered[-1],
    }


def judged(seed: int) -> Verdict:
    """Run a seed; every hundredth twice, and the two must be the same to the last step."""
    verdict = run_seed(seed)
    if seed % TWICE == 0:
        again = run_seed(seed)
        verdict.twice = 1
        if again.trace_hash != verdict.trace_hash:
            verdict.violations.append(f"I17 two runs left the traces {verdict.trace_hash} and {again.trace_hash}")
    return verdict


def verdicts(seeds: Iterable[int], *, processes: int) -> Iterator[Verdict]:
    """Run seeds on several processes; in no particular order."""
    if processes == 1:
        yield from map(judged, seeds)
        return
    with get_context("fork").Pool(processes) as pool:
        yield from pool.imap_unordered(judged, seeds, chunksize=8)


def simulate(seeds: Sequence[int], *, processes: int = 2) -> Tally:
    """Run all seeds and add them up."""
    began = time.perf_counter()
    tally = Tally()
    for verdict in verdicts(seeds, processes=processes):
        tally.add(verdict)
    tally.seconds = time.perf_counter() - began
    return tally


def write(tally: Tally) -> Path:
    """Write the figures for the proof's report."""
    BUILD.mkdir(exist_ok=True)
    target = BUILD / "simulation.json"
    target.write_text(json.dumps(tally.figures(), indent=2) + "\n")
    return target


def show(tally: Tally, console: Console) -> None:
    """The figures as a table, the faults that fired, and how to see each failure again."""
    figures = tally.figures()
    table = Table(title=f"Simulation of {tally.seeds} seeds, {MINUTES} bad minutes each", show_header=False)
    for name in ("sim_steps", "sim_violations", "bot_years", "invocations", "executions", "venue_orders"):
        table.add_row(name.replace("sim_", "").replace("_", " "), f"{figures[name]:,}")
    for name in ("settled_after_seconds", "unprotected_seconds", "unprotected_seconds_after_faults_stop"):
        numbers = figures[name]
        table.add_row(
            name.replace("_", " "), f"p50 {numbers['p50']:.1f}, p99 {numbers['p99']:.1f}, worst {numbers['worst']:.1f}"
        )
    table.add_row("steps per second", f"{figures['steps_per_second']:,}")
    table.add_row("seconds", f"{figures['seconds']}")
    console.print(table)
    faults = ", ".join(f"{name} {count:,}" for name, count in sorted(tally.fired.items()))
    console.print(f"Faults fired: {faults}", markup=False)
    for seed, texts in sorted(tally.failures.items())[:20]:
        console.print(f"[red]seed {seed}[/]: {texts[0]}" + (f" (and {len(texts) - 1} more)" if texts[1:] else ""))
        console.print(f"  python -m tests.simulation --seed {seed} --trace")
