"""`python -m tests.simulation --seeds 200`: run seeds; `--seed S --trace`: one, step by step; `--crash`: the matrix."""

import argparse
import sys

from rich.console import Console

from tests.simulation import report
from tests.simulation.crash import figures
from tests.simulation.run import run_seed


def main() -> int:
    """0 when nothing was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds to run")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="run this seed alone")
    parser.add_argument("--trace", action="store_true", help="with --seed: print every step")
    parser.add_argument("--crash", choices=("singles", "pairs"), help="run the crash matrix instead")
    parser.add_argument("--processes", type=int, default=2)
    wanted = parser.parse_args()
    console = Console(soft_wrap=True)
    if wanted.crash:
        covered = figures.cover_and_write(pairs=wanted.crash == "pairs", processes=wanted.processes)
        figures.show(covered, console)
        return 1 if any(one.violations for one in covered) else 0
    if wanted.seed is not None:
        verdict = run_seed(wanted.seed, tell=print if wanted.trace else None)
        for text in verdict.violations:
            console.print(text, markup=False)
        console.print(f"seed {wanted.seed}: {verdict.steps} steps, trace {verdict.trace_hash}", markup=False)
        return 1 if verdict.violations else 0
    tally = report.simulate(range(wanted.first, wanted.first + wanted.seeds), processes=wanted.processes)
    report.write(tally)
    report.show(tally, console)
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
