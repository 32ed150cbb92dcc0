"""One order's life, step by step, as the tables have it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from surefill.domain.identity import execution_name
from surefill.domain.kinds import Leg
from surefill.domain.rows import Intent, LedgerEntry
from surefill.domain.states import UNFINISHED
from surefill.ports import Store
from surefill.usecases.control.errors import NotFoundError
from surefill.wire import to_wire

_BOOKINGS = ("claim", "record", "release", "adopt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened to an order. `at` is None when only its place in the order of things is known."""

    what: str
    at: datetime | None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """An order with its execution, its moments in their order, and what it did to the budget."""

    intent: Intent
    execution: str
    moments: tuple[Moment, ...]
    ledger: tuple[LedgerEntry, ...]


def order(store: Store, intent_id: str) -> Intent:
    """The order, or NotFoundError."""
    intent = store.get(Intent, intent_id)
    if intent is None:
        raise NotFoundError("intent_id", f"order {intent_id!r} does not exist")
    return intent


def timeline(store: Store, intent_id: str) -> Timeline:
    """Everything that is known of an order."""
    intent = order(store, intent_id)
    keys = [(intent.budget_id, f"{intent_id}#{event}") for event in _BOOKINGS]
    ledger = sorted(store.get_many(LedgerEntry, keys), key=lambda entry: (entry.at, entry.entry_key))
    return Timeline(
        intent=intent,
        execution=execution_name(intent_id=intent_id, is_exit=intent.leg is Leg.EXIT, tick=intent.tick),
        moments=tuple(_moments(intent)),
        ledger=tuple(ledger),
    )


def _moments(intent: Intent) -> Iterator[Moment]:
    yield Moment(what="decided", at=intent.tick, details={"reason": intent.reason})
    yield Moment(what="claimed", at=intent.created_at, details={"reserved": str(intent.reserved)})
    if intent.sent_at is not None:
        yield Moment(what="sent", at=intent.sent_at, details={"worker": intent.worker})
    if intent.venue_order_id is not None:
        yield Moment(what="known to the venue", at=None, details={"venue_order_id": intent.venue_order_id})
    if intent.absent_since is not None:
        yield Moment(what="not found at the venue", at=intent.absent_since)
    for fill in intent.fills:
        yield Moment(what="filled", at=None, details=to_wire(fill))
    if intent.finished_at is not None:
        yield Moment(what="finished", at=intent.finished_at, details={"outcome": intent.outcome, "state": intent.state})
    elif intent.state in UNFINISHED:
        details = {"state": intent.state, "next_check_at": intent.next_check_at}
        yield Moment(what="unfinished", at=None, details=details)
