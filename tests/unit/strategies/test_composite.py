"""The composite strategy, row by row of the tables in its docstring."""

import pytest
from pydantic import ValidationError

from surefill.strategies.base import Action
from surefill.strategies.composite import Composite
from tests.unit.strategies.told import Told


def market(*, rsi: float = 50, macd: tuple[float, float] = (0, 0), fast: float = 1, slow: float = 1) -> Told:
    return Told(rsi=rsi, macd=macd, sma10=fast, sma50=slow)


def only(**weights: float) -> Composite:
    return Composite({"weight_rsi": 0, "weight_macd": 0, "weight_averages": 0, **weights})


@pytest.mark.parametrize(
    ("rsi", "score", "action"),
    [
        (0, 0, "HOLD"), (10, 1, "BUY"), (30, 1, "BUY"), (35, 0.75, "BUY"), (50, 0, "HOLD"), (65, -0.75, "SELL"),
        (70, -1, "SELL"),
    ],
)  # fmt: skip
def test_rsi_votes(rsi: float, score: float, action: str) -> None:
    signal = only(weight_rsi=1).decide(market(rsi=rsi), None)
    assert (float(signal.numbers["score"]), signal.action) == (pytest.approx(score), Action(action))


@pytest.mark.parametrize(("line", "signal_line", "action"), [(2, 1, "BUY"), (1, 1, "HOLD"), (1, 2, "SELL")])
def test_macd_votes(line: float, signal_line: float, action: str) -> None:
    assert only(weight_macd=1).decide(market(macd=(line, signal_line)), None).action == Action(action)


@pytest.mark.parametrize(("fast", "slow", "action"), [(2, 1, "BUY"), (1, 1, "HOLD"), (1, 2, "SELL")])
def test_averages_vote(fast: float, slow: float, action: str) -> None:
    assert only(weight_averages=1).decide(market(fast=fast, slow=slow), None).action == Action(action)


@pytest.mark.parametrize(("fast", "slow"), [(100.0, 100.0 + 1e-12), (100.0 + 1e-12, 100.0)])
def test_rounding_is_no_vote(fast: float, slow: float) -> None:
    assert only(weight_averages=1).decide(market(fast=fast, slow=slow), None).action is Action.HOLD


def test_the_score_is_the_weighted_mean() -> None:
    signal = Composite({}).decide(market(rsi=30, macd=(1, 2), fast=2, slow=1), None)
    assert float(signal.numbers["score"]) == pytest.approx(0.4 - 0.35 + 0.25)


@pytest.mark.parametrize(
    ("temperature", "rsi", "action"),
    [("cold", 25, "HOLD"), ("warm", 25, "BUY"), ("warm", 45, "HOLD"), ("hot", 45, "BUY")],
)
def test_temperature_sets_the_levels(temperature: str, rsi: float, action: str) -> None:
    """The same votes, of RSI and MACD against idle averages, are enough for one temperature and not for another."""
    strategy = Composite({"temperature": temperature, "weight_averages": 0.6})
    assert strategy.decide(market(rsi=rsi, macd=(2, 1)), None).action == Action(action)


def test_a_given_level_wins_over_the_preset() -> None:
    params = Composite({"temperature": "hot", "buy_score": 0.9}).params
    assert (params.buy_score, params.sell_score, params.rsi_oversold) == (0.9, 0.3, 35)


@pytest.mark.parametrize(
    "params",
    [
        {"rsi_period": 1}, {"macd_fast": 30}, {"average_fast": 50}, {"unknown": 1}, {"buy_score": 0},
        {"weight_rsi": 0, "weight_macd": 0, "weight_averages": 0}, {"temperature": "boiling"},
    ],
)  # fmt: skip
def test_parameters_outside_their_limits_are_refused(params: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Composite(params)
