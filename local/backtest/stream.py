"""One bot on one symbol: at which candles it must be asked, and when next its position or its orders are touched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from surefill.domain.kinds import Side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.backtest.history import History
    from local.backtest.market import Lane
    from local.backtest.venue import Resting
    from surefill.domain.rows import Bot
    from surefill.strategies.base import Needs, Strategy
    from surefill.usecases.evaluate import Prepared

# Candles looked at in one go for the next touch; doubled while nothing is found.
_CHUNK = 128
_LARGEST_CHUNK = 8_192


@dataclass(slots=True, kw_only=True)
class Stream:
    """`lane` holds the bot's candles, `fine` the recorded ones, in which exits and resting orders are looked for.

    `asked` are the indices at which the strategy may want something, `due` all at which the bot is evaluated, both
    rising. Of each of the bot's candles `done_ms` says when what is decided there is done (ms since 1970), `places` at
    which recorded candle. `decided` and `touched` are how far it has come in the one and in the other.
    """

    number: int
    prepared: Prepared
    symbol: str
    market_key: str
    owner_key: str
    lane: Lane
    fine: Lane
    asked: Any
    due: Any
    done_ms: Any
    places: Any
    stopped: bool = False
    pending: bool = False
    decided: int = -1
    touched: int = -1
    rungs: bool = False
    prices: dict[int, str] = field(default_factory=dict)

    @property
    def bot(self) -> Bot:
        """Its bot."""
        return self.prepared.bot

    def next_decision(self) -> tuple[int, int] | None:
        """Time and index of the next evaluation; with a signal pending every one counts, for it must stand."""
        indices = self.due if self.pending else self.asked
        place = int(indices.searchsorted(self.decided, side="right"))
        if place == len(indices):
            return None
        index = int(indices[place])
        return int(self.done_ms[index]), index

    def next_touch(self, *, stop: float | None, profit: float | None, until: int) -> int | None:
        """Index of the next recorded candle, before `until`, that reaches a level: its low the stop, or its high the
        profit price."""
        return first_touch(self.fine.history, first=self.touched + 1, until=until, stop=stop, profit=profit)


def first_touch(history: History, *, first: int, until: int, stop: float | None, profit: float | None) -> int | None:
    """Index of the first candle from `first` on and before `until` whose low reaches `stop` or its high `profit`."""
    low, high, size = history.low, history.high, _CHUNK
    while first < until:
        last = min(first + size, until)
        hit = low[first:last] <= stop if stop is not None else None
        if profit is not None:
            reached = high[first:last] >= profit
            hit = reached if hit is None else hit | reached
        if hit is None:
            return None
        place = int(hit.argmax())
        if hit[place]:
            return first + place
        first, size = last, min(2 * size, _LARGEST_CHUNK)
    return None


def evaluations(
    bot: Bot, *, strategy: Strategy, needs: Needs, lane: Lane, fine: Lane, next_open: bool
) -> dict[str, Any]:
    """`asked`, `due`, `done_ms` and `places` of a stream."""
    closed = lane.closed_ms
    due = np.ones(len(closed), dtype=bool)
    due[: max(needs.candles - 1, 0)] = False
    interval_ms = bot.interval_seconds * 1_000
    if interval_ms > lane.history.length_ms:
        due &= closed % interval_ms == 0
    places, done_ms = np.searchsorted(fine.closed_ms, closed, side="right") - 1, closed
    if next_open:
        opens = fine.history.opened_ms
        places = np.searchsorted(opens, closed)
        due &= places < len(opens)
        places = np.minimum(places, len(opens) - 1)
        done_ms = opens[places]
    screened = strategy.screen(lane.series)
    asked = due if screened is None else due & screened
    return {"asked": np.flatnonzero(asked), "due": np.flatnonzero(due), "done_ms": done_ms, "places": places}


def limits_of(orders: Iterable[Resting]) -> tuple[float | None, float | None]:
    """The highest price anybody waits to buy at, and the lowest anybody waits to sell at."""
    buys = [float(order.request.limit_price or 0) for order in orders if order.request.side is Side.BUY]
    sales = [float(order.request.limit_price or 0) for order in orders if order.request.side is Side.SELL]
    return max(buys, default=None), min(sales, default=None)
