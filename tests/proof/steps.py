"""The steps of the proof: what each runs, and what it leaves behind."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.proof.figures import (
    BUILD,
    MONEY_TESTS,
    REPOSITORY,
    Figures,
    MissingFigureError,
    coverage_figures,
    mutation_figures,
    same,
)

Command = tuple[str, ...]
# More than 5,000, because the goal of two simulated bot-years takes more.
SIMULATION_SEEDS = 7_000
RACE_ROUNDS, RACE_CLIENTS = 200, 32
MOVES, BODIES = 10_000, 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Commands (arguments of this Python), the reports they must leave, and the figures in them."""

    name: str
    told: str
    commands: tuple[Command, ...]
    reports: tuple[str, ...]
    read: Callable[[], Figures]
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *, log: Path) -> list[str]:
        """Run all commands into a log; what went wrong. Reports of earlier runs are taken away first."""
        BUILD.mkdir(exist_ok=True)
        for name in self.reports:
            (BUILD / name).unlink(missing_ok=True)
        wrong = []
        environment = {**os.environ, "PYTHONPATH": _import_path(), "PYTHONUNBUFFERED": "1", **self.environment}
        with log.open("w", encoding="utf-8") as told:
            for command in self.commands:
                told.write(f"$ python {' '.join(command)}\n")
                told.flush()
                done = subprocess.run(
                    [sys.executable, *command], cwd=REPOSITORY, env=environment, stdout=told, stderr=told, check=False
                )
                if done.returncode:
                    wrong.append(f"`python {' '.join(command)}` ended with {done.returncode}, see {log}")
        return wrong


def _import_path() -> str:
    return os.pathsep.join(
        filter(None, (os.environ.get("PYTHONPATH"), str(REPOSITORY), str(REPOSITORY / "layers" / "core" / "python")))
    )


def passed(report: str, key: str) -> Callable[[], Figures]:
    """How many tests of a JUnit report passed."""

    def read() -> Figures:
        path = BUILD / report
        if not path.is_file():
            raise MissingFigureError(f"build/{report} must be written by its step, is missing")
        suites = list(ET.parse(path).getroot().iter("testsuite"))
        counts = {name: sum(int(suite.get(name, "0")) for suite in suites) for name in _JUNIT}
        return {key: counts["tests"] - counts["failures"] - counts["errors"] - counts["skipped"]}

    return read


_JUNIT = ("tests", "failures", "errors", "skipped")


def _pytest(report: str, *arguments: str) -> Command:
    return ("-m", "pytest", "-p", "no:cacheprovider", f"--junitxml=build/{report}", *arguments)


def _all(*readers: Callable[[], Figures]) -> Callable[[], Figures]:
    def read() -> Figures:
        found: Figures = {}
        for reader in readers:
            found |= reader()
        return found

    return read


STEPS: tuple[Step, ...] = (
    Step(
        name="model",
        told="every order of events of small worlds",
        commands=(("-m", "tests.model"),),
        reports=("model.json",),
        read=same("model.json", "model_states", "model_violations", "worst_sweeps_to_settle", model_seconds="seconds"),
    ),
    Step(
        name="protections",
        told="each protection taken out once",
        commands=(("-m", "tests.protections"),),
        reports=("protections.json",),
        read=same("protections.json", "protections_total", "protections_caught"),
    ),
    Step(
        name="simulation",
        told="the product through bad days, seed by seed",
        commands=(("-m", "tests.simulation", "--seeds", str(SIMULATION_SEEDS)),),
        reports=("simulation.json",),
        read=same(
            "simulation.json",
            "sim_steps",
            "sim_seeds",
            "sim_violations",
            "bot_years",
            "seeds_run_twice",
            "settled_after_ticks",
            "unprotected_seconds",
            "unprotected_seconds_after_faults_stop",
            sim_seconds="seconds",
        ),
    ),
    Step(
        name="crash",
        told="a crash at every side effect, and at every two",
        commands=(("-m", "tests.simulation", "--crash", "pairs"),),
        reports=("crash.json",),
        read=same(
            "crash.json", "crash_single_pct", "crash_pair_pct", "crash_violations", "crash_singles", "crash_pairs"
        ),
    ),
    Step(
        name="races",
        told="32 clients in 8 processes at one row",
        commands=(("-m", "tests.races", "--rounds", str(RACE_ROUNDS), "--clients", str(RACE_CLIENTS)),),
        reports=("races.json",),
        read=same(
            "races.json",
            "race_rounds",
            "race_rounds_total",
            "race_attempts",
            "race_faults",
            "double_claims",
            "over_reservations",
            "double_posts",
            "lost_updates",
            "torn_reads",
            "race_wrongs",
            race_clients="clients",
            race_controls_total="controls_total",
            race_controls_caught="controls_caught",
        ),
    ),
    Step(
        name="deployed",
        told="the deployed functions raced",
        commands=(_pytest("deployed_races.xml", "tests/races/test_deployed.py"),),
        reports=("deployed_races.xml",),
        read=passed("deployed_races.xml", "deployed_races_passed"),
    ),
    Step(
        name="differential",
        told="the same random games on every store",
        commands=(("-m", "tests.proof.differential", "--moves", str(MOVES)),),
        reports=("differential.json",),
        read=same("differential.json", "differential_ops", "differences"),
    ),
    Step(
        name="classifier",
        told="what a venue's answers are taken for",
        commands=(
            _pytest("outcome_table.xml", "tests/unit/adapters/venues/test_outcomes.py"),
            ("-m", "tests.proof.classifier", "--bodies", str(BODIES)),
        ),
        reports=("outcome_table.xml", "classifier.json"),
        read=_all(
            passed("outcome_table.xml", "classifier_rows_passed"),
            same("classifier.json", "classifier_bodies", "classifier_wrong", "classifier_outcomes"),
        ),
    ),
    Step(
        name="coverage",
        told="lines and branches of the money core",
        commands=(
            _pytest(
                "money_tests.xml",
                *MONEY_TESTS,
                *("--cov", "--cov-branch", "--cov-report=json:build/coverage.json"),
            ),
        ),
        reports=("coverage.json",),
        read=coverage_figures,
        environment={"COVERAGE_FILE": str(BUILD / ".coverage")},
    ),
    Step(
        name="mutation",
        told="mutants of the money core, unless measured on these very files",
        commands=(("-m", "tests.proof.mutation", "--if-changed"),),
        reports=(),
        read=mutation_figures,
    ),
)
