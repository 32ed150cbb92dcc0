"""rsi_macd, momentum_breakout, mean_reversion, swing and scalping: one test per row of their signal tables."""

from typing import Any

import pytest
import talib
from pydantic import ValidationError

from local.strategies.markets import SYMBOLS, generated
from surefill.strategies import STRATEGIES
from surefill.strategies.base import Action, Position
from surefill.strategies.market import MarketView
from tests.unit.strategies.told import Told, held

UP, DOWN, NONE = [(2, 1), (1, 1)], [(1, 2), (2, 2)], [(2, 1), (2, 1)]


def action_of(name: str, position: Position | None, params: dict[str, Any] | None = None, **told: Any) -> Action:
    return STRATEGIES[name](params or {}).decide(Told(**told), position).action


@pytest.mark.parametrize(
    ("macd", "rsi", "volume", "action"),
    [
        (UP, 49.9, 1, "BUY"), (UP, 50, 1, "HOLD"), (UP, 49.9, 0, "HOLD"), (DOWN, 40, 1, "SELL"), (DOWN, 80, 0, "SELL"),
        (NONE, 70.1, 1, "SELL"), (UP, 70.1, 1, "SELL"), (NONE, 70, 1, "HOLD"),
        ([(2, 1), (2, 2)], 40, 1, "BUY"), ([(1, 2), (1, 1)], 40, 1, "SELL"), ([(1, 1), (0, 1)], 40, 1, "HOLD"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("position", [None, held()])
def test_rsi_macd(macd: list[tuple[float, float]], rsi: float, volume: float, action: str, position: Any) -> None:
    assert action_of("rsi_macd", position, macd=macd, rsi=rsi, volume=volume) == Action(action)


def test_rsi_macd_is_the_rule_stated_over_whole_columns() -> None:
    """The same rule written once more, for all candles at once, as other backtesters do."""
    market = generated(seed=5, count=3_000, timeframe="5m")
    series = market.series(SYMBOLS[0])
    closes, volume = series.column("close"), series.column("volume")
    rsi, (macd, line, _) = talib.RSI(closes, 14), talib.MACD(closes, 12, 26, 9)
    above = macd > line
    crossed_up = above[1:] & (macd[:-1] <= line[:-1])
    crossed_down = (macd < line)[1:] & (macd[:-1] >= line[:-1])
    enter, leave = crossed_up & (rsi[1:] < 50) & (volume[1:] > 0), crossed_down | (rsi[1:] > 70)
    expected = ["BUY" if buy else "SELL" if sell else "HOLD" for buy, sell in zip(enter, leave, strict=True)]
    strategy = STRATEGIES["rsi_macd"]({})
    assert [strategy.decide(MarketView(series, index=index), None).action for index in range(1, 3_000)] == expected
    assert expected.count("BUY") > 10
    assert expected.count("SELL") > 10


NAN = float("nan")


def test_rsi_macd_before_the_indicators_begin() -> None:
    assert action_of("rsi_macd", None, macd=[(2, 1), (NAN, NAN)], rsi=40, volume=1) is Action.HOLD


@pytest.mark.parametrize(
    ("close", "volume", "adx", "action"),
    [(101, 15, 20, "BUY"), (101, 14.9, 20, "HOLD"), (101, 15, 19.9, "HOLD"), (100, 15, 20, "HOLD")],
)
def test_momentum_breakout_enters(close: float, volume: float, adx: float, action: str) -> None:
    told = {"close": close, "highest": [999, 100], "volume": volume, "average_volume": [999, 10], "adx": adx}
    assert action_of("momentum_breakout", None, **told) == Action(action)


@pytest.mark.parametrize(("close", "action"), [(89.9, "SELL"), (90, "HOLD")])
def test_momentum_breakout_leaves(close: float, action: str) -> None:
    assert action_of("momentum_breakout", held(), close=close, lowest=[0, 90]) == Action(action)


@pytest.mark.parametrize(
    ("position", "close", "rsi", "action"),
    [
        (None, 89.9, 35, "BUY"), (None, 89.9, 0, "HOLD"), (None, 89.9, 35.1, "HOLD"), (None, 90, 35, "HOLD"),
        (held(), 100, 50, "SELL"), (held(), 99.9, 65, "SELL"), (held(), 99.9, 64.9, "HOLD"),
    ],
)  # fmt: skip
def test_mean_reversion(position: Position | None, close: float, rsi: float, action: str) -> None:
    assert action_of("mean_reversion", position, close=close, rsi=rsi, bands=(90, 100, 110)) == Action(action)


@pytest.mark.parametrize(
    ("trend_close", "rsi", "action"),
    [
        (101, [40.1, 40], "BUY"), (100, [40.1, 40], "HOLD"), (101, [40.1, 40.05], "HOLD"), (101, [40, 39], "HOLD"),
    ],
)  # fmt: skip
def test_swing_enters(trend_close: float, rsi: list[float], action: str) -> None:
    others = {("BTC/USDT", "4h"): Told(close=trend_close, ema=100)}
    assert action_of("swing", None, others=others, close=50, rsi=rsi) == Action(action)


@pytest.mark.parametrize(("rsi", "close", "action"), [(75, 200, "SELL"), (74.9, 97.9, "SELL"), (74.9, 98, "HOLD")])
def test_swing_leaves(rsi: float, close: float, action: str) -> None:
    assert action_of("swing", held(), close=close, rsi=rsi, sma=100) == Action(action)


@pytest.mark.parametrize(
    ("fast", "close", "rsi", "atr", "action"),
    [
        (101, 102, 50, 0.06, "BUY"), (101, 102, 70, 0.06, "BUY"), (101, 102, 60, 0.05, "HOLD"),
        (101, 102, 49.9, 0.06, "HOLD"), (101, 102, 70.1, 0.06, "HOLD"), (101, 101, 60, 0.06, "HOLD"),
        (100, 102, 60, 0.06, "HOLD"),
    ],
)  # fmt: skip
def test_scalping_enters(fast: float, close: float, rsi: float, atr: float, action: str) -> None:
    assert action_of("scalping", None, close=close, rsi=rsi, atr=atr, ema5=fast, ema13=100) == Action(action)


@pytest.mark.parametrize(("close", "rsi", "action"), [(99.9, 60, "SELL"), (100, 80, "SELL"), (100, 79.9, "HOLD")])
def test_scalping_leaves(close: float, rsi: float, action: str) -> None:
    assert action_of("scalping", held(), close=close, rsi=rsi, ema13=100) == Action(action)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("rsi_macd", {"macd_fast": 26}), ("rsi_macd", {"rsi_entry": 71}),
        ("swing", {"rsi_pullback": 69, "rsi_exit": 60}),
        ("swing", {"trend_timeframe": "4 hours"}), ("scalping", {"average_fast": 13}), ("scalping", {"rsi_low": 70}),
        ("scalping", {"rsi_exit": 69}), ("momentum_breakout", {"adx_minimum": 101}), ("mean_reversion", {"extra": 1}),
    ],
)  # fmt: skip
def test_parameters_that_contradict_are_refused(name: str, params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        STRATEGIES[name](params)


@pytest.mark.parametrize(
    ("name", "timeframe", "seconds"),
    [
        ("scalping", "1m", 30), ("momentum_breakout", "5m", 300), ("webhook", "5m", 300),
        ("mean_reversion", "30m", 1_800),
        ("pairs", "30m", 1_800), ("swing", "30m", 1_800), ("spot_grid", "1m", 86_400), ("infinity_grid", "1m", 86_400),
        ("dca", "1h", 86_400), ("rebalance", "1h", 604_800),
    ],
)  # fmt: skip
def test_default_cadence(name: str, timeframe: str, seconds: int) -> None:
    strategy = STRATEGIES[name]
    assert (strategy.default_timeframe, strategy.default_interval_seconds) == (timeframe, seconds)


def test_only_those_that_hold_on_purpose_may_go_without_a_stop() -> None:
    assert {name for name, kind in STRATEGIES.items() if kind.holds_without_stop} == {
        "dca", "infinity_grid", "rebalance", "spot_grid",
    }  # fmt: skip
