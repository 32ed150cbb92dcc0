"""How fast a backtest is, against freqtrade and backtesting.py in one run: python -m tests.benchmarks.backtest.

10 pairs of 50,000 five-minute candles, the same rule, 0.1 % fee; whole command against whole command. Every command
runs once before it is measured: its modules are compiled then, and `surefill` keeps the candles it has read in its
cache, as freqtrade's are prepared in its own format. "from CSV" is without that cache. The peers are installed into
build/bench when they are not there.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from local.backtest.candle_files import read_candles
from surefill.domain.times import parse_time, to_milliseconds
from tests.unit.backtest.markets import random_walk, symbol_of, write_csv

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "build" / "bench"
CACHE, EMPTY = FOLDER / "cache", FOLDER / "cache-empty"
FROM_CSV = "surefill, from CSV"
HERE = Path(__file__).resolve().parent
PEERS = {"freqtrade": ["freqtrade==2026.9"], "backtesting": ["backtesting==0.6.6", "TA-Lib==0.8.2"]}
LIMITS = {"freqtrade": 20.0, "backtesting": 3.0}
PAIRS, CANDLES = 10, 50_000
# Prices are traded in steps of 8 decimals here, in floats there.
_FINEST = 1.000001e-8


@dataclass(frozen=True)
class Taken:
    """Seconds of one command, by the wall and of the processor, and what it printed."""

    wall: float
    cpu: float
    output: str


def main() -> int:
    """Measure, print the table, write build/backtest.json; exit 1 when a ratio is below its limit."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--pairs", type=int, default=PAIRS)
    options.add_argument("--candles", type=int, default=CANDLES)
    asked = options.parse_args()
    console = Console(stderr=True)
    for name, packages in PEERS.items():
        install(name, packages, console=console)
    folder = prepare(asked.pairs, asked.candles, console=console)
    commands = {
        "surefill": ours(folder, pairs=asked.pairs, shared=False),
        "surefill, one budget": ours(folder, pairs=asked.pairs, shared=True),
        FROM_CSV: ours(folder, pairs=asked.pairs, shared=False),
        "surefill, protocol engine": [*ours(folder, pairs=asked.pairs, shared=False), "--engine", "protocol"],
        "backtesting": [str(python_of("backtesting")), str(HERE / "backtest_backtesting.py"), str(folder)],
        "freqtrade": [str(python_of("freqtrade")), str(HERE / "backtest_freqtrade.py"), "run", str(folder)],
    }
    same, different = compare(folder, pairs=asked.pairs)
    console.print(f"trades: {same:,} are backtesting.py's too, {different} are not")
    for name, command in commands.items():
        console.print(f"first run, not measured: {name}")
        timed(command)
    taken: dict[str, list[Taken]] = {name: [] for name in commands}
    for number in range(asked.rounds):
        for name, command in commands.items():
            console.print(f"round {number + 1} of {asked.rounds}: {name}")
            taken[name].append(timed(command, cache=EMPTY if name == FROM_CSV else CACHE))
    report = figures(taken, candles=asked.pairs * asked.candles)
    show(report, candles=asked.pairs * asked.candles)
    (REPOSITORY / "build" / "backtest.json").write_text(json.dumps(report, indent=2) + "\n")
    fast = all(report[name]["times_ours"] >= limit for name, limit in LIMITS.items())
    return 0 if fast and same and not different else 1


def install(name: str, packages: list[str], *, console: Console) -> None:
    """An environment of the peer's own under build/bench."""
    if python_of(name).exists():
        return
    console.print(f"installing {', '.join(packages)} into build/bench/{name}")
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(FOLDER / name)], check=True)
    subprocess.run([*uv, "pip", "install", "--python", str(python_of(name)), *packages], check=True)


def python_of(name: str) -> Path:
    """The peer's interpreter."""
    return FOLDER / name / "bin" / "python"


def prepare(pairs: int, candles: int, *, console: Console) -> Path:
    """The market in everybody's format; made once."""
    folder = FOLDER / f"market-{pairs}x{candles}"
    if not (folder / "binance").exists():
        console.print(f"making {pairs} x {candles:,} candles")
        folder.mkdir(parents=True, exist_ok=True)
        walk = random_walk(pairs=pairs, candles=candles)
        columns = {name: getattr(walk, name) for name in ("opened_ms", "open", "high", "low", "close", "volume")}
        np.savez(folder / "market.npz", **columns)
        for pair in range(pairs):
            write_csv(folder / f"{pair:02d}.csv", walk.history(pair))
            body = {**_BOT, "name": f"c{pair:02d}", "symbols": [symbol_of(pair)], "budget": {"amount": "1000"}}
            (folder / f"{pair:02d}.json").write_text(json.dumps(body))
        together = {**_BOT, "name": "all", "symbols": [symbol_of(pair) for pair in range(pairs)]}
        (folder / "all.json").write_text(json.dumps({**together, "budget_percent": "1", "budget": {"amount": "10000"}}))
        prepared = [str(python_of("freqtrade")), str(HERE / "backtest_freqtrade.py"), "prepare", str(folder)]
        subprocess.run(prepared, check=True)
    for pair in range(pairs):
        read_candles(folder / f"{pair:02d}.csv", symbol=symbol_of(pair))
    return folder


