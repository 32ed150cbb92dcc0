"""Made-up markets: a seeded random walk in the shape of the reference benchmark, and candle files of any rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from local.backtest.history import History

START_MS = 1_735_689_600_000  # 2025-01-01 UTC
FIVE_MINUTES_MS = 300_000
# Price moves per candle that high and low are read off.
_MOVES = 10


@dataclass(frozen=True, slots=True)
class Walk:
    """Candles of several pairs: open times (ms), and one row per pair in each of the other columns."""

    opened_ms: Any
    open: Any
    high: Any
    low: Any
    close: Any
    volume: Any

    def history(self, pair: int, *, symbol: str | None = None, timeframe: str = "5m") -> History:
        return History(
            symbol=symbol or symbol_of(pair),
            timeframe=timeframe,
            opened_ms=self.opened_ms,
            open=self.open[pair],
            high=self.high[pair],
            low=self.low[pair],
            close=self.close[pair],
            volume=self.volume[pair],
        )


def symbol_of(pair: int) -> str:
    return f"C{pair:02d}/USDT"


def random_walk(*, pairs: int, candles: int, seed: int = 42) -> Walk:
    """Geometric Brownian motion; the draws are made in a fixed order, so a seed is a market for good."""
    draw = np.random.default_rng(seed)
    first = np.exp(draw.uniform(-2, 10, (pairs, 1)))
    volatility = draw.uniform(0.001, 0.004, (pairs, 1, 1))
    moves = draw.normal(0, 1, (pairs, candles, _MOVES)) * volatility / np.sqrt(_MOVES)
    path = first[:, :, None] * np.exp(np.cumsum(moves.reshape(pairs, -1), axis=1).reshape(pairs, candles, _MOVES))
    close = path[:, :, -1]
    opened = np.concatenate([first, close[:, :-1]], axis=1)
    return Walk(
        opened_ms=START_MS + np.arange(candles, dtype=np.int64) * FIVE_MINUTES_MS,
        open=opened,
        high=np.maximum(path.max(axis=2), opened),
        low=np.minimum(path.min(axis=2), opened),
        close=close,
        volume=draw.uniform(1, 1_000, (pairs, candles)),
    )


def write_csv(path: Path, history: History) -> Path:
    """A candle file of a history."""
    columns = (history.opened_ms, history.open, history.high, history.low, history.close, history.volume)
    return write_rows(path, zip(*(column.tolist() for column in columns), strict=True))


def write_rows(path: Path, rows: Iterable[Sequence[object]]) -> Path:
    """A candle file of rows as they are."""
    lines = ["timestamp,open,high,low,close,volume", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def history_of(
    rows: Sequence[tuple[float, float, float, float]], *, symbol: str = "BTC/USDT", timeframe: str = "5m"
) -> History:
    """A history of (open, high, low, close) rows from START_MS on, without gaps."""
    table = np.array(rows, dtype=float)
    length_ms = FIVE_MINUTES_MS if timeframe == "5m" else 60_000
    return History(
        symbol=symbol,
        timeframe=timeframe,
        opened_ms=START_MS + np.arange(len(table), dtype=np.int64) * length_ms,
        open=table[:, 0],
        high=table[:, 1],
        low=table[:, 2],
        close=table[:, 3],
        volume=np.full(len(table), 100.0),
    )
