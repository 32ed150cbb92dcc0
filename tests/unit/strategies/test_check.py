"""`surefill strategy`: every built-in strategy passes the check, bad ones fail for the right reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from local.strategies import checks, deciding, pages
from local.strategies.checks import check, subject_of
from local.strategies.cli import app
from local.strategies.deciding import wants
from local.strategies.targets import made, strategy_of
from surefill.strategies import STRATEGIES
from surefill.strategies.loading import BUILT_IN
from tests.unit.strategies import bad


def surefill(*arguments: str) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_strategies_pass(name: str) -> None:
    results = check(STRATEGIES[name], {}, target=name, seed=1)
    assert [result.test for result in results if not result.passed] == []
    assert len(results) == 6


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("signal_dca", {"entry": "composite", "mode": "adaptive", "reference": "average"}),
        ("spot_grid", {"spacing": "arithmetic", "fill_upper": True}), ("infinity_grid", {"spacing": "arithmetic"}),
        ("composite", {"temperature": "hot"}), ("swing", {"trend_timeframe": "1d", "trend_period": 10}),
    ],
)  # fmt: skip
def test_other_parameters_pass_too(name: str, params: dict[str, Any]) -> None:
    results = check(STRATEGIES[name], params, target=name, seed=2)
    assert [result for result in results if not result.passed] == []


@pytest.mark.parametrize("seed", [2, 3, 4])
@pytest.mark.parametrize("name", BUILT_IN)
def test_a_screen_leaves_out_nothing(name: str, seed: int) -> None:
    subject = subject_of(made(STRATEGIES[name], {}), seed=seed)
    screen = subject.strategy.screen(subject.market.series(subject.symbol))
    if screen is None:
        return
    acting = {index for index, _, position in subject.cases() if wants(subject.decide(index, position))}
    assert acting <= {index for index in subject.indices() if screen[index]}
    assert acting or name == "webhook"


@pytest.mark.parametrize(
    ("text", "test", "says"),
    [
        (bad.LOOKS_AHEAD, "look_ahead", "another one when later candles are"),
        (bad.LOOKS_AHEAD_BY_THE_BASE, "look_ahead", "another one when later candles are"),
        (bad.NEEDS_MORE, "warm_up", "needs must ask for more candles"),
        (bad.THROWS_DICE, "determinism", "asked again in another order"),
        (bad.REMEMBERS, "determinism", "asked again in another order"),
        (bad.HASHES, "determinism", "another one in another process"),
        (bad.SCREENS_OUT, "screen", "wants BUY"),
        (bad.TELLS_OTHER_SIDES, "screen", "sides says 1, but decide (no position) wants HOLD"),
        (bad.RAISES, "signals", "decide raised ZeroDivisionError"),
        (bad.NONSENSE, "signals", "must return a Signal, was str"),
        (bad.NO_LIMITS, "parameters", "parameter n must have a lower and an upper limit"),
    ],
)
def test_bad_strategies_fail_for_the_right_reason(tmp_path: Path, text: str, test: str, says: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(text)
    results = {result.test: result for result in check(strategy_of(str(path)), {}, target=str(path), seed=1)}
    assert not results[test].passed
    assert says in results[test].text
    if test != "parameters":
        assert results[test].candle is not None
        assert results[test].at is not None


def test_a_strategy_with_one_fault_fails_in_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text(bad.SCREENS_OUT)
    results = check(strategy_of(str(path)), {}, target=str(path), seed=1)
    assert [result.test for result in results if not result.passed] == ["screen"]


def test_a_strategy_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bad.py"
    path.write_text(bad.HANGS)
    monkeypatch.setattr(deciding, "LIMIT_SECONDS", 0.05)
    (result,) = [
        result for result in check(strategy_of(str(path)), {}, target=str(path), seed=1) if result.test == "signals"
    ]
    assert (result.passed, result.text) == (False, "decide must take less than 0.05 s")


def test_the_command_says_what_failed_where(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text(bad.NEEDS_MORE)
    plain = surefill("check", str(path))
    assert plain.exit_code == 1
    assert "parameters   ok" in plain.stdout
    assert "warm_up      FAILED: 30 candles" in plain.stdout
    document = json.loads(surefill("check", str(path), "--json").stdout)
    failed = next(test for test in document["tests"] if not test["passed"])
    assert (document["passed"], failed["test"], failed["at"][:4]) == (False, "warm_up", "2024")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("check", "nobody"), "strategy 'nobody' is not there; known are bollinger_range, composite"),
        (("check", "missing.py"), "must be a Python file"),
        (("check", "dca", "--params", "{"), "--params must be a JSON object"),
        (("check", "dca", "--params", "[]"), "--params must be a JSON object"),
        (("check", "dca", "--params", '{"interval_hours": 0}'), "strategy dca: interval_hours:"),
        (("check", "spot_grid", "--params", '{"lower": 200}'), "lower must be below upper"),
        (("check", "rebalance", "--params", '{"weights": "A/B=1"}'), "needs of rebalance raised ValueError"),
        (("show", "nobody"), "is not there"),
        (("new", "Not-A-Name"), "small letters"),
        (("new", "dca"), "built-in strategy"),
    ],
)
def test_bad_input_is_one_sentence(arguments: tuple[str, ...], says: str) -> None:
    done = surefill(*arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith("surefill: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_broken_file_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import nothing_like_this")
    assert "nothing_like_this" in surefill("check", str(tmp_path / "broken.py")).stderr
    assert "nothing_like_this" in surefill("check", "broken", "--folder", str(tmp_path)).stderr
    listed = surefill("list", "--folder", str(tmp_path))
    assert (listed.exit_code, "not loaded: " in listed.stderr) == (0, True)
    document = json.loads(surefill("list", "--folder", str(tmp_path), "--json").stdout)
    assert [problem["source"] for problem in document["problems"]] == [str(tmp_path / "broken.py")]


def test_a_new_strategy_passes_the_check(tmp_path: Path) -> None:
    done = surefill("new", "my_idea", "--folder", str(tmp_path))
    assert (done.exit_code, str(tmp_path / "my_idea.py") in done.stdout) == (0, True)
    assert surefill("check", "my_idea", "--folder", str(tmp_path)).exit_code == 0
    assert surefill("new", "my_idea", "--folder", str(tmp_path)).exit_code == 2
    names = [
        row["name"] for row in json.loads(surefill("list", "--folder", str(tmp_path), "--json").stdout)["strategies"]
    ]
    assert names == sorted([*BUILT_IN, "my_idea"])
    assert (
        "| `period` | 20 | >= 2, <= 400 | candles of the average |"
        in surefill("show", "my_idea", "--folder", str(tmp_path)).stdout
    )


def test_show_tells_limits_and_defaults() -> None:
    shown = json.loads(surefill("show", "spot_grid", "--json").stdout)
    lower = next(parameter for parameter in shown["parameters"] if parameter["name"] == "lower")
    assert (lower["required"], lower["limits"], lower["example"]) == (True, "> 0, <= 1000000000", 80)
    assert "| `spacing` | geometric | arithmetic, geometric |" in surefill("show", "spot_grid").stdout


def test_a_strategy_that_needs_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_MOST_CANDLES", 100)
    assert "needs 211 candles of 1m, more than the 100 allowed" in surefill("check", "composite").stderr


def test_the_pages_are_those_of_the_code() -> None:
    """`python -m local.strategies.pages` writes them anew."""
    written = {path.name: path.read_text(encoding="utf-8") for path in pages.FOLDER.glob("*.md")}
    assert written == pages.pages()
