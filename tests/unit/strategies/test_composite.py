"""The composite strategy, row by row of the table in its docstring."""

from array import array

import pytest
from pydantic import ValidationError

from surefill.domain.candles import Candles
from surefill.strategies.base import Action
from surefill.strategies.composite import Composite
from surefill.strategies.market import MarketView


class Told(MarketView):
    """A market whose indicators are told."""

    def __init__(
        self, *, rsi: float = 50, macd: tuple[float, float] = (0, 0), fast: float = 1, slow: float = 1
    ) -> None:
        self._rsi, self._macd, self._averages = rsi, macd, {10: fast, 50: slow}

    def rsi(self, period: int) -> float:
        return self._rsi

    def macd(self, fast: int, slow: int, signal: int) -> tuple[float, float]:
        return self._macd

    def sma(self, period: int) -> float:
        return self._averages[period]


def only(**weights: float) -> Composite:
    return Composite({"weight_rsi": 0, "weight_macd": 0, "weight_averages": 0, **weights})


@pytest.mark.parametrize(
    ("rsi", "score", "action"),
    [(10, 1, "BUY"), (30, 1, "BUY"), (35, 0.75, "BUY"), (50, 0, "HOLD"), (65, -0.75, "SELL"), (70, -1, "SELL")],
)
def test_rsi_votes(rsi: float, score: float, action: str) -> None:
    signal = only(weight_rsi=1).decide(Told(rsi=rsi), None)
    assert (float(signal.numbers["score"]), signal.action) == (pytest.approx(score), Action(action))


@pytest.mark.parametrize(("line", "signal_line", "action"), [(2, 1, "BUY"), (1, 1, "HOLD"), (1, 2, "SELL")])
def test_macd_votes(line: float, signal_line: float, action: str) -> None:
    assert only(weight_macd=1).decide(Told(macd=(line, signal_line)), None).action == Action(action)


@pytest.mark.parametrize(("fast", "slow", "action"), [(2, 1, "BUY"), (1, 1, "HOLD"), (1, 2, "SELL")])
def test_averages_vote(fast: float, slow: float, action: str) -> None:
    assert only(weight_averages=1).decide(Told(fast=fast, slow=slow), None).action == Action(action)


def test_the_score_is_the_weighted_mean() -> None:
    signal = Composite({}).decide(Told(rsi=30, macd=(1, 2), fast=2, slow=1), None)
    assert float(signal.numbers["score"]) == pytest.approx(0.4 - 0.35 + 0.25)


@pytest.mark.parametrize(
    "params",
    [
        {"rsi_period": 1}, {"macd_fast": 30}, {"average_fast": 50}, {"unknown": 1}, {"buy_score": 0},
        {"weight_rsi": 0, "weight_macd": 0, "weight_averages": 0},
    ],
)  # fmt: skip
def test_parameters_outside_their_limits_are_refused(params: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Composite(params)


def columns(closes: list[float]) -> Candles:
    values = array("d", closes)
    return Candles(
        timeframe="1m",
        opened_ms=array("q", range(len(closes))),
        open=values,
        high=values,
        low=values,
        close=values,
        volume=values,
    )


def test_indicators_do_not_depend_on_history_before_the_window() -> None:
    """A longer download must not change a decision: the view always has the length the strategy asked for."""
    strategy = Composite({})
    tail = [100.0 + (index * 7 % 13) for index in range(strategy.candles_needed)]
    short = MarketView(columns(tail), length=strategy.candles_needed)
    long = MarketView(columns([50.0, 900.0, 3.0] * 40 + tail), length=strategy.candles_needed)
    assert strategy.decide(short, None) == strategy.decide(long, None)


def test_a_hundred_bots_share_one_computation() -> None:
    view = MarketView(columns([100 + (index * 7 % 13) for index in range(300)]), length=300)
    first = view.macd(12, 26, 9)
    assert view.macd(12, 26, 9) is first
