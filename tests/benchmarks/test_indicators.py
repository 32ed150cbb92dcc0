"""Indicators are TA-Lib's, bit for bit: through the market view as in a direct call on the same arrays."""

from collections.abc import Callable
from typing import Any

import numpy
import pytest
import talib

from local.strategies.markets import SYMBOLS, generated
from surefill.strategies.market import MarketView, Series

CANDLES = generated(seed=11, count=700, timeframe="5m").candles[SYMBOLS[0]]
OPEN, HIGH, LOW, CLOSE, VOLUME = (
    numpy.array(getattr(CANDLES, name)) for name in ("open", "high", "low", "close", "volume")
)
READINGS: dict[str, tuple[Callable[..., Any], Callable[[], Any]]] = {
    "rsi": (lambda view, ago: view.rsi(14, ago=ago), lambda: talib.RSI(CLOSE, 14)),
    "sma": (lambda view, ago: view.sma(50, ago=ago), lambda: talib.SMA(CLOSE, 50)),
    "ema": (lambda view, ago: view.ema(20, ago=ago), lambda: talib.EMA(CLOSE, 20)),
    "macd": (lambda view, ago: view.macd(12, 26, 9, ago=ago), lambda: talib.MACD(CLOSE, 12, 26, 9)[:2]),
    "bands": (lambda view, ago: view.bands(20, 2.5, ago=ago), lambda: talib.BBANDS(CLOSE, 20, 2.5, 2.5, 0)[::-1]),
    "atr": (lambda view, ago: view.atr(14, ago=ago), lambda: talib.ATR(HIGH, LOW, CLOSE, 14)),
    "adx": (lambda view, ago: view.adx(14, ago=ago), lambda: talib.ADX(HIGH, LOW, CLOSE, 14)),
    "highest": (lambda view, ago: view.highest(20, ago=ago), lambda: talib.MAX(HIGH, 20)),
    "lowest": (lambda view, ago: view.lowest(20, ago=ago), lambda: talib.MIN(LOW, 20)),
    "average_volume": (lambda view, ago: view.average_volume(20, ago=ago), lambda: talib.SMA(VOLUME, 20)),
    "open": (lambda view, ago: view.open(ago), lambda: OPEN),
    "high": (lambda view, ago: view.high(ago), lambda: HIGH),
    "low": (lambda view, ago: view.low(ago), lambda: LOW),
    "close": (lambda view, ago: view.close(ago), lambda: CLOSE),
    "volume": (lambda view, ago: view.volume(ago), lambda: VOLUME),
}


@pytest.mark.parametrize("name", READINGS)
def test_equal_to_ta_lib_bit_for_bit(name: str) -> None:
    reading, direct = READINGS[name]
    expected = direct()
    columns = expected if isinstance(expected, tuple) else (expected,)
    view = MarketView(Series(CANDLES))
    for ago in range(len(CANDLES)):
        value = reading(view, ago)
        values = value if isinstance(value, tuple) else (value,)
        wanted = [float(column[len(CANDLES) - 1 - ago]) for column in columns]
        assert numpy.array(values).tobytes() == numpy.array(wanted).tobytes(), f"{name} {ago} candles ago"


def test_every_reading_of_a_market_is_compared() -> None:
    apart = {"closed_at", "opened_at", "other", "other_symbols", "symbol", "value", "window"}
    assert {name for name in dir(MarketView) if not name.startswith("_")} - apart == set(READINGS)