_BOT = {
    "strategy": "rsi_macd", "timeframe": "5m", "interval_seconds": 300, "budget_percent": "10",
    "take_profit_percent": "1000", "stop_loss_percent": "99", "slippage_percent": "0", "confirmation_seconds": 0,
    "cooldown_seconds": 0,
}  # fmt: skip


def ours(folder: Path, *, pairs: int, shared: bool) -> list[str]:
    """`surefill backtest` with a budget for each pair, or one for all."""
    bots = ["all"] if shared else [f"{pair:02d}" for pair in range(pairs)]
    command = [sys.executable, "-m", "local.backtest"]
    for bot in bots:
        command += ["--bot", str(folder / f"{bot}.json")]
    for pair in range(pairs):
        command += ["--candles", str(folder / f"{pair:02d}.csv"), "--symbol", symbol_of(pair)]
    return command


def compare(folder: Path, *, pairs: int) -> tuple[int, int]:
    """How many trades are those of backtesting.py (candles and prices of entry and exit), and how many are not.

    Compared from the first entry that both have: our strategy waits until its averages have forgotten where they began,
    theirs begins with the first value. What is open at the end is no trade here; there it is closed by force.
    """
    command = [str(python_of("backtesting")), str(HERE / "backtest_backtesting.py"), str(folder), "trades"]
    theirs: list[list[list[float]]] = json.loads(timed(command).output)
    stored = np.load(folder / "market.npz")
    opened = {int(moment): place for place, moment in enumerate(stored["opened_ms"])}
    shown = json.loads(timed([*ours(folder, pairs=pairs, shared=False), "--json"]).output)
    same = different = 0
    for expected, result in zip(theirs, shown["results"], strict=True):
        own = [
            [
                opened[_ms(trade["opened_at"])],
                opened[_ms(trade["closed_at"])],
                trade["entry_price"],
                trade["exit_price"],
            ]
            for trade in result["trades"]
        ]
        last = len(stored["opened_ms"]) - 1
        first = max(own[0][0], min(row[0] for row in expected if row[0] >= own[0][0]))
        left = [row for row in own if row[0] >= first]
        right = [row for row in expected if row[0] >= first and row[1] < last]
        left = [row for row in left if row[1] < last]
        equal = sum(_is_same(one, other) for one, other in zip(left, right, strict=False))
        same, different = same + equal, different + max(len(left), len(right)) - equal
    return same, different


def _is_same(one: list[float], other: list[float]) -> bool:
    """The same candles, and prices that differ by the rounding to 8 decimals at most."""
    prices = zip(one[2:], other[2:], strict=True)
    return one[:2] == other[:2] and all(abs(left - right) <= _FINEST for left, right in prices)


def _ms(text: str) -> int:
    return to_milliseconds(parse_time(text))


def timed(command: list[str], *, cache: Path = CACHE) -> Taken:
    """Run a command to its end, with compiled modules and the user's cache in folders of the benchmark's own."""
    shutil.rmtree(EMPTY, ignore_errors=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPYCACHEPREFIX": str(FOLDER / "pycache"), "XDG_CACHE_HOME": str(cache)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{command[:4]} failed: {done.stderr[-2_000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(wall, cpu, done.stdout)


def figures(taken: dict[str, list[Taken]], *, candles: int) -> dict[str, dict[str, float]]:
    """Medians, and ratios pair by pair, so that a machine that changes speed between rounds does not decide."""
    own = taken["surefill"]
    return {
        name: {
            "seconds": statistics.median(run.wall for run in runs),
            "cpu_seconds": statistics.median(run.cpu for run in runs),
            "candles_per_second": candles / statistics.median(run.wall for run in runs),
            "times_ours": statistics.median(run.wall / mine.wall for run, mine in zip(runs, own, strict=True)),
            "times_ours_cpu": statistics.median(run.cpu / mine.cpu for run, mine in zip(runs, own, strict=True)),
        }
        for name, runs in taken.items()
    }


def show(report: dict[str, dict[str, float]], *, candles: int) -> None:
    """The table."""
    table = Table(title=f"{candles:,} candles, whole command")
    for column in ("", "seconds", "cpu seconds", "candles/s", "times ours", "of cpu", "wanted"):
        table.add_column(column, justify="right" if column else "left")
    for name, row in report.items():
        limit = LIMITS.get(name)
        table.add_row(
            name, f"{row['seconds']:.2f}", f"{row['cpu_seconds']:.2f}", f"{row['candles_per_second']:,.0f}",
            f"{row['times_ours']:.2f}", f"{row['times_ours_cpu']:.2f}", f">= {limit:.0f}" if limit else "",
        )  # fmt: skip
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
