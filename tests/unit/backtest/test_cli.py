"""The commands: what they print, what they write, and one sentence for every bad input."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from local.backtest.cli import backtest_app
from local.backtest.sweep import combinations, read_axis
from local.errors import LocalError
from tests.unit.backtest.markets import START_MS, random_walk, write_csv, write_rows

RUNNER = CliRunner()
EASY = ["--set", "confirmation_seconds=0", "--set", "cooldown_seconds=0"]


@pytest.fixture(scope="module")
def candles(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder, walk = tmp_path_factory.mktemp("candles"), random_walk(pairs=2, candles=2_000, seed=11)
    found: list[str] = []
    for pair in range(2):
        history = walk.history(pair)
        found += ["--candles", str(write_csv(folder / f"{pair}.csv", history)), "--symbol", history.symbol]
    return found


def run(*arguments: str) -> Result:
    return RUNNER.invoke(backtest_app, list(arguments))


def document(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_strategy_by_name(candles: list[str]) -> None:
    found = document("--strategy", "rsi_macd", *candles, *EASY)
    (result,) = found["results"]
    assert result["symbols"] == ["C00/USDT", "C01/USDT"]
    assert result["candles"] == 4_000
    assert result["statistics"]["trades"] == len(result["trades"]) > 20
    assert result["statistics"]["by_reason"]["exit.strategy"]["trades"] > 0


def test_parameters_and_fields_count(candles: list[str]) -> None:
    plain = document("--strategy", "rsi_macd", *candles, *EASY)["results"][0]["statistics"]["trades"]
    strict = document("--strategy", "rsi_macd", *candles, *EASY, "--param", "rsi_entry=30")
    assert strict["results"][0]["statistics"]["trades"] < plain
    tight = document("--strategy", "rsi_macd", *candles, *EASY, "--set", "stop_loss_percent=0.3")
    assert tight["results"][0]["statistics"]["by_reason"]["exit.stop_loss"]["trades"] > 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bot.json", '{"strategy": "rsi_macd", "confirmation_seconds": 0, "cooldown_seconds": 0}'),
        ("bot.toml", 'strategy = "rsi_macd"\nconfirmation_seconds = 0\ncooldown_seconds = 0\n'),
        ("bot.yaml", "strategy: rsi_macd\nconfirmation_seconds: 0\ncooldown_seconds: 0\nbudget:\n  amount: 10000\n"),
    ],
)
def test_bot_files_say_the_same_in_any_format(candles: list[str], tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    by_file = document("--bot", str(path), *candles)["results"][0]
    by_name = document("--strategy", "rsi_macd", *candles, *EASY)["results"][0]
    assert by_file["name"] == "bot"
    assert [{**trade, "bot": ""} for trade in by_file["trades"]] == [
        {**trade, "bot": ""} for trade in by_name["trades"]
    ]


def test_bots_are_compared_and_the_report_stands_alone(candles: list[str], tmp_path: Path) -> None:
    for name, entry in (("slow", 30), ("fast", 50)):
        text = f"strategy: rsi_macd\nparams: {{rsi_entry: {entry}}}\nconfirmation_seconds: 0\ncooldown_seconds: 0\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    page = tmp_path / "report.html"
    result = run(
        "--bot", str(tmp_path / "slow.yaml"), "--compare", str(tmp_path / "fast.yaml"), *candles, "--report", str(page)
    )
    assert result.exit_code == 0, result.output
    assert "slow" in result.output
    text = page.read_text()
    assert "Compared" in text
    assert text.count("<svg") == 1 + 2 * 4
    assert "http" not in text.replace("http-equiv", "")
    assert "<script" not in text
    assert "prefers-color-scheme:dark" in text


def test_processes_give_what_one_gives(candles: list[str], tmp_path: Path) -> None:
    for name, entry in (("slow", 30), ("fast", 50)):
        (tmp_path / f"{name}.json").write_text(
            json.dumps({"strategy": "rsi_macd", "params": {"rsi_entry": entry}, "confirmation_seconds": 0})
        )
    bots = ["--bot", str(tmp_path / "slow.json"), "--bot", str(tmp_path / "fast.json")]
    one = document(*bots, *candles, "--processes", "1")["results"]
    two = document(*bots, *candles, "--processes", "2")["results"]
    assert one == two


def test_the_engine_is_told_and_can_be_chosen(candles: list[str]) -> None:
    asked = ["--strategy", "rsi_macd", *candles, *EASY]
    auto, direct, protocol = (
        document(*asked, "--engine", name)["results"][0] for name in ("auto", "direct", "protocol")
    )
    assert [one.pop("engine") for one in (auto, direct, protocol)] == ["direct", "direct", "protocol"]
    assert auto == direct == protocol
    assert "engine: direct" in run(*asked).stdout


def bad_candles(tmp_path: Path, *rows: list[object]) -> list[str]:
    return ["--candles", str(write_rows(tmp_path / "bad.csv", rows)), "--symbol", "BTC/USDT"]


GOOD_ROW = [1.0, 2.0, 0.5, 1.5, 10.0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to run"),
        (["--strategy", "no_such"], "strategy must be one of"),
        (["--strategy", "rsi_macd", "--param", "rsi_period=1"], "rsi_period"),
        (["--strategy", "rsi_macd", "--param", "rsi_period"], "--param must look like name=value"),
        (["--strategy", "rsi_macd", "--param", "unknown=1"], "unknown"),
        (["--strategy", "rsi_macd", "--fee", "2"], "--fee must be a share"),
        (["--strategy", "rsi_macd", "--fee", "NaN"], "--fee must be a finite number"),
        (["--strategy", "rsi_macd", "--slippage", "-1"], "--slippage must be 0 to 50"),
        (["--strategy", "rsi_macd", "--budget", "0"], "--budget must be above 0"),
        (["--strategy", "rsi_macd", "--fill", "later"], "--fill must be one of close, next_open, ticks"),
        (["--strategy", "rsi_macd", "--engine", "fast"], "--engine must be one of auto, direct, protocol"),
        (["--strategy", "rsi_macd", "--engine", "direct", "--fill", "ticks"], "--engine direct can't run this: ticks"),
        (["--strategy", "rsi_macd", "--since", "yesterday"], "--since must be a date"),
        (["--strategy", "rsi_macd", "--since", "2031-01-01"], "no candles of"),
        (["--strategy", "rsi_macd", "--rules", "none.json"], "no such file"),
        (["--strategy", "rsi_macd", "--set", "timeframe=7m"], "can't be made of them"),
        (["--strategy", "rsi_macd", "--set", "no_field=1"], "no_field"),
        (["--bot", "none.yaml"], "no such file"),
        (["--bot", "bot.txt"], "a bot file must end in"),
        (["--strategy", "rsi_macd", "--symbol", "X"], "each --candles needs one --symbol"),
    ],
)
def test_bad_input_is_one_sentence(candles: list[str], arguments: list[str], said: str) -> None:
    result = run(*candles, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output


def test_bad_candles_are_one_sentence(tmp_path: Path) -> None:
    rows = [[START_MS, *GOOD_ROW], [START_MS + 60_000, 1.0, "nan", 0.5, 1.5, 10.0]]
    result = run("--strategy", "rsi_macd", *bad_candles(tmp_path, *rows))
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "row 3: high is nan" in result.stderr


def test_a_warm_up_longer_than_the_data_is_one_sentence(tmp_path: Path) -> None:
    rows = [[START_MS + 300_000 * place, *GOOD_ROW] for place in range(20)]
    result = run("--strategy", "rsi_macd", *bad_candles(tmp_path, *rows))
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "before its first decision" in result.stderr


def test_a_sweep_ranks_what_it_ran(candles: list[str]) -> None:
    arguments = ["sweep", "--strategy", "rsi_macd", *candles, *EASY, "--by", "total_return", "--json"]
    result = run(*arguments, "--param", "rsi_entry=30:50:10", "--param", "rsi_period=7,14")
    assert result.exit_code == 0, result.output
    trials = json.loads(result.stdout)["trials"]
    assert len(trials) == 6
    returns = [trial["total_return"] for trial in trials]
    assert returns == sorted(returns, reverse=True)
    best = trials[0]["params"]
    again = document(
        "--strategy", "rsi_macd", *candles, *EASY, *(f"--param={name}={value}" for name, value in best.items())
    )
    assert again["results"][0]["statistics"]["total_return"] == returns[0]


def test_a_combination_that_can_not_be_run_does_not_stop_the_others(candles: list[str]) -> None:
    result = run("sweep", "--strategy", "rsi_macd", *candles, *EASY, "--param", "rsi_entry=50,90", "--json")
    problems = [trial["problem"] for trial in json.loads(result.stdout)["trials"]]
    assert problems[0] is None
    assert "rsi_entry" in problems[1]


def test_axes() -> None:
    assert read_axis("a=1:2:0.5") == ("a", [1, 1.5, 2])
    assert read_axis("a=1:3") == ("a", [1, 2, 3])
    assert read_axis("a=x,2,true") == ("a", ["x", 2, True])
    for wrong in ("a", "a=", "a=3:1:1", "a=1:2:0", "a=1:b:1"):
        with pytest.raises(LocalError):
            read_axis(wrong)


def test_drawn_combinations_are_different_and_always_the_same() -> None:
    axes = [("a", list(range(100))), ("b", list(range(100)))]
    drawn = combinations(axes, trials=50, seed=3)
    assert len({(one["a"], one["b"]) for one in drawn}) == 50
    assert drawn == combinations(axes, trials=50, seed=3)
    assert drawn != combinations(axes, trials=50, seed=4)
    assert len(combinations([("a", [1, 2]), ("b", [3])], trials=9, seed=1)) == 2
