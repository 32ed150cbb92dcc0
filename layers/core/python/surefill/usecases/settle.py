"""Settle: look until it is known what became of an order. The workflow, `reconcile` and the API all call this one.

It never posts. An order that the venue denies is void only with proof: behind the fence (the venue would refuse the
signed request by now), denied twice with a pause, and in no list of orders or trades.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from surefill.domain import identity
from surefill.domain.fills import FillError
from surefill.domain.kinds import OrderKind
from surefill.domain.orders import VenueError, VenueOrder
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent
from surefill.domain.states import UNFINISHED, IntentState
from surefill.ports import Clock, Observer, Store, Venue, Venues
from surefill.protocol.order import look_again, mark_absent, mark_accepted
from surefill.protocol.transaction import Guard, GuardFailedError, Op, Update
from surefill.usecases.book import Book, Outcome, finished_outcome
from surefill.usecases.directory import AccountDirectory
from surefill.usecases.place import REST_LOOK, block_account
from surefill.usecases.timing import WINDOW

# How much later than its acceptance an order may become visible in the venue's own look-ups.
VISIBILITY_LAG = timedelta(seconds=10)
_NEXT_LOOK = timedelta(seconds=30)
# A limit order without a time of its own is cancelled this long after it was sent.
RESTING_LIFETIME = timedelta(minutes=2)
_TRACE_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settler:
    """Settles intents; safe to call any number of times, from anywhere, at the same time."""

    store: Store
    accounts: AccountDirectory
    venues: Venues
    clock: Clock
    observer: Observer

    def settle(self, intent_id: str) -> Outcome:
        """Bring the intent as near to its end as the venue's answers allow."""
        intent = self.store.get(Intent, intent_id)
        if intent is None:
            return Outcome.NOTHING
        if intent.state not in UNFINISHED:
            return finished_outcome(intent)
        if intent.state is IntentState.RESERVED:
            return self._unsent(intent)
        account = self.accounts.of(intent)
        try:
            return self._look(intent, venue=self.venues.of_account(account))
        except VenueError as error:
            if error.reason is Reason.CREDENTIALS_REJECTED:
                block_account(self.store, intent.account_id, message=str(error), now=self.clock.now())
            return self._wait(intent, why=error.reason, error=str(error))
        except FillError as error:
            return self._wait(intent, why=Reason.WAITING_ON_VENUE, error=str(error))

    def _unsent(self, intent: Intent) -> Outcome:
        """Nobody sends after the deadline minus the window, so from the deadline on nothing was ever sent."""
        if self.clock.now() <= intent.deadline:
            return Outcome.PENDING
        return self._book().void_unsent(intent, outcome=Reason.NEVER_SENT)

    def _look(self, intent: Intent, *, venue: Venue) -> Outcome:
        # A denial is of the moment it was asked for. This function may be paused before or after the answer.
        asked = self.clock.now()
        order = venue.find(symbol=intent.symbol, client_order_id=identity.client_order_id(intent.intent_id))
        if order is None:
            return self._denied(intent, venue=venue, asked=asked)
        return self._found(intent, order=order, venue=venue)

    def _found(self, intent: Intent, *, order: VenueOrder, venue: Venue) -> Outcome:
        if order.finished and order.fills is not None:
            return self._book().record(intent, order=order)
        now = self.clock.now()
        if intent.state in (IntentState.SENT, IntentState.UNKNOWN):
            self._write(mark_accepted(intent, venue_order_id=order.venue_order_id, look_again_at=now + _NEXT_LOOK))
        if intent.kind is OrderKind.LIMIT and not order.finished:
            if intent.rests_until is not None and now <= intent.rests_until:
                return Outcome.RESTING
            if now > _rests_until(intent):
                venue.cancel(symbol=intent.symbol, client_order_id=identity.client_order_id(intent.intent_id))
        return self._wait(intent, why=Reason.WAITING_ON_VENUE, order=order.venue_order_id)

    def _denied(self, intent: Intent, *, venue: Venue, asked: datetime) -> Outcome:
        sent_at = intent.sent_at or intent.created_at
        if intent.state is IntentState.ACCEPTED or asked <= sent_at + WINDOW + VISIBILITY_LAG:
            return self._wait(intent, why=Reason.UNKNOWN)
        if intent.absent_since is None:
            now = self.clock.now()
            self._write(mark_absent(intent, now=now, look_again_at=now + VISIBILITY_LAG))
            return self._wait(intent, why=Reason.UNKNOWN)
        if asked - intent.absent_since < VISIBILITY_LAG:
            return self._wait(intent, why=Reason.UNKNOWN)
        trace = venue.find_trace(
            symbol=intent.symbol,
            client_order_id=identity.client_order_id(intent.intent_id),
            since=sent_at - _TRACE_MARGIN,
        )
        if trace is not None:
            return self._found(intent, order=trace, venue=venue)
        # The evidence must still be there when it is used: whoever found the order has cleared `absent_since`.
        proven = Guard(name="absence_stands", field="absent_since", op=Op.EQUAL, value=intent.absent_since)
        states = (IntentState.SENT, IntentState.UNKNOWN)
        return self._book().void(intent, outcome=Reason.PROVEN_ABSENT, from_states=states, guards=(proven,))

    def _wait(self, intent: Intent, *, why: Reason, **numbers: object) -> Outcome:
        now = self.clock.now()
        age = (now - intent.created_at).total_seconds()
        self.observer.event(
            why,
            intent=intent.intent_id,
            bot=intent.bot_id,
            symbol=intent.symbol,
            leg=intent.leg,
            state=intent.state,
            age_seconds=age,
            **numbers,
        )
        return Outcome.PENDING

    def _write(self, update: Update) -> None:
        """A step on the way; when its guard fails somebody else was faster and the next look will see it."""
        try:
            self.store.update(update)
        except GuardFailedError as error:
            self.observer.event(Reason.CLAIM_BUSY, guards=", ".join(sorted(error.names())))

    def _book(self) -> Book:
        return Book(store=self.store, clock=self.clock, observer=self.observer)


def _rests_until(intent: Intent) -> datetime:
    """When a resting order is cancelled."""
    return intent.rests_until or (intent.sent_at or intent.created_at) + RESTING_LIFETIME


def is_resting(intent: Intent, *, now: datetime) -> bool:
    """Whether an order waits at the venue for its price, as it was meant to."""
    return intent.state is IntentState.ACCEPTED and intent.rests_until is not None and now <= intent.rests_until


def postpone(intent: Intent, *, store: Store, clock: Clock) -> None:
    """Move the next look of a pending intent (reconcile does so, lest old ones starve new ones)."""
    now = clock.now()
    pause = REST_LOOK if is_resting(intent, now=now) else _NEXT_LOOK
    with suppress(GuardFailedError):  # finished meanwhile
        store.update(look_again(intent, at=now + pause))
