"""Go on with fresh seeds for hours; every failure comes with the one line that shows it again."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console

from tests.proof.figures import BUILD, Figures, MissingFigureError, same
from tests.proof.steps import Command, Step

SEEDS_PER_TURN = 2_000
_RACE_ROUNDS, _RACE_CLIENTS = 200, 64
_MOVES, _BODIES = 20_000, 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One kind of work of a soak: its step for a seed, the figures that add up, and how to see a failure again."""

    name: str
    command: Callable[[int], Command]
    report: str
    sums: tuple[str, ...]
    again: Callable[[int, Figures], list[str]]
    extra: tuple[str, ...] = ()

    def step(self, seed: int) -> Step:
        """The work with this seed."""
        return Step(
            name=self.name,
            told=self.name,
            commands=(self.command(seed),),
            reports=(self.report,),
            read=same(self.report, *self.sums, *self.extra),
        )


def _simulated(seed: int) -> Command:
    return ("-m", "tests.simulation", "--first", str(seed), "--seeds", str(SEEDS_PER_TURN))


def _raced(seed: int) -> Command:
    clients, rounds = str(_RACE_CLIENTS), str(_RACE_ROUNDS)
    return ("-m", "tests.races", "--seed", str(seed), "--clients", clients, "--rounds", rounds)


def _played(seed: int) -> Command:
    return ("-m", "tests.proof.differential", "--seed", str(seed), "--moves", str(_MOVES))


def _fuzzed(seed: int) -> Command:
    return ("-m", "tests.proof.classifier", "--seed", str(seed), "--bodies", str(_BODIES))


def _line(command: Command) -> str:
    return f"python {' '.join(command)}"


TURNS: tuple[Turn, ...] = (
    Turn(
        name="simulation",
        command=_simulated,
        report="simulation.json",
        sums=("sim_steps", "sim_seeds", "sim_violations", "bot_years"),
        extra=("sim_failing_seeds",),
        again=lambda _, found: [f"python -m tests.simulation --seed {n} --trace" for n in found["sim_failing_seeds"]],
    ),
    Turn(
        name="races",
        command=_raced,
        report="races.json",
        sums=("race_rounds_total", "double_claims", "over_reservations", "lost_updates", "torn_reads", "double_posts"),
        again=lambda seed, _: [_line(_raced(seed))],
    ),
    Turn(
        name="differential",
        command=_played,
        report="differential.json",
        sums=("differential_ops", "differences"),
        extra=("failing_seeds",),
        again=lambda _, found: [
            f"python -m tests.proof.differential --seed {n} --moves 500" for n in found["failing_seeds"]
        ],
    ),
    Turn(
        name="classifier",
        command=_fuzzed,
        report="classifier.json",
        sums=("classifier_bodies", "classifier_wrong"),
        again=lambda seed, _: [_line(_fuzzed(seed))],
    ),
)


@dataclass(slots=True)
class Soaked:
    """What a soak came to."""

    first_seed: int
    turns: int = 0
    totals: Figures = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def take(self, turn: Turn, seed: int, *, log: Path) -> list[str]:
        """Do one turn; the lines that show its failures again."""
        step = turn.step(seed)
        wrong = step.run(log=log)
        again: list[str] = []
        try:
            found = step.read()
        except MissingFigureError as error:
            return [*wrong, str(error), _line(turn.command(seed))] if wrong else [str(error)]
        for name in turn.sums:
            self.totals[name] = round(self.totals.get(name, 0) + found[name], 3)
        if wrong:
            again = turn.again(seed, found) or [_line(turn.command(seed))]
        self.failures += again
        return again


def soak(*, hours: float, first_seed: int | None, console: Console) -> int:
    """The big model once, then turns with fresh seeds until the time is over; 1 when anything failed."""
    ends = time.monotonic() + hours * 3_600
    seed = first_seed if first_seed is not None else int(time.time()) * 1_000
    soaked = Soaked(seed)
    folder = BUILD / "proof"
    folder.mkdir(parents=True, exist_ok=True)
    console.print(f"soak of {hours} h from seed {seed}", highlight=False)
    model = Step(
        name="model", told="the big model", commands=(("-m", "tests.model", "--soak"),), reports=("model.json",),
        read=same("model.json", "model_states", "model_violations"),
    )  # fmt: skip
    if hours >= 1:
        _tell(soaked, console, "model", _modelled(soaked, model, log=folder / "soak-model.log"))
    while time.monotonic() < ends:
        for turn in TURNS:
            if time.monotonic() >= ends:
                break
            again = soaked.take(turn, seed, log=folder / f"soak-{turn.name}.log")
            _tell(soaked, console, turn.name, again)
        seed += SEEDS_PER_TURN
        soaked.turns += 1
    console.print(f"{soaked.turns} turns, {len(soaked.failures)} failures: {soaked.totals}", markup=False)
    return int(bool(soaked.failures))


def _modelled(soaked: Soaked, step: Step, *, log: Path) -> list[str]:
    wrong = replace(step).run(log=log)
    try:
        soaked.totals |= step.read()
    except MissingFigureError as error:
        wrong.append(str(error))
    again = ["python -m tests.model --soak"] if wrong else []
    soaked.failures += again
    return again


def _tell(soaked: Soaked, console: Console, name: str, again: list[str]) -> None:
    """One line per turn, one per failure; the file is whole after every turn."""
    shown = ", ".join(f"{key} {value:,}" for key, value in soaked.totals.items())
    console.print(f"{name}: {shown}", markup=False, highlight=False)
    for line in again:
        console.print(f"FAILED, see it again with: {line}", markup=False, highlight=False)
    told = {"first_seed": soaked.first_seed, "turns": soaked.turns, **soaked.totals, "failures": soaked.failures}
    (BUILD / "soak.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
