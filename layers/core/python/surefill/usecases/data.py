"""The market data of one batch: every symbol and timeframe fetched once, every indicator computed once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from surefill.domain.candles import CandleError, Candles, closed_candles, data_problem
from surefill.domain.market import Refusal
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.times import format_time
from surefill.ports import Venues
from surefill.strategies.base import Needs
from surefill.strategies.market import MarketView, Series

Lane = tuple[str, str]


class Views(Protocol):
    """Where the market is seen from: candles of a batch, or of the past."""

    def view(self, needs: Needs) -> MarketView | Refusal:
        """The market as a strategy with these needs sees it, or why it can't."""
        ...


@dataclass(slots=True, kw_only=True)
class BatchData:
    """Candles of a venue at a tick, by symbol and timeframe."""

    venues: Venues
    venue: str
    symbol: str
    timeframe: str
    tick: datetime
    _longest: dict[Lane, int] = field(default_factory=dict)
    _candles: dict[Lane, Candles | Refusal] = field(default_factory=dict)
    _series: dict[tuple[Lane, int], Series] = field(default_factory=dict)

    def expect(self, needs: Iterable[Needs]) -> None:
        """Note what will be asked for, so that each lane is fetched once and long enough for all."""
        for need in needs:
            for lane, length in self._lanes(need):
                self._longest[lane] = max(self._longest.get(lane, 0), length)

    def view(self, needs: Needs) -> MarketView | Refusal:
        """The market as a strategy with these needs sees it, or why it can't."""
        views: dict[Lane, MarketView] = {}
        for lane, length in reversed(self._lanes(needs)):
            candles = self._fetched(lane)
            if isinstance(candles, Refusal):
                return candles
            problem = data_problem(candles, tick=self.tick, needed=length)
            if problem is not None:
                return _short(problem, candles=candles, needed=length, lane=lane)
            series = self._series.setdefault((lane, length), Series(candles, length=length))
            views[lane] = MarketView(series, symbol=lane[0], others=views)
        return views[(self.symbol, self.timeframe)]

    def _lanes(self, needs: Needs) -> list[tuple[Lane, int]]:
        own: list[tuple[Lane, int]] = [((self.symbol, self.timeframe), needs.candles)]
        return own + [
            ((other.symbol or self.symbol, other.timeframe or self.timeframe), other.candles)
            for other in needs.others
            if (other.symbol or self.symbol, other.timeframe or self.timeframe) != own[0][0]
        ]

    def _fetched(self, lane: Lane) -> Candles | Refusal:
        if lane not in self._candles:
            self._candles[lane] = self._fetch(lane)
        return self._candles[lane]

    def _fetch(self, lane: Lane) -> Candles | Refusal:
        symbol, timeframe = lane
        try:
            rows = self.venues.market_data(self.venue).candle_rows(
                symbol=symbol, timeframe=timeframe, until=self.tick, limit=self._longest[lane] + 1
            )
            return closed_candles(timeframe=timeframe, rows=rows, tick=self.tick)
        except VenueError as error:
            until = {"until": format_time(error.retry_at)} if error.retry_at else {}
            return Refusal(reason=error.reason, numbers={"error": str(error), "symbol": symbol, **until})
        except CandleError as error:
            return Refusal(reason=Reason.NO_DATA, numbers={"error": str(error), "symbol": symbol})


def _short(problem: Reason, *, candles: Candles, needed: int, lane: Lane) -> Refusal:
    numbers = {"candles": str(len(candles)), "needed": str(needed), "symbol": lane[0], "timeframe": lane[1]}
    if len(candles):
        numbers["last_candle_closed"] = candles.closed_at().isoformat()
    return Refusal(reason=problem, numbers=numbers)
