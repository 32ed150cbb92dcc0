"""The market as a strategy sees it: closed candles with indicators, computed once for all bots that ask the same."""

from collections.abc import Callable
from typing import TypeVar, cast

from surefill.domain.candles import Candles
from surefill.strategies import indicators

_Value = TypeVar("_Value")


class MarketView:
    """The last `length` closed candles of a symbol. Indicator values are those of the newest candle.

    Results are remembered, so a hundred bots with the same indicator cost one computation.
    """

    def __init__(self, candles: Candles, *, length: int) -> None:
        if len(candles) < length:
            raise ValueError(f"market view needs {length} candles, had {len(candles)}")
        self._candles = candles
        self._start = len(candles) - length
        self._known: dict[tuple[str | int, ...], object] = {}

    @property
    def close(self) -> float:
        """Close of the newest candle, in quote."""
        return self._candles.close[-1]

    def rsi(self, period: int) -> float:
        """Relative strength index (Wilder), 0 to 100."""
        return self._once(indicators.rsi, period)

    def sma(self, period: int) -> float:
        """Simple moving average of the closes, in quote."""
        return self._once(indicators.sma, period)

    def macd(self, fast: int, slow: int, signal: int) -> tuple[float, float]:
        """MACD line and its signal line (Appel), in quote."""
        return self._once(indicators.macd, fast, slow, signal)

    def _once(self, indicator: Callable[..., _Value], *arguments: int) -> _Value:
        key: tuple[str | int, ...] = (indicator.__name__, *arguments)
        if key not in self._known:
            self._known[key] = indicator(self._candles.close[self._start :], *arguments)
        return cast("_Value", self._known[key])
