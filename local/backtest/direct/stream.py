"""One bot on one symbol in the direct engine: at which candles it is asked, and how far it has come."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from local.backtest.stream import evaluations
from surefill.domain.reasons import Reason
from surefill.domain.states import SlotState

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from local.backtest.direct.entering import Entering
    from local.backtest.direct.slot import DirectSlot
    from local.backtest.direct.trading import Trading
    from local.backtest.direct.watching import Firing
    from local.backtest.market import Lane
    from surefill.domain.rows import Bot
    from surefill.strategies.base import Needs, Signal, Strategy


@dataclass(slots=True, kw_only=True)
class Timetable:
    """When a bot is asked. Candles are indices into the bot's own; all rise.

    `asked` are those at which the strategy may want something, `due` all at which the bot is evaluated, `done_ms` when
    what is decided is done (ms since 1970), `places` at which recorded candle (arrays but for `asked`). `buys` and
    `sells` are the candles asked at which the strategy says so whatever is held; None when only asking can tell.
    """

    asked: Sequence[int]
    due: Any
    done_ms: Any
    places: Any
    buys: Sequence[int] | None
    sells: Sequence[int] | None

    @classmethod
    def of(cls, bot: Bot, *, strategy: Strategy, needs: Needs, lane: Lane, fine: Lane, next_open: bool) -> Timetable:
        """The timetable of a bot on a symbol."""
        found = evaluations(bot, strategy=strategy, needs=needs, lane=lane, fine=fine, next_open=next_open)
        asked, sides = found["asked"], None if needs.others else strategy.sides(lane.series)
        return cls(
            asked=asked.tolist(),
            due=found["due"],
            done_ms=found["done_ms"],
            places=found["places"],
            buys=None if sides is None else asked[np.asarray(sides)[asked] > 0].tolist(),
            sells=None if sides is None else asked[np.asarray(sides)[asked] < 0].tolist(),
        )


@dataclass(slots=True, kw_only=True)
class DirectStream:
    """As `local.backtest.stream.Stream`.

    `firing` is the exit that the next touch event carries out, `signal` what the next decision acts on.

    `waits`: a signal must stand for a while, or a pause follows a position. `asks_facts`: sizes or stops look at more
    of the market than its price.
    """

    number: int
    bot: Bot
    strategy: Strategy
    needs: Needs
    symbol: str
    lane: Lane
    fine: Lane
    times: Timetable
    entering: Entering
    trading: Trading
    slot: DirectSlot
    waits: bool
    asks_facts: bool
    signal: Signal
    firing: Firing | None = None
    pending: bool = False
    decided: int = -1
    touched: int = -1

    @property
    def held(self) -> bool:
        """Whether it holds a position."""
        return self.slot.state is SlotState.OPEN

    def next_index(self, *, held: bool, known: bool) -> int | None:
        """The next candle to ask at; with a signal pending every one counts, for it must stand."""
        times = self.times
        if self.pending:
            place = int(times.due.searchsorted(self.decided, side="right"))
            return int(times.due[place]) if place < len(times.due) else None
        indices = times.asked
        if known:
            indices = (times.sells if held else times.buys) or ()
        place = bisect_right(indices, self.decided)
        return indices[place] if place < len(indices) else None

    def skip(self, *, before: int | None, held: bool, counts: Counter[str]) -> None:
        """Count what the strategy says at the candles left out by `next_index`: nothing comes of it as things stand."""
        times, last = self.times, len(self.lane.closed_ms) if before is None else before
        first, end = bisect_right(times.asked, self.decided), bisect_left(times.asked, last)
        if end <= first:
            return
        idle = (times.buys if held else times.sells) or ()
        number = bisect_left(idle, last) - bisect_right(idle, self.decided)
        counts[Reason.ALREADY_IN_POSITION if held else Reason.NO_POSITION] += number
        counts[Reason.HOLD] += end - first - number
        self.decided = times.asked[end - 1]

    def index_at(self, place: int, *, shift: int) -> int:
        """The first of the bot's candles whose decision comes after the recorded candle at `place`."""
        return int(self.times.places.searchsorted(place - shift, side="right"))

    @property
    def knows_sides(self) -> bool:
        """Whether what the strategy says next is known without asking, and nothing else is waited for."""
        return self.times.buys is not None and not self.pending and self.slot.signal_side is None
