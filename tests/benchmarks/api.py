"""`python -m tests.benchmarks.api`: how long the control API takes with many bots and decisions in the tables.

Measured from outside, through everything that is deployed: a signed HTTP request to the local AWS's API Gateway, the
function `bot_api` behind it, and its tables; and `surefill why` as a command of its own.
"""

import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

from local.client.api import ApiClient
from local.client.target import LOCAL, Where, find_target
from local.stage.environment import tool_environment
from local.stage.isolated import isolated_plan
from local.stage.progress import Progress, step
from local.stage.stage import LocalStage
from local.view import PlainView
from tests.benchmarks.api_world import Filled, fill, market_arguments

LIMIT_MS = 150.0
WHY_LIMIT_MS = 2_000.0
_REPOSITORY = Path(__file__).resolve().parents[2]
_REPORT = _REPOSITORY / "build" / "api.json"
_QUIET_SECONDS = 60
# Not GET /health: on this path the local AWS answers for itself. The detailed one is made of the same.
ROUTES = (
    "/health/detailed", "/schedules", "/strategies", "/strategies/composite", "/accounts", "/accounts/{account}",
    "/accounts/{account}/trades", "/accounts/{account}/statistics", "/budgets", "/budgets/{budget}",
    "/budgets/{budget}/ledger", "/budgets/{budget}/statistics", "/bots", "/bots/{bot}", "/bots/{bot}/decisions",
    "/bots/{bot}/risk-events", "/bots/{bot}/exit-events", "/bots/{bot}/orders", "/bots/{bot}/fills",
    "/bots/{bot}/positions/closed", "/bots/{bot}/why", "/bots/{bot}/readiness", "/bots/{bot}/statistics", "/positions",
    "/reservations", "/panic",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds per thing that was done, in the order it was done."""

    taken: dict[str, list[float]] = field(default_factory=dict)

    def measure(self, name: str, act: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Do it once; its answer."""
        began = perf_counter()
        answer = act(*given, **named)
        self.taken.setdefault(name, []).append((perf_counter() - began) * 1_000)
        return answer

    def figures(self) -> dict[str, dict[str, float]]:
        """Median and p95 of each."""
        return {
            name: {"p50_ms": round(statistics.median(taken), 1), "p95_ms": round(p95(taken), 1)}
            for name, taken in self.taken.items()
        }


def p95(taken: Sequence[float]) -> float:
    """The smallest of the figures that 95 in 100 of them do not go over."""
    return sorted(taken)[math.ceil(len(taken) * 0.95) - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Asks a filled stage. Bots are drawn from a seed; every second one holds a position."""

    stage: LocalStage
    filled: Filled
    progress: Progress
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def routes(self, *, calls: int) -> Times:
        """Every route of ROUTES, one request after the other."""
        times = Times()
        for route in ROUTES:
            drawn = self._bots()
            self._get(route, bot=next(drawn))  # what is loaded at the first use is not a route's time
            for _ in range(calls):
                times.measure(route, self._get, route, bot=next(drawn))
            self.progress.say(f"  {route}: p95 {p95(times.taken[route]):.0f} ms")
        return times

    def switches(self, *, calls: int) -> Times:
        """Pausing and starting a bot. Between two of them the stage does what the start has asked of it."""
        warming, times = Times(), Times()
        for into, bot in zip((warming, *[times] * calls), self._bots(), strict=False):
            for verb in ("pause", "start"):
                into.measure(f"POST /bots/{{bot}}/{verb}", self._post, "bots", bot, verb)
            self.stage.wait_until_quiet(timeout_seconds=_QUIET_SECONDS)
        return times

    def why_command(self, *, runs: int) -> Times:
        """`surefill why BOT SYMBOL`, each time in a process of its own."""
        program = str(Path(sys.executable).with_name("surefill"))
        environment = {**tool_environment(), "SUREFILL_FOLDER": str(self.stage.plan.folder)}
        times = Times()
        for bot, _ in zip(self._bots(), range(runs), strict=False):
            command = [program, "why", bot, self.filled.symbols[bot], "--stage", LOCAL]
            done = times.measure(
                "surefill why", subprocess.run, command, env=environment, capture_output=True, check=True
            )
            if bot.encode() not in done.stdout:
                raise RuntimeError(f"surefill why {bot} must tell of the bot, told {done.stdout[:300]!r}")
        return times

    def panics(self, *, presses: int) -> Times:
        """NO_NEW for the account and for everything, and off again."""
        times = Times()
        for scope, target in (("account", self.filled.account), ("all", None)):
            for _ in range(presses):
                body = {"kind": "NO_NEW", "scope": scope, **({"target": target} if target else {})}
                stop = times.measure(f"NO_NEW {scope}", self._post, "panic", body=body)
                self._require_entries(allowed=False)
                times.measure(f"NO_NEW {scope}, off", self._post, "resume", body={"stop_id": stop["stop_id"]})
                self._require_entries(allowed=True)
        return times

    def _bots(self) -> Iterator[str]:
        """Names without end, holders and others in turn."""
        others = sorted(self.filled.symbols.keys() - set(self.filled.holders))
        while True:
            yield self.chance.choice(self.filled.holders)
            yield self.chance.choice(others)

    def _get(self, route: str, *, bot: str) -> None:
        budget = self.chance.choice(self.filled.budgets)
        path = route.format(bot=bot, account=self.filled.account, budget=budget)
        self.stage.api.get(*path.strip("/").split("/"))

    def _post(self, *path: str, body: dict[str, Any] | None = None) -> Any:
        """As the command line sends a change: over a connection of its own, with a key that counts it once."""
        client = ApiClient(find_target(Where(stage=LOCAL, folder=self.stage.plan.folder)))
        try:
            return client.post(*path, body=body)
        finally:
            client.close()

    def _require_entries(self, *, allowed: bool) -> None:
        budgets = [self.filled.budgets[0], self.filled.budgets[-1]]
        found = [self.stage.api.get("budgets", budget)["entries_allowed"] for budget in budgets]
        if found != [allowed, allowed]:
            raise RuntimeError(f"entries of budgets {budgets} must be {'on' if allowed else 'off'}, were {found}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy, fill, measure, print; exit code 1 when a route or the command takes longer than its limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.api", description=__doc__)
    parser.add_argument("--bots", type=int, default=1_000)
    parser.add_argument("--decisions", type=int, default=100_000)
    parser.add_argument("--budgets", type=int, default=10, help="the bots share them evenly")
    parser.add_argument("--calls", type=int, default=40, help="per route")
    parser.add_argument("--why", type=int, default=10, help="runs of the command")
    parser.add_argument("--panics", type=int, default=3, help="per scope")
    asked = parser.parse_args(arguments)
    progress = PlainView()
    with tempfile.TemporaryDirectory(prefix="surefill-api-") as folder:
        # The ports of the system tests: what was synthesised for them is used again.
        plan = isolated_plan(_REPOSITORY, kind="system", exchange_arguments=market_arguments(Path(folder)))
        with LocalStage(plan, progress=progress) as stage:
            filled = fill(stage, bots=asked.bots, decisions=asked.decisions, budgets=asked.budgets, progress=progress)
            told = _measured(Asker(stage=stage, filled=filled, progress=progress), asked)
    _REPORT.parent.mkdir(exist_ok=True)
    _REPORT.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    _print(told)
    return int(bool(_too_slow(told)))


def _measured(asker: Asker, asked: argparse.Namespace) -> dict[str, Any]:
    load = os.getloadavg()[0]
    with step(asker.progress, f"{len(ROUTES)} routes, {asked.calls} calls each"):
        routes = asker.routes(calls=asked.calls).figures()
    with step(asker.progress, f"pause and start, {asked.calls} times"):
        switches = asker.switches(calls=asked.calls).figures()
    with step(asker.progress, f"surefill why, {asked.why} times"):
        why = asker.why_command(runs=asked.why).figures()
    with step(asker.progress, f"kill switch, {asked.panics} times per scope"):
        panics = asker.panics(presses=asked.panics).figures()
    return {
        "bots": asked.bots,
        "decisions": asked.decisions,
        "budgets": asked.budgets,
        "limit_ms": LIMIT_MS,
        "why_limit_ms": WHY_LIMIT_MS,
        "load_before": round(load, 2),
        "load_after": round(os.getloadavg()[0], 2),
        "routes": {**routes, **switches},
        "why_command_ms": why["surefill why"],
        "panic_ms": panics,
    }


def _too_slow(told: dict[str, Any]) -> list[str]:
    slow = [name for name, figures in told["routes"].items() if figures["p95_ms"] > LIMIT_MS]
    return slow + (["surefill why"] if told["why_command_ms"]["p95_ms"] > WHY_LIMIT_MS else [])


def _print(told: dict[str, Any]) -> None:
    title = (
        f"{told['bots']:,} bots, {told['decisions']:,} decisions, load {told['load_before']} to {told['load_after']}"
    )
    table = Table(title=title)
    for column in ("", "p50 ms", "p95 ms"):
        table.add_column(column, justify="right" if column else "left")
    slow = _too_slow(told)
    for name, figures in {**told["routes"], "surefill why": told["why_command_ms"], **told["panic_ms"]}.items():
        mark = " !" if name in slow else ""
        table.add_row(name, f"{figures['p50_ms']:.0f}", f"{figures['p95_ms']:.0f}{mark}")
    Console().print(table)


if __name__ == "__main__":
    raise SystemExit(main())
