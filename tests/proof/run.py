"""Run the proof step by step, hold it against its goals, and write what came out."""

import argparse
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.proof.figures import BUILD, Figures, MissingFigureError
from tests.proof.goals import GOALS, Goal
from tests.proof.soak import soak
from tests.proof.steps import STEPS, Step


@dataclass(slots=True)
class Proof:
    """What came out so far."""

    figures: Figures = field(default_factory=dict)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def take(self, step: Step) -> None:
        """Run a step and keep its figures and its complaints."""
        began = perf_counter()
        log = BUILD / "proof" / f"{step.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        wrong = step.run(log=log)
        try:
            self.figures |= step.read()
        except MissingFigureError as error:
            wrong.append(str(error))
        self.seconds[step.name] = round(perf_counter() - began, 1)
        if wrong:
            self.wrong[step.name] = wrong

    def missed(self) -> list[Goal]:
        """The goals of the steps that ran, and do not hold."""
        return [goal for goal in GOALS if goal.step in self.seconds and not goal.holds(self.figures)]

    def holds(self) -> bool:
        """Whether every step ended well and every binding goal is met."""
        return not self.wrong and not any(goal.binding for goal in self.missed())


def report(proof: Proof, *, seconds: float) -> Mapping[str, Any]:
    """As written to build/proof.json."""
    return {
        **proof.figures,
        "seconds": round(seconds, 1),
        "seconds_of": proof.seconds,
        "date": datetime.now(UTC).date().isoformat(),
        "goals_missed": [goal.key for goal in proof.missed()],
        "wrong": proof.wrong,
        "holds": proof.holds(),
    }


def table(proof: Proof) -> Table:
    """Every goal of the steps that ran, with what came out."""
    made = Table(title="Proof of the money core")
    made.add_column("what")
    made.add_column("found", justify="right")
    made.add_column("goal", justify="right")
    made.add_column("")
    for goal in GOALS:
        if goal.step not in proof.seconds:
            continue
        found, expected = proof.figures.get(goal.key), goal.expected(proof.figures)
        mark = "ok" if goal.holds(proof.figures) else "MISSED" if goal.binding else "slow"
        made.add_row(goal.told, _number(found), f"{goal.sign} {_number(expected)}", mark)
    for key in ("settled_after_ticks", "unprotected_seconds", "unprotected_seconds_after_faults_stop"):
        if key in proof.figures:
            spread = proof.figures[key]
            shown = f"p99 {spread['p99']:.0f}, worst {spread['worst']:.0f}"
            made.add_row(f"liveness: {key.replace('_', ' ')}", shown, "measured", "")
    return made


def _number(value: object) -> str:
    return "missing" if value is None else f"{value:,}" if isinstance(value, int | float) else str(value)


def prove(steps: Collection[Step], *, console: Console) -> bool:
    """Run the steps in sequence, show and write; whether the proof holds."""
    began, proof = perf_counter(), Proof()
    for number, step in enumerate(steps, start=1):
        console.print(f"[{number}/{len(steps)}] {step.name}: {step.told}", markup=False, highlight=False)
        proof.take(step)
        console.print(f"      {proof.seconds[step.name]:.0f} s", highlight=False)
        for text in proof.wrong.get(step.name, ()):
            console.print(f"      {text}", markup=False, highlight=False)
    console.print(table(proof))
    # Only a whole run is the proof; a part of it must not look like one.
    target = BUILD / ("proof.json" if len(steps) == len(STEPS) else "proof-part.json")
    target.write_text(json.dumps(report(proof, seconds=perf_counter() - began), indent=2) + "\n", encoding="utf-8")
    console.print(f"{'holds' if proof.holds() else 'DOES NOT HOLD'}: {target.relative_to(BUILD.parent)}", markup=False)
    return proof.holds()


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; exit code 0 only when everything that ran is as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    known = ", ".join(step.name for step in STEPS)
    parser.add_argument("--only", default="", help=f"some steps only, with commas: {known}")
    parser.add_argument("--soak", type=float, metavar="HOURS", help="go on with fresh seeds for so long")
    parser.add_argument("--seed", type=int, help="with --soak: the first fresh seed (otherwise taken from the time)")
    asked = parser.parse_args(arguments)
    console = Console(width=130)
    if asked.soak is not None:
        return soak(hours=asked.soak, first_seed=asked.seed, console=console)
    wanted = [name.strip() for name in asked.only.split(",") if name.strip()]
    unknown = sorted(set(wanted) - {step.name for step in STEPS})
    if unknown:
        parser.error(f"--only must name steps of {known}, was {', '.join(unknown)}")
    steps = [step for step in STEPS if not wanted or step.name in wanted]
    return int(not prove(steps, console=console))
