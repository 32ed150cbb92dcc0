"""A made-up market to check strategies on: the same seed gives the same candles, on every machine."""

from __future__ import annotations

import math
import random
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from surefill.domain.candles import Candles
from surefill.domain.times import from_milliseconds, timeframe_seconds
from surefill.strategies.market import MarketView, Series

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from surefill.strategies.base import Needs

SYMBOLS = ("BTC/USDT", "ETH/USDT")
_START_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z
_PRICE = 100.0
_REGIME_CANDLES = 60


@dataclass(frozen=True, kw_only=True)
class Market:
    """Candles of some symbols in one timeframe; longer ones are made of them. Series are kept, one per market."""

    candles: Mapping[str, Candles]
    _made: dict[tuple[str, str], Candles] = field(default_factory=dict)
    _series: dict[tuple[str, str], Series] = field(default_factory=dict)

    @property
    def timeframe(self) -> str:
        """Candle length of what was given."""
        return next(iter(self.candles.values())).timeframe

    def __len__(self) -> int:
        return min(len(candles) for candles in self.candles.values())

    def closed_at(self, index: int) -> datetime:
        """When a candle closed."""
        return from_milliseconds(self._closed_ms(index))

    def changed_after(self, index: int) -> Market:
        """The same up to a candle, and quite another market after it."""
        return Market(candles={symbol: _distorted(own, first=index + 1) for symbol, own in self.candles.items()})

    def until(self, index: int) -> Market:
        """Without the candles after `index`."""
        return Market(candles={symbol: _cut(own, last=index) for symbol, own in self.candles.items()})

    def series(self, symbol: str, timeframe: str | None = None) -> Series:
        """All candles of a symbol."""
        key = symbol, timeframe or self.timeframe
        if key not in self._series:
            self._series[key] = Series(self._in(*key))
        return self._series[key]

    def view(self, symbol: str, *, index: int, needs: Needs) -> MarketView:
        """The market at a candle over all there is, as a backtest sees it."""
        others = {}
        for other in needs.others:
            key = other.symbol or symbol, other.timeframe or self.timeframe
            at = self._last_closed(*key, index=index)
            others[key] = MarketView(self.series(*key), symbol=key[0], index=at)
        return MarketView(self.series(symbol), symbol=symbol, index=index, others=others)

    def exact_view(self, symbol: str, *, index: int, needs: Needs) -> MarketView:
        """The market at a candle with exactly the candles needed, as a running bot sees it."""
        others = {}
        for other in needs.others:
            key = other.symbol or symbol, other.timeframe or self.timeframe
            cut = _cut(self._in(*key), last=self._last_closed(*key, index=index))
            others[key] = MarketView(Series(cut, length=other.candles), symbol=key[0])
        own = Series(_cut(self.candles[symbol], last=index), length=needs.candles)
        return MarketView(own, symbol=symbol, others=others)

    def _in(self, symbol: str, timeframe: str) -> Candles:
        if timeframe == self.timeframe:
            return self.candles[symbol]
        if (symbol, timeframe) not in self._made:
            self._made[symbol, timeframe] = _longer(self.candles[symbol], timeframe)
        return self._made[symbol, timeframe]

    def _closed_ms(self, index: int) -> int:
        opened = next(iter(self.candles.values())).opened_ms[index]
        return opened + timeframe_seconds(self.timeframe) * 1_000

    def _last_closed(self, symbol: str, timeframe: str, *, index: int) -> int:
        latest_open = self._closed_ms(index) - timeframe_seconds(timeframe) * 1_000
        return bisect_right(self._in(symbol, timeframe).opened_ms, latest_open) - 1


