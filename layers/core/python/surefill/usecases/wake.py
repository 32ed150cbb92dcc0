"""Wake: a finished order of a grid lets its bot be evaluated at once, so that the next order does not wait for a tick.

A wake-up that is lost costs time only: the grid's next interval arms what is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from surefill.domain.bots import EVALUATED
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, Intent
from surefill.domain.states import UNFINISHED
from surefill.ports import Observer, Queue, Store, StoreUnavailableError
from surefill.usecases.batches import Batch, encode
from surefill.usecases.publish import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class GridWaker:
    """Sends bots to `evaluate` because of what became of their rungs."""

    store: Store
    queue: Queue
    observer: Observer

    def consume(self, changes: Sequence[Change]) -> frozenset[str]:
        """Wake each bot once per symbol; returns the numbers of the changes that must come again."""
        finished = [(change.number, change.row) for change in changes if _finished_rung(change.row)]
        newest = {(row.bot_id, row.symbol): row for _, row in finished if isinstance(row, Intent)}
        try:
            for intent in newest.values():
                self._wake(intent)
        except StoreUnavailableError as error:
            self.observer.event(Reason.INTERNAL_ERROR, error=str(error))
            return frozenset(number for number, _ in finished)
        return frozenset()

    def _wake(self, intent: Intent) -> None:
        bot = self.store.get(Bot, intent.bot_id)
        if bot is None or bot.state not in EVALUATED or intent.finished_at is None:
            return
        batch = Batch(
            tick=_tick_of(intent.finished_at),
            venue=intent.venue,
            symbol=intent.symbol,
            timeframe=bot.timeframe,
            bots=(bot,),
        )
        self.queue.send(encode(batch))
        self.observer.event(Reason.WOKEN, bot=bot.bot_id, symbol=intent.symbol, intent=intent.intent_id)


def _finished_rung(row: object) -> bool:
    return isinstance(row, Intent) and row.rung is not None and row.state not in UNFINISHED


def _tick_of(moment: datetime) -> datetime:
    """The tick of a wake-up is the second of the fill: the same fill told twice is the same tick."""
    return moment.replace(microsecond=0)
