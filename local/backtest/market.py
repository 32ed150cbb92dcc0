"""The market of a backtest: every symbol's candles, in the lengths bots ask for, seen from any moment of the past."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.backtest.history import resample
from local.errors import LocalError
from surefill.domain.market import Refusal
from surefill.domain.reasons import Reason
from surefill.strategies.market import MarketView, Series

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.backtest.history import History
    from surefill.strategies.base import Needs


@dataclass(frozen=True, slots=True)
class Lane:
    """Candles of one symbol in one length, with their indicators (`series`) and closing times (ms)."""

    history: History
    series: Series
    closed_ms: Any

    @classmethod
    def of(cls, history: History) -> Lane:
        """A lane of a history."""
        return cls(history, Series(history.candles()), history.opened_ms + history.length_ms)

    def last_closed(self, now_ms: int) -> int:
        """Index of the newest candle closed at `now_ms`; -1 when there is none."""
        return int(self.closed_ms.searchsorted(now_ms, side="right")) - 1


@dataclass(slots=True, kw_only=True)
class Market:
    """Histories by symbol, as read from their files. Longer candles are made at first use."""

    histories: Mapping[str, History]
    _lanes: dict[tuple[str, str], Lane] = field(default_factory=dict)

    def lane(self, symbol: str, timeframe: str) -> Lane:
        """The candles of a symbol in a length. Raises LocalError when there are none."""
        key = (symbol, timeframe)
        if key not in self._lanes:
            history = self.histories.get(symbol)
            if history is None:
                known = ", ".join(sorted(self.histories))
                raise LocalError(f"candles of {symbol} are needed and were not given, only those of {known}")
            self._lanes[key] = Lane.of(resample(history, timeframe=timeframe))
        return self._lanes[key]

    def finest(self, symbol: str) -> Lane:
        """The candles as recorded."""
        return self.lane(symbol, self.histories[symbol].timeframe)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastData:
    """What `usecases.data.BatchData` is to a live evaluation: views of the market at one moment of the past."""

    market: Market
    symbol: str
    timeframe: str
    now_ms: int

    def expect(self, needs: Iterable[Needs]) -> None:
        """Nothing to prepare: everything is in memory."""

    def view(self, needs: Needs) -> MarketView | Refusal:
        """The market at the newest candle closed by now; refused while there are too few of them."""
        views: dict[tuple[str, str], MarketView] = {}
        own = (self.symbol, self.timeframe)
        lanes = [
            ((other.symbol or self.symbol, other.timeframe or self.timeframe), other.candles) for other in needs.others
        ]
        for (symbol, timeframe), length in (*(lane for lane in lanes if lane[0] != own), (own, needs.candles)):
            lane = self.market.lane(symbol, timeframe)
            index = lane.last_closed(self.now_ms)
            if index + 1 < length:
                numbers = {"candles": str(index + 1), "needed": str(length), "symbol": symbol, "timeframe": timeframe}
                return Refusal(reason=Reason.DATA_SHORT, numbers=numbers)
            views[(symbol, timeframe)] = MarketView(lane.series, symbol=symbol, index=index, others=views)
        return views[own]
