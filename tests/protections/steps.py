"""Steps of the product as they would be without one of their protections. Copies, kept as close as can be."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from surefill.domain import identity
from surefill.domain.orders import OrderRequest, PostOutcome, Rejected, UnknownOutcome, VenueError, VenueOrder
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent
from surefill.domain.states import IntentState
from surefill.ports import Venue
from surefill.protocol.tranche import record_tranche
from surefill.protocol.transaction import Transaction, Update, Write
from surefill.usecases.book import Book, Outcome
from surefill.usecases.place import Placer
from surefill.usecases.settle import Settler
from tests.model.process import Call, Ports, ScriptedVenue, StageKey
from tests.model.stages import _exit, placer

_SENT = (IntentState.SENT, IntentState.UNKNOWN)


def denied_once(self: Settler, intent: Intent, *, venue: Venue, **more: Any) -> Outcome:
    """Settle's denial without the second look."""
    sent_at = intent.sent_at or intent.created_at
    if intent.state is IntentState.ACCEPTED or self.clock.now() <= sent_at + timedelta(seconds=15):
        return Outcome.PENDING
    name = identity.client_order_id(intent.intent_id)
    trace = venue.find_trace(symbol=intent.symbol, client_order_id=name, since=sent_at)
    if trace is not None:
        return self._found(intent, order=trace, venue=venue)
    return self._book().void(intent, outcome=Reason.PROVEN_ABSENT, from_states=_SENT)


def void_unseen(self: Settler, intent: Intent, *, venue: Venue) -> Outcome:
    """Settle that gives an order up when its time is over, without looking."""
    sent_at = intent.sent_at or intent.created_at
    if self.clock.now() <= sent_at + timedelta(seconds=15):
        return Outcome.PENDING
    return self._book().void(intent, outcome=Reason.PROVEN_ABSENT, from_states=_SENT)


def no_trace(self: ScriptedVenue, **what: Any) -> None:
    """The lists are not searched."""


def posted_now(self: Placer, intent: Intent, *, venue: Venue) -> PostOutcome:
    """Place that signs with the time of the post, not with that of the gate."""
    request = OrderRequest(
        client_order_id=identity.client_order_id(intent.intent_id),
        symbol=intent.symbol,
        side=intent.side,
        kind=intent.kind,
        quantity=intent.quantity,
        limit_price=intent.limit_price,
        signed_at=self.clock.now(),
        window_ms=5_000,
    )
    return venue.post(request)


def posted_for_a_minute(self: Placer, intent: Intent, *, venue: Venue) -> PostOutcome:
    """Place that lets the venue accept the request for a minute."""
    assert intent.sent_at is not None
    request = OrderRequest(
        client_order_id=identity.client_order_id(intent.intent_id),
        symbol=intent.symbol,
        side=intent.side,
        kind=intent.kind,
        quantity=intent.quantity,
        limit_price=intent.limit_price,
        signed_at=intent.sent_at,
        window_ms=60_000,
    )
    return venue.post(request)


def unknown_is_rejected(self: ScriptedVenue, request: OrderRequest) -> PostOutcome:
    """An adapter that takes every failure for a refusal."""
    outcome: PostOutcome = self.script.ask(Call("venue", "post", request))
    return Rejected(reason=Reason.REJECTED, code="", message="") if isinstance(outcome, UnknownOutcome) else outcome


def failure_is_absence(look: str) -> Any:
    """An adapter that takes a look that failed for a denial."""

    def ask(self: ScriptedVenue, *, symbol: str, client_order_id: str, **more: Any) -> VenueOrder | None:
        try:
            found: VenueOrder | None = self.script.ask(Call("venue", look, client_order_id))
        except VenueError:
            return None
        return found

    return ask


def always_allowed(self: Placer, intent: Intent) -> bool:
    """Place that does not look at the switch."""
    return True


def found_is_finished(self: Settler, intent: Intent, *, order: VenueOrder, venue: Venue) -> Outcome:
    """Settle that books whatever is filled so far."""
    return self._book().record(intent, order=replace(order, finished=True))


def same_worker(ports: Ports, key: StageKey) -> StageKey | None:
    """A worker's name that is the same for every invocation: a retry passes for the first one."""
    _, who, intent, looks = key
    placed = placer(ports).place(intent, worker=who.rstrip("'"))
    return ("settle", who, intent.intent_id, looks) if placed is Outcome.PENDING else None


def named_at_random(ports: Ports, key: StageKey) -> StageKey | None:
    """Exits whose names do not follow from the position."""
    following = _exit(ports, key)
    if following is None:
        return None
    kind, who, intent, looks = following
    name = "a" if who == "person" else "b"
    return (kind, who, replace(intent, intent_id=name * 8 + intent.intent_id[8:]), looks)


def take_back(self: Placer, intent: Intent, *, why: Reason, held: Reason | None = None) -> Outcome:
    """Place that takes back what somebody else may have sent by now."""
    book: Book = self._book()
    return book.void(intent, outcome=why, from_states=(IntentState.SENT,), held=held)


def record_uncounted(intent: Intent, **what: Any) -> Transaction:
    """Record of a tranche that leaves the number of the next sale as it was."""
    made = record_tranche(intent, **what)
    return replace(made, writes=tuple(_uncounted(write) for write in made.writes))


def _uncounted(write: Write) -> Write:
    if isinstance(write, Update) and "exit_attempt" in write.add:
        return replace(write, add={name: amount for name, amount in write.add.items() if name != "exit_attempt"})
    return write
