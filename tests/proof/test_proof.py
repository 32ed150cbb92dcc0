"""The report itself: nothing missing or stale passes for a figure, and a failure says how to see it again."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from tests.proof import figures, run, soak, steps
from tests.proof.figures import MissingFigureError, same
from tests.proof.goals import GOALS, Goal
from tests.proof.soak import Turn
from tests.proof.steps import STEPS, Command, Step


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build folder of the test's own."""
    folder = tmp_path / "build"
    folder.mkdir()
    for module in (figures, run, soak, steps):
        monkeypatch.setattr(module, "BUILD", folder)
    return folder


def writing(path: Path, found: dict[str, object], *, ends: int = 0) -> Command:
    """A command that writes a report and ends."""
    script = f"import pathlib, sys; pathlib.Path({str(path)!r}).write_text({json.dumps(found)!r}); sys.exit({ends})"
    return ("-c", script)


def step(build: Path, found: dict[str, object], *, ends: int = 0) -> Step:
    return Step(
        name="differential",
        told="",
        commands=(writing(build / "made.json", found, ends=ends),),
        reports=("made.json",),
        read=same("made.json", "differential_ops", "differences"),
    )


def quiet() -> Console:
    return Console(quiet=True)


def test_all_goals_met_is_a_proof(build: Path) -> None:
    assert run.prove([step(build, {"differential_ops": 10_000, "differences": 0})], console=quiet())
    written = json.loads((build / "proof-part.json").read_text())
    assert (written["differential_ops"], written["goals_missed"], written["holds"]) == (10_000, [], True)
    assert not (build / "proof.json").exists()


@pytest.mark.parametrize(
    ("found", "ends"),
    [
        ({"differential_ops": 9_999, "differences": 0}, 0),
        ({"differential_ops": 10_000, "differences": 1}, 0),
        ({"differential_ops": 10_000}, 0),
        ({"differential_ops": 10_000, "differences": 0}, 1),
    ],
)
def test_less_is_none(build: Path, found: dict[str, object], ends: int) -> None:
    assert not run.prove([step(build, found, ends=ends)], console=quiet())


def test_the_report_of_an_earlier_run_is_not_taken_for_this_one(build: Path) -> None:
    (build / "made.json").write_text(json.dumps({"differential_ops": 10_000, "differences": 0}))
    nothing = Step(
        name="differential",
        told="",
        commands=(("-c", "pass"),),
        reports=("made.json",),
        read=same("made.json", "differential_ops", "differences"),
    )
    assert not run.prove([nothing], console=quiet())


@pytest.mark.parametrize(("text", "told"), [(None, "is missing"), ("{", "was not"), ("[]", "was list")])
def test_a_report_that_can_not_be_read_is_named(build: Path, text: str | None, told: str) -> None:
    if text is not None:
        (build / "x.json").write_text(text)
    with pytest.raises(MissingFigureError, match=f"build/x.json .*{told}"):
        figures.read_report("x.json")


def test_a_mutation_score_of_other_files_does_not_count(build: Path) -> None:
    score = {"mutation_score": 99.0, "mutants": 3_000, "of": figures.fingerprint()}
    (build / "mutation.json").write_text(json.dumps(score))
    assert figures.mutation_figures()["mutation_score"] == 99.0
    (build / "mutation.json").write_text(json.dumps({**score, "of": "another"}))
    with pytest.raises(MissingFigureError, match="have changed since"):
        figures.mutation_figures()


def test_a_hundred_per_cent_is_all() -> None:
    assert figures.percent(99_999, 100_000) == 99.99
    assert figures.percent(7, 7) == 100.0


def test_every_goal_belongs_to_a_step_and_every_step_has_one() -> None:
    assert {goal.step for goal in GOALS} == {step.name for step in STEPS}


def test_a_figure_that_is_missing_meets_no_goal() -> None:
    goal = Goal(step="x", key="a", sign="=", value="b", told="")
    assert not goal.holds({})
    assert not goal.holds({"a": 3})
    assert goal.holds({"a": 3, "b": 3})


def test_a_failing_turn_of_a_soak_tells_the_one_line_that_shows_it(build: Path) -> None:
    turn = Turn(
        name="games",
        command=lambda seed: writing(build / "made.json", {"ops": 5, "failing_seeds": [seed + 3]}, ends=1),
        report="made.json",
        sums=("ops",),
        extra=("failing_seeds",),
        again=lambda _, found: [f"again {seed}" for seed in found["failing_seeds"]],
    )
    soaked = soak.Soaked(first_seed=40)
    assert soaked.take(turn, 40, log=build / "log") == ["again 43"]
    assert soaked.take(turn, 50, log=build / "log") == ["again 53"]
    assert (soaked.totals, soaked.failures) == ({"ops": 10}, ["again 43", "again 53"])
