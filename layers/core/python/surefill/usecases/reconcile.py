"""Reconcile: settle every intent that should have been finished by now. Independent of the workflow, on purpose."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from surefill.domain.reasons import Reason
from surefill.domain.records import ScheduleRow
from surefill.domain.rows import Intent
from surefill.domain.states import UNFINISHED
from surefill.ports import Clock, Observer, Store, StoreUnavailableError
from surefill.usecases.book import Outcome
from surefill.usecases.settle import Settler, is_resting, postpone

SCHEDULE = "reconcile"
# One pass stays inside the function's time limit; what is left over is due first in the next.
_BATCH = 50
_TIME = timedelta(seconds=40)
# How many of those looked at next are asked for their age.
_LATE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """Sweeps the work index. What it finds by the (eventually consistent) index is decided on the intent itself."""

    store: Store
    settler: Settler
    clock: Clock
    observer: Observer

    def reconcile(self, *, tick: datetime) -> Mapping[str, int]:
        """One pass; returns how many intents ended in which outcome."""
        started = self.clock.now()
        counts: Counter[str] = Counter()
        for intent_id in self.store.unfinished_intents(due_until=started, limit=_BATCH):
            if self.clock.now() - started > _TIME:
                break
            counts[self._settle(intent_id)] += 1
        self.store.replace(
            ScheduleRow(
                schedule_name=SCHEDULE,
                last_tick=tick,
                finished_at=self.clock.now(),
                counts={name: str(count) for name, count in sorted(counts.items())},
            )
        )
        self.observer.metric("Tick", 1)
        self.observer.metric("OldestUnfinishedAgeSeconds", self._oldest_age())
        self.observer.event(Reason.TICK, tick=tick, schedule=SCHEDULE, counts=dict(counts))
        return counts

    def _settle(self, intent_id: str) -> str:
        try:
            outcome = self.settler.settle(intent_id)
        except Exception as error:
            self.observer.event(Reason.INTERNAL_ERROR, intent=intent_id, error=f"{type(error).__name__}: {error}")
            self._postpone(intent_id)
            return "FAILED"
        if outcome in (Outcome.PENDING, Outcome.RESTING):
            self._postpone(intent_id)
        elif outcome is not Outcome.NOTHING:
            self.observer.event(Reason.RECOVERED, intent=intent_id, outcome=outcome)
        return outcome

    def _postpone(self, intent_id: str) -> None:
        with suppress(StoreUnavailableError):
            intent = self.store.get(Intent, intent_id)
            if intent is not None and intent.state in UNFINISHED:
                postpone(intent, store=self.store, clock=self.clock)

    def _oldest_age(self) -> float:
        """Of the orders that should have ended by now: one that rests for its price is not late."""
        now = self.clock.now()
        keys = [(intent_id,) for intent_id in self.store.unfinished_intents(due_until=None, limit=_LATE)]
        late = [intent for intent in self.store.get_many(Intent, keys) if intent.state in UNFINISHED]
        ages = [now - intent.created_at for intent in late if not is_resting(intent, now=now)]
        return max(ages, default=timedelta(0)).total_seconds()
