"""`make imports`: how long each function takes to start, against the obvious stack, in alternating rounds."""

import json
import statistics
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.benchmarks.starts import ALL, REPOSITORY, Start, start_function, start_obvious, talks_to_a_venue

ROUNDS = 7
LIMITS = {False: 0.40, True: 0.50}


def main() -> int:
    """Measure, print the table, write build/imports.json; exit 1 when a function is above its limit."""
    obvious: list[Start] = []
    starts: dict[str, list[Start]] = {function.name: [] for function in ALL}
    start_obvious()
    for function in ALL:
        start_function(function)
    for _ in track(range(ROUNDS), description="rounds", console=Console(stderr=True)):
        obvious.append(start_obvious())
        for function in ALL:
            starts[function.name].append(start_function(function))
    base = statistics.median(start.ms for start in obvious)
    table = Table(title=f"Start of each function, median of {ROUNDS} rounds (obvious stack {base:.0f} ms)")
    for column in ("function", "ms", "ratio", "limit", "modules", "RSS MiB"):
        table.add_column(column, justify="left" if column == "function" else "right")
    report: dict[str, dict[str, float]] = {}
    failed = False
    for function in ALL:
        # Pair by pair, so that a machine that changes speed between rounds does not decide.
        ratio = statistics.median(own.ms / other.ms for own, other in zip(starts[function.name], obvious, strict=True))
        limit = LIMITS[talks_to_a_venue(function)]
        failed |= ratio > limit
        last = starts[function.name][-1]
        ms = statistics.median(start.ms for start in starts[function.name])
        table.add_row(
            function.name, f"{ms:.0f}", f"{ratio:.2f}{' !' if ratio > limit else ''}", f"{limit:.2f}",
            str(last.modules), f"{last.rss_mib:.0f}",
        )  # fmt: skip
        report[function.name] = {"ms": ms, "ratio": ratio, "limit": limit, "modules": last.modules}
    last = obvious[-1]
    table.add_row("the obvious stack", f"{base:.0f}", "1.00", "", str(last.modules), f"{last.rss_mib:.0f}")
    Console().print(table)
    _write(REPOSITORY / "build" / "imports.json", report)
    return 1 if failed else 0


def _write(path: Path, report: dict[str, dict[str, float]]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