def first_index(needs: Needs, timeframe: str) -> int:
    """The first candle of a generated market at which everything needed is there."""
    own = timeframe_seconds(timeframe)
    spans = [-(-(item.candles + 1) * timeframe_seconds(item.timeframe or timeframe) // own) for item in needs.others]
    return max([needs.candles, *spans])


def generated(*, seed: int, count: int, timeframe: str) -> Market:
    """Two symbols that move together loosely, in calm and wild stretches that rise, fall or stay."""
    source = random.Random(seed)  # noqa: S311 - a made-up market, nothing secret
    step = math.sqrt(timeframe_seconds(timeframe) / 60) * 0.0006
    first, ratio = [0.0], [0.0]
    drift, wildness = 0.0, 1.0
    for index in range(count):
        if index % _REGIME_CANDLES == 0:
            drift, wildness = source.choice((-0.25, -0.1, 0.0, 0.0, 0.1, 0.25)), source.choice((0.5, 1.0, 2.0))
        first.append(0.998 * first[-1] + (drift * step + source.gauss(0, step)) * wildness)
        ratio.append(0.97 * ratio[-1] + source.gauss(0, step))
    second = [own + other for own, other in zip(first, ratio, strict=True)]
    return Market(
        candles={
            symbol: _candles(path, timeframe=timeframe, step=step, source=source)
            for symbol, path in zip(SYMBOLS, (first, second), strict=True)
        }
    )


def shaped(price: Callable[[int], float], *, count: int, timeframe: str, volume: float = 10.0) -> Market:
    """All symbols with closes of a given shape; each candle opens at the close before."""
    closes = [price(index) for index in range(count + 1)]
    rows = [(opened, max(opened, close), min(opened, close), close, volume) for opened, close in _steps(closes)]
    candles = _columns(rows, timeframe=timeframe)
    return Market(candles=dict.fromkeys(SYMBOLS, candles))


def _candles(path: list[float], *, timeframe: str, step: float, source: random.Random) -> Candles:
    rows = []
    for opened, close in _steps([_PRICE * math.exp(value) for value in path]):
        high = max(opened, close) * math.exp(abs(source.gauss(0, step / 2)))
        low = min(opened, close) * math.exp(-abs(source.gauss(0, step / 2)))
        rows.append((opened, high, low, close, source.lognormvariate(3, 0.6) * (1 + abs(close / opened - 1) / step)))
    return _columns(rows, timeframe=timeframe)


def _steps(closes: list[float]) -> list[tuple[float, float]]:
    return list(pairwise(closes))


def _columns(rows: list[tuple[float, float, float, float, float]], *, timeframe: str) -> Candles:
    length = timeframe_seconds(timeframe) * 1_000
    start = -(-_START_MS // length) * length
    opened, high, low, close, volume = (array("d", column) for column in zip(*rows, strict=True))
    times = array("q", range(start, start + length * len(rows), length))
    return Candles(timeframe=timeframe, opened_ms=times, open=opened, high=high, low=low, close=close, volume=volume)


def _cut(candles: Candles, *, last: int) -> Candles:
    end = last + 1
    return replace(
        candles,
        opened_ms=candles.opened_ms[:end],
        open=candles.open[:end],
        high=candles.high[:end],
        low=candles.low[:end],
        close=candles.close[:end],
        volume=candles.volume[:end],
    )


def _distorted(candles: Candles, *, first: int) -> Candles:
    """From `first` on: prices turned around the last one that stays, doubled in movement, and volume with it."""
    pivot = candles.close[first - 1]

    def turned(kept: array[float], source: array[float]) -> array[float]:
        return array("d", [*kept[:first], *(pivot * (pivot / value) ** 2 for value in source[first:])])

    return replace(
        candles,
        open=turned(candles.open, candles.open),
        high=turned(candles.high, candles.low),
        low=turned(candles.low, candles.high),
        close=turned(candles.close, candles.close),
        volume=array("d", [*candles.volume[:first], *(3 * value + 1 for value in candles.volume[first:])]),
    )


def _longer(candles: Candles, timeframe: str) -> Candles:
    """Candles of a longer timeframe; the first is left out when it is not whole, the last may be unfinished."""
    length = timeframe_seconds(timeframe) * 1_000
    groups: dict[int, list[int]] = {}
    for index, opened in enumerate(candles.opened_ms):
        groups.setdefault(opened - opened % length, []).append(index)
    whole = [(at, members) for at, members in groups.items() if candles.opened_ms[members[0]] == at]
    return Candles(
        timeframe=timeframe,
        opened_ms=array("q", [at for at, _ in whole]),
        open=array("d", [candles.open[members[0]] for _, members in whole]),
        high=array("d", [max(candles.high[members[0] : members[-1] + 1]) for _, members in whole]),
        low=array("d", [min(candles.low[members[0] : members[-1] + 1]) for _, members in whole]),
        close=array("d", [candles.close[members[-1]] for _, members in whole]),
        volume=array("d", [math.fsum(candles.volume[members[0] : members[-1] + 1]) for _, members in whole]),
    )
