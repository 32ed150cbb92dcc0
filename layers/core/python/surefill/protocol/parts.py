"""Writes that several transactions share: how a slot becomes empty, how an intent ends, how a day rolls over."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from surefill.domain import identity
from surefill.domain.fills import OrderResult
from surefill.domain.money import ZERO, subtract
from surefill.domain.reasons import Reason
from surefill.domain.rows import Budget, Exposure, Intent, Slot
from surefill.domain.states import INTENT_TRANSITIONS, IntentState, SlotState, predecessors
from surefill.protocol.transaction import Guard, Key, Op, Update

WORK = "work"
OPEN = "open"
_TOKENS = uuid.UUID("0d9c5a44-6d2f-5d0c-8a0a-3f3c3b0a9b55")


def token(*parts: str) -> str:
    """Request token of a transaction (36 characters), the same for every resend of the same change."""
    return str(uuid.uuid5(_TOKENS, "|".join(parts)))


def budget_key(budget_id: str) -> Key:
    """Key of a budget."""
    return Key(Budget, (budget_id,))


def intent_key(intent_id: str) -> Key:
    """Key of an intent."""
    return Key(Intent, (intent_id,))


def slot_key_of(intent: Intent) -> Key:
    """Key of the slot an intent belongs to."""
    market = identity.market_key(venue=intent.venue, symbol=intent.symbol)
    owner = identity.owner_key(account_id=intent.account_id, bot_id=intent.bot_id, rung=intent.rung)
    return Key(Slot, (market, owner))


def finish_intent(
    intent: Intent,
    *,
    to: IntentState,
    now: datetime,
    outcome: Reason,
    from_states: tuple[IntentState, ...] = (),
    changes: Mapping[str, Any] | None = None,
    guards: tuple[Guard, ...] = (),
    venue_order_id: str | None = None,
) -> Update:
    """End an intent: it leaves the work index, and only a listed predecessor may end this way."""
    sources = from_states or predecessors(INTENT_TRANSITIONS, to)
    return Update(
        key=intent_key(intent.intent_id),
        set={
            "state": to,
            "finished_at": now,
            "outcome": outcome,
            "work_key": None,
            "next_check_at": None,
            **({"venue_order_id": venue_order_id} if venue_order_id else {}),
            **(changes or {}),
        },
        guards=(Guard(name="intent_not_finished", field="state", op=Op.ONE_OF, value=sources), *guards),
    )


def booked(result: OrderResult) -> dict[str, object]:
    """What a finished order leaves in its intent."""
    return {
        "venue_order_id": result.venue_order_id,
        "filled_quantity": result.filled_quantity,
        "filled_cost": result.filled_cost,
        "fills": result.fills,
    }


def filled(
    intent: Intent,
    *,
    result: OrderResult,
    now: datetime,
    outcome: Reason | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Update:
    """End an intent that traded; `outcome` when it is told as something else than filled or partially filled."""
    complete = result.filled_quantity == intent.quantity
    told = outcome or (Reason.FILLED if complete else Reason.PARTIALLY_FILLED)
    known = {**booked(result), **(changes or {})}
    return finish_intent(intent, to=IntentState.FILLED, now=now, outcome=told, changes=known)


def empty_slot(intent: Intent, *, state: SlotState, now: datetime, owner_field: str) -> Update:
    """Make the slot that `intent` owns (through `owner_field`) empty again."""
    return Update(
        key=slot_key_of(intent),
        set=emptied(now=now),
        guards=owns_slot(intent.intent_id, state=state, owner_field=owner_field),
    )


def emptied(*, now: datetime) -> dict[str, Any]:
    """The fields of a slot that holds nothing any more."""
    return {
        "state": SlotState.EMPTY,
        "open_key": None,
        "slot_key": None,
        "entry_intent_id": None,
        "tranche_intent_id": None,
        "exit_intent_id": None,
        "exit_attempt": 0,
        "tranches": None,
        "bought": None,
        "last_price": None,
        "last_at": None,
        "highest": None,
        "ladder_done": None,
        "exit_rules": None,
        "take_profit_percent": None,
        "stop_loss_percent": None,
        "exposure_asset": None,
        "exit_reason": None,
        "quantity": ZERO,
        "cost": ZERO,
        "opened_at": None,
        "take_profit": None,
        "stop_loss": None,
        "held_reason": None,
        "idle_since": now,
    }


def owns_slot(intent_id: str, *, state: SlotState, owner_field: str) -> tuple[Guard, ...]:
    """Guards that the slot is in `state` and belongs to the intent."""
    return (
        Guard(name="slot_in_state", field="state", op=Op.EQUAL, value=state),
        Guard(name="slot_is_ours", field=owner_field, op=Op.EQUAL, value=intent_id),
    )


def begins_day(budget_day: str | None, *, today: str) -> bool:
    """Whether the counters, read as of `budget_day`, are of an earlier day. A day never turns back: whoever was stamped
    before midnight and comes after it counts for the new day."""
    return budget_day is not None and budget_day < today


def same_day(*, today: str, budget_day: str | None) -> Guard:
    """Guard that the budget's daily counters are of today (or of the later day they were read as)."""
    return Guard(name="same_day", field="day", op=Op.EQUAL, value=max(today, budget_day or ""))


def new_day(previous: str | None) -> Guard:
    """Guard that the budget's daily counters are still those of the day read before."""
    return Guard(name="day_unchanged", field="day", op=Op.EQUAL, value=previous)


def covers(field: str, amount: Decimal) -> Guard:
    """Guard that a balance is at least `amount`: it can never become negative."""
    return Guard(name=f"{field}_covers", field=field, op=Op.AT_LEAST, value=amount)


def exposed(budget_id: str, *, asset: str | None, amount: Decimal, limit: Decimal | None = None) -> tuple[Update, ...]:
    """Count `amount` (negative: less) of a budget's money as at work in `asset`; nothing when no limit is kept.

    With a `limit`, the amount counted so far must leave room for it.
    """
    if asset is None or amount == ZERO:
        return ()
    guards: tuple[Guard, ...] = ()
    if limit is not None:
        room = subtract(limit, amount)
        guards = (
            Guard(name="exposure_below_limit", field="amount", op=Op.AT_MOST, value=room, or_missing=room >= ZERO),
        )
    elif amount < ZERO:
        guards = (covers("amount", -amount),)
    return (Update(key=Key(Exposure, (budget_id, asset)), add={"amount": amount}, guards=guards),)
