"""The market as a strategy sees it: closed candles with indicators, computed once for all bots that ask the same."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from surefill.domain.times import from_milliseconds, timeframe_seconds
from surefill.strategies import indicators

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from surefill.domain.candles import Candles


class Series:
    """Candles of one symbol and timeframe, with every indicator computed at most once, for all its candles."""

    def __init__(self, candles: Candles, *, length: int | None = None) -> None:
        kept = len(candles) if length is None else length
        if len(candles) < kept:
            raise ValueError(f"a series needs {kept} candles, had {len(candles)}")
        self.start = len(candles) - kept
        self.candles = candles
        self._columns: dict[str, Any] = {}
        self._known: dict[tuple[object, ...], Any] = {}

    def __len__(self) -> int:
        return len(self.candles) - self.start

    def column(self, name: str) -> Any:
        """A numpy column: open, high, low, close or volume."""
        if name not in self._columns:
            column: array[float] = getattr(self.candles, name)
            values = indicators.as_column(column)[self.start :]
            values.flags.writeable = False  # all bots on this market read the same memory
            self._columns[name] = values
        return self._columns[name]

    def once(self, indicator: Callable[..., Any], *arguments: Any) -> Any:
        """`indicator(series, *arguments)`, remembered."""
        key = (indicator, *arguments)
        if key not in self._known:
            self._known[key] = indicator(self, *arguments)
        return self._known[key]

    def opened_ms(self, index: int) -> int:
        """Open time of a candle in ms since 1970 UTC."""
        return self.candles.opened_ms[self.start + index]


class MarketView:
    """The market at the end of one closed candle. Nothing later than that candle can be reached from here.

    `ago` asks for an earlier candle: 0 is the newest, 1 the one before. Prices are quote floats, made for indicators;
    money is never computed from them.
    """

    __slots__ = ("_index", "_others", "_series", "symbol")

    def __init__(
        self,
        series: Series,
        *,
        symbol: str = "",
        index: int | None = None,
        others: Mapping[tuple[str, str], MarketView] | None = None,
    ) -> None:
        self._series = series
        self._index = len(series) - 1 if index is None else index
        self._others = others or {}
        self.symbol = symbol

    def other(self, *, symbol: str | None = None, timeframe: str | None = None) -> MarketView:
        """The declared other symbol or timeframe at the same moment; KeyError when it was not declared."""
        return self._others[(symbol or self.symbol, timeframe or self._series.candles.timeframe)]

    @property
    def other_symbols(self) -> tuple[str, ...]:
        """The declared other symbols."""
        return tuple(sorted({symbol for symbol, _ in self._others if symbol != self.symbol}))

    def opened_at(self, ago: int = 0) -> datetime:
        """When a candle opened."""
        return from_milliseconds(self._series.opened_ms(self._at(ago)))

    @property
    def closed_at(self) -> datetime:
        """When the newest candle closed."""
        length = timedelta(seconds=timeframe_seconds(self._series.candles.timeframe))
        return from_milliseconds(self._series.opened_ms(self._index)) + length

    def value(self, indicator: Callable[..., Any], *arguments: Any, ago: int = 0) -> float:
        """Value of an indicator function of `surefill.strategies.indicators` at the newest candle."""
        return float(self._series.once(indicator, *arguments)[self._at(ago)])

    def window(self, name: str, length: int) -> Any:
        """The last `length` values of a column (open, high, low, close, volume), oldest first, as a numpy array."""
        return self._series.column(name)[self._at(length - 1) : self._index + 1]

    def open(self, ago: int = 0) -> float:
        """Open of a candle."""
        return float(self._series.column("open")[self._at(ago)])

    def high(self, ago: int = 0) -> float:
        """High of a candle."""
        return float(self._series.column("high")[self._at(ago)])

    def low(self, ago: int = 0) -> float:
        """Low of a candle."""
        return float(self._series.column("low")[self._at(ago)])

    def close(self, ago: int = 0) -> float:
        """Close of a candle."""
        return float(self._series.column("close")[self._at(ago)])

    def volume(self, ago: int = 0) -> float:
        """Base volume of a candle."""
        return float(self._series.column("volume")[self._at(ago)])

    def rsi(self, period: int, *, ago: int = 0) -> float:
        """Relative strength index (Wilder), 0 to 100."""
        return self.value(indicators.rsi, period, ago=ago)

    def sma(self, period: int, *, ago: int = 0) -> float:
        """Simple moving average of the closes."""
        return self.value(indicators.sma, period, ago=ago)

    def ema(self, period: int, *, ago: int = 0) -> float:
        """Exponential moving average of the closes."""
        return self.value(indicators.ema, period, ago=ago)

    def macd(self, fast: int, slow: int, signal: int, *, ago: int = 0) -> tuple[float, float]:
        """MACD line and its signal line (Appel)."""
        line, signals = self._series.once(indicators.macd, fast, slow, signal)
        return float(line[self._at(ago)]), float(signals[self._at(ago)])

    def bands(self, period: int, deviations: float, *, ago: int = 0) -> tuple[float, float, float]:
        """Bollinger's lower, middle and upper band of the closes."""
        lower, middle, upper = self._series.once(indicators.bands, period, deviations)
        at = self._at(ago)
        return float(lower[at]), float(middle[at]), float(upper[at])

    def atr(self, period: int, *, ago: int = 0) -> float:
        """Average true range (Wilder), in quote."""
        return self.value(indicators.atr, period, ago=ago)

    def adx(self, period: int, *, ago: int = 0) -> float:
        """Average directional index (Wilder), 0 to 100."""
        return self.value(indicators.adx, period, ago=ago)

    def average_volume(self, period: int, *, ago: int = 0) -> float:
        """Mean base volume of the last `period` candles."""
        return self.value(indicators.average_volume, period, ago=ago)

    def highest(self, period: int, *, ago: int = 0) -> float:
        """Highest high of the last `period` candles."""
        return self.value(indicators.highest, period, ago=ago)

    def lowest(self, period: int, *, ago: int = 0) -> float:
        """Lowest low of the last `period` candles."""
        return self.value(indicators.lowest, period, ago=ago)

    def _at(self, ago: int) -> int:
        if not 0 <= ago <= self._index:
            raise IndexError(f"ago must be 0 to {self._index}, was {ago}: a market ends at its newest candle")
        return self._index - ago
