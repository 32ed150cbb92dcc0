"""Indicators from TA-Lib over whole columns: one value per candle, NaN while an indicator warms up.

TA-Lib and numpy are only in the layer of `evaluate`; the import stays inside, so parameters can be validated elsewhere.
Each function takes the series first; `MarketView` picks the values of one candle out of the result.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from array import array

    from surefill.strategies.market import Series


def load() -> Any:
    """Import TA-Lib now, so that a function pays for it while it starts and not at its first tick."""
    return importlib.import_module("talib")


def as_column(values: array[float]) -> Any:
    """A column of floats as a numpy array, without a copy."""
    return importlib.import_module("numpy").frombuffer(values, dtype="float64")


def memory_of_wilder(period: int) -> int:
    """Candles after which Wilder's smoothing has forgotten where it began: what is left of it weighs below 1e-5."""
    return 12 * period


def memory_of_ema(period: int) -> int:
    """Candles after which an exponential average has forgotten where it began: what is left weighs below 1e-5."""
    return 6 * period


def earlier(values: Any, *, by: int = 1) -> Any:
    """A column moved `by` candles later: at each candle stands what was known before; NaN where nothing was."""
    moved = importlib.import_module("numpy").full_like(values, float("nan"))
    moved[by:] = values[:-by]
    return moved


def rsi(series: Series, period: int) -> Any:
    """Relative strength index, Wilder's smoothing (TA-Lib RSI)."""
    return load().RSI(series.column("close"), timeperiod=period)


def sma(series: Series, period: int) -> Any:
    """Simple moving average (TA-Lib SMA)."""
    return load().SMA(series.column("close"), timeperiod=period)


def ema(series: Series, period: int) -> Any:
    """Exponential moving average (TA-Lib EMA)."""
    return load().EMA(series.column("close"), timeperiod=period)


def macd(series: Series, fast: int, slow: int, signal: int) -> tuple[Any, Any]:
    """MACD line and signal line (TA-Lib MACD)."""
    line, signal_line, _ = load().MACD(series.column("close"), fastperiod=fast, slowperiod=slow, signalperiod=signal)
    return line, signal_line


def bands(series: Series, period: int, deviations: float) -> tuple[Any, Any, Any]:
    """Bollinger's lower, middle and upper band around a simple moving average (TA-Lib BBANDS)."""
    upper, middle, lower = load().BBANDS(
        series.column("close"), timeperiod=period, nbdevup=deviations, nbdevdn=deviations, matype=0
    )
    return lower, middle, upper


def atr(series: Series, period: int) -> Any:
    """Average true range, Wilder's smoothing (TA-Lib ATR)."""
    return load().ATR(series.column("high"), series.column("low"), series.column("close"), timeperiod=period)


def adx(series: Series, period: int) -> Any:
    """Average directional index (TA-Lib ADX)."""
    return load().ADX(series.column("high"), series.column("low"), series.column("close"), timeperiod=period)


def highest(series: Series, period: int) -> Any:
    """Highest high of each `period` candles (TA-Lib MAX)."""
    return load().MAX(series.column("high"), timeperiod=period)


def lowest(series: Series, period: int) -> Any:
    """Lowest low of each `period` candles (TA-Lib MIN)."""
    return load().MIN(series.column("low"), timeperiod=period)


def average_volume(series: Series, period: int) -> Any:
    """Mean base volume of each `period` candles (TA-Lib SMA)."""
    return load().SMA(series.column("volume"), timeperiod=period)
