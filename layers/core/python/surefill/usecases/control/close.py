"""Close a position for the kill switch, step by step: call back what rests, sell what is held, look if it is gone."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from surefill.domain.kinds import CloseOutcome
from surefill.domain.money import ZERO, floor_to_step
from surefill.domain.reasons import Reason
from surefill.domain.records import Closing, MarketRules
from surefill.domain.rows import Intent, Slot
from surefill.domain.states import IN_FLIGHT, IntentState, SlotState
from surefill.domain.times import minute_of
from surefill.ports import Clock, Observer, Store, Workflow
from surefill.protocol.exit import close_as_dust
from surefill.protocol.order import rest_no_longer
from surefill.protocol.transaction import GuardFailedError, Update, key_of
from surefill.usecases.book import Book
from surefill.usecases.claim import commit_for_day
from surefill.usecases.control.stop import in_flight_intent
from surefill.usecases.exits import exit_intent

# Steps until it is given up; with the pauses between them about six minutes.
ATTEMPTS = 40
_LONGEST_PAUSE = 10  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where a closing stands, and when to look again. The words are those of the workflow."""

    outcome: CloseOutcome
    why: str
    attempt: int
    wait_seconds: int

    def as_dict(self) -> dict[str, object]:
        """The step as the workflow passes it on."""
        return {
            "outcome": self.outcome,
            "why": self.why,
            "attempt": self.attempt,
            "wait_seconds": self.wait_seconds,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Closer:
    """Carries one closing on. Every step may be repeated: sales are named after the position and its attempt."""

    store: Store
    workflow: Workflow
    clock: Clock
    observer: Observer

    def step(self, stop_id: str, position_key: str, *, attempt: int) -> Step:
        """Do the next thing for a position, and remember its outcome in its row."""
        closing = self.store.get(Closing, stop_id, position_key)
        if closing is None:
            raise LookupError(f"closing {position_key!r} of stop {stop_id!r} must exist, was missing")
        if closing.outcome is not CloseOutcome.WAITING:
            return self._answer(closing.outcome, closing.why, attempt)
        slot = self.store.get(Slot, closing.market_key, closing.owner_key)
        if slot is None or slot.state is SlotState.EMPTY or slot.entry_intent_id != closing.entry_intent_id:
            return self._end(closing, CloseOutcome.CLOSED, self._told(closing), attempt)
        if slot.state is SlotState.HELD:
            return self._end(closing, CloseOutcome.HELD, str(slot.held_reason or "a person must look"), attempt)
        if slot.frozen:
            return self._end(closing, CloseOutcome.FAILED, Reason.FROZEN, attempt)
        if attempt >= ATTEMPTS:
            why = f"still {slot.state} after {attempt} looks: {self._told(closing) or 'no sale has ended'}"
            return self._end(closing, CloseOutcome.FAILED, why, attempt)
        if slot.state in IN_FLIGHT:
            return self._answer(CloseOutcome.WAITING, self._call_back(slot), attempt)
        return self._sell(closing, slot, attempt)

    def _call_back(self, slot: Slot) -> str:
        """A buy that was not sent is taken back, one that rests is cancelled at its next look, others are awaited."""
        intent = self.store.get(Intent, in_flight_intent(slot))
        if intent is None:
            return "waiting for an order that is not stored yet"
        if intent.state is IntentState.RESERVED and slot.state in (SlotState.OPENING, SlotState.ADDING):
            Book(store=self.store, clock=self.clock, observer=self.observer).void_unsent(
                intent, outcome=Reason.ENTRIES_OFF
            )
            return f"took back order {intent.intent_id}"
        if intent.state is IntentState.ACCEPTED and intent.rests_until is not None:
            now = self.clock.now()
            if now <= intent.rests_until:
                with suppress(GuardFailedError):  # it has ended meanwhile
                    self.store.update(rest_no_longer(intent, now=now))
            return f"called back resting order {intent.intent_id}"
        return f"waiting for order {intent.intent_id}, {intent.state}"

    def _sell(self, closing: Closing, slot: Slot, attempt: int) -> Step:
        rules = self.store.get(MarketRules, slot.market_key)
        if rules is None:
            return self._end(closing, CloseOutcome.FAILED, Reason.MARKET_UNKNOWN, attempt)
        quantity = floor_to_step(slot.quantity, rules.quantity_step)
        now = self.clock.now()
        if quantity < rules.min_quantity or quantity == ZERO:
            with suppress(GuardFailedError):  # it changed meanwhile: the next look sees it
                commit_for_day(
                    lambda day: close_as_dust(slot, now=now, budget_day=day), store=self.store, budget_id=slot.budget_id
                )
            return self._answer(CloseOutcome.WAITING, Reason.DUST, attempt)
        intent = exit_intent(slot, reason=Reason.MANUAL_EXIT, tick=minute_of(now), now=now, rules=rules)
        self.workflow.start(intent)
        self._remember(closing, {"exit_intent_id": intent.intent_id})
        return self._answer(CloseOutcome.WAITING, f"selling with order {intent.intent_id}", attempt)

    def _told(self, closing: Closing) -> str:
        """What became of the last sale that was started."""
        intent = self.store.get(Intent, closing.exit_intent_id) if closing.exit_intent_id else None
        return str(intent.outcome) if intent is not None and intent.outcome else ""

    def _end(self, closing: Closing, outcome: CloseOutcome, why: str, attempt: int) -> Step:
        self._remember(closing, {"outcome": outcome, "why": why, "finished_at": self.clock.now()})
        self.observer.event(
            Reason.MANUAL_EXIT, stop=closing.stop_id, position=closing.position_key, outcome=outcome, why=why
        )
        return self._answer(outcome, why, attempt)

    def _remember(self, closing: Closing, changes: Mapping[str, Any]) -> None:
        self.store.update(Update(key=key_of(closing), set=changes))

    def _answer(self, outcome: CloseOutcome, why: str, attempt: int) -> Step:
        return Step(outcome=outcome, why=why, attempt=attempt + 1, wait_seconds=min(2 + attempt, _LONGEST_PAUSE))
