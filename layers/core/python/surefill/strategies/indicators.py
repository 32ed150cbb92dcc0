"""Indicators from TA-Lib on plain columns. Each returns the value at the newest candle.

TA-Lib and numpy are only in the layer of `evaluate`; the import stays inside, so parameters can be validated elsewhere.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from array import array


def load() -> Any:
    """Import TA-Lib now, so that a function pays for it while it starts and not at its first tick."""
    return importlib.import_module("talib")


def _column(values: array[float]) -> Any:
    return importlib.import_module("numpy").frombuffer(values, dtype="float64")


def rsi(close: array[float], period: int) -> float:
    """Relative strength index, Wilder's smoothing (TA-Lib RSI)."""
    return float(load().RSI(_column(close), timeperiod=period)[-1])


def sma(close: array[float], period: int) -> float:
    """Simple moving average (TA-Lib SMA)."""
    return float(load().SMA(_column(close), timeperiod=period)[-1])


def macd(close: array[float], fast: int, slow: int, signal: int) -> tuple[float, float]:
    """MACD line and signal line (TA-Lib MACD)."""
    line, signal_line, _ = load().MACD(_column(close), fastperiod=fast, slowperiod=slow, signalperiod=signal)
    return float(line[-1]), float(signal_line[-1])
