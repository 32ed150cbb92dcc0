"""A market whose readings are told, so that a test names only what matters to it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from surefill.strategies.base import Position
from surefill.strategies.market import MarketView

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Told(MarketView):
    """Readings by name; a list holds the newest first, as `ago` counts. What was not told can't be asked."""

    __slots__ = ("_told",)

    def __init__(
        self, *, symbol: str = "BTC/USDT", others: dict[tuple[str, str], MarketView] | None = None, **told: Any
    ):
        self.symbol = symbol
        self._others = others or {}
        self._told = told

    def _reading(self, name: str, ago: int = 0) -> Any:
        value = self._told[name]
        return value[ago] if isinstance(value, list) else value

    def other(self, *, symbol: str | None = None, timeframe: str | None = None) -> MarketView:
        return self._others[(symbol or self.symbol, timeframe or "")]

    @property
    def closed_at(self) -> datetime:
        return self._told.get("closed_at", NOON)

    def opened_at(self, ago: int = 0) -> datetime:
        return self.closed_at - (ago + 1) * self._told.get("length", timedelta(hours=1))

    def window(self, name: str, length: int) -> Any:
        return self._told["window"]

    def close(self, ago: int = 0) -> float:
        return self._reading("close", ago)

    def volume(self, ago: int = 0) -> float:
        return self._reading("volume", ago)

    def rsi(self, period: int, *, ago: int = 0) -> float:
        return self._reading("rsi", ago)

    def sma(self, period: int, *, ago: int = 0) -> float:
        return self._told[f"sma{period}"] if f"sma{period}" in self._told else self._reading("sma", ago)

    def ema(self, period: int, *, ago: int = 0) -> float:
        return self._told[f"ema{period}"] if f"ema{period}" in self._told else self._reading("ema", ago)

    def macd(self, fast: int, slow: int, signal: int, *, ago: int = 0) -> tuple[float, float]:
        return self._reading("macd", ago)

    def bands(self, period: int, deviations: float, *, ago: int = 0) -> tuple[float, float, float]:
        return self._reading("bands", ago)

    def atr(self, period: int, *, ago: int = 0) -> float:
        return self._reading("atr", ago)

    def adx(self, period: int, *, ago: int = 0) -> float:
        return self._reading("adx", ago)

    def average_volume(self, period: int, *, ago: int = 0) -> float:
        return self._reading("average_volume", ago)

    def highest(self, period: int, *, ago: int = 0) -> float:
        return self._reading("highest", ago)

    def lowest(self, period: int, *, ago: int = 0) -> float:
        return self._reading("lowest", ago)


def held(*, price: str = "100", tranches: int = 1, last_price: str | None = None, **values: Any) -> Position:
    """One base bought at `price`, a day ago."""
    return Position(
        **{
            "quantity": Decimal(1),
            "cost": Decimal(price),
            "opened_at": NOON - timedelta(days=1),
            "tranches": tranches,
            "last_price": Decimal(last_price) if last_price else None,
            **values,
        }
    )
