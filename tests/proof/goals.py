"""What must come out: the goals per commit, and how each figure is held against them."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {">=": operator.ge, "<=": operator.le, "=": operator.eq}


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One line of the report. `value` may name another figure. A goal of time is told, and fails nothing."""

    step: str
    key: str
    sign: str
    value: float | str
    told: str
    binding: bool = True

    def expected(self, figures: Mapping[str, Any]) -> Any:
        """The number the figure is held against."""
        return figures.get(self.value) if isinstance(self.value, str) else self.value

    def holds(self, figures: Mapping[str, Any]) -> bool:
        """Whether the figure is there and good."""
        found, expected = figures.get(self.key), self.expected(figures)
        return found is not None and expected is not None and _SIGNS[self.sign](found, expected)


def _goal(step: str, key: str, sign: str, value: float | str, told: str, *, binding: bool = True) -> Goal:
    return Goal(step=step, key=key, sign=sign, value=value, told=told, binding=binding)


GOALS: tuple[Goal, ...] = (
    _goal("model", "model_states", ">=", 500_000, "model: states"),
    _goal("model", "model_violations", "=", 0, "model: violations"),
    _goal("model", "model_seconds", "<=", 60, "model: seconds", binding=False),
    _goal("protections", "protections_caught", "=", "protections_total", "protections that are missed when out"),
    _goal("simulation", "sim_steps", ">=", 1_000_000, "simulation: side-effect steps"),
    _goal("simulation", "sim_seeds", ">=", 5_000, "simulation: seeds"),
    _goal("simulation", "sim_violations", "=", 0, "simulation: violations"),
    _goal("simulation", "bot_years", ">=", 2, "simulation: bot-years"),
    _goal("simulation", "seeds_run_twice", ">=", 50, "simulation: seeds run twice, same trace"),
    _goal("simulation", "sim_seconds", "<=", 480, "simulation: seconds", binding=False),
    _goal("crash", "crash_single_pct", "=", 100, "crash points, single, per cent"),
    _goal("crash", "crash_pair_pct", "=", 100, "crash points, pairs, per cent"),
    _goal("crash", "crash_violations", "=", 0, "crash points: violations"),
    _goal("races", "race_rounds", ">=", 200, "races: rounds of each workload"),
    _goal("races", "race_clients", ">=", 32, "races: clients"),
    _goal("races", "double_claims", "=", 0, "races: double claims"),
    _goal("races", "over_reservations", "=", 0, "races: over-reservations"),
    _goal("races", "double_posts", "=", 0, "races: double posts"),
    _goal("races", "lost_updates", "=", 0, "races: lost updates"),
    _goal("races", "torn_reads", "=", 0, "races: torn reads"),
    _goal("races", "race_wrongs", "=", 0, "races: anything else wrong"),
    _goal("races", "race_controls_caught", "=", "race_controls_total", "races that fail without their guard"),
    _goal("deployed", "deployed_races_passed", ">=", 3, "races of deployed functions"),
    _goal("differential", "differential_ops", ">=", 10_000, "differential transactions"),
    _goal("differential", "differences", "=", 0, "differential: differences"),
    _goal("classifier", "classifier_rows_passed", ">=", 80, "outcome table: rows on a real server"),
    _goal("classifier", "classifier_bodies", ">=", 20_000, "outcome classifier: fuzzed answers"),
    _goal("classifier", "classifier_wrong", "=", 0, "outcome classifier: wrong outcomes"),
    _goal("coverage", "coverage_line_pct", "=", 100, "money core: lines, per cent"),
    _goal("coverage", "coverage_branch_pct", "=", 100, "money core: branches, per cent"),
    _goal("mutation", "mutation_score", ">=", 95, "money core: mutants killed, per cent"),
)
