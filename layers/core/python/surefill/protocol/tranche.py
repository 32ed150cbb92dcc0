"""Tranches: buy more for an open position. OPEN -> ADDING -> OPEN, with the money reserved as for an entry."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from surefill.domain.fills import OrderResult
from surefill.domain.money import ZERO, add
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent, Slot
from surefill.domain.states import IntentState, SlotState
from surefill.protocol.entry import bot_is_active, price_of
from surefill.protocol.parts import filled, finish_intent, owns_slot, slot_key_of, token
from surefill.protocol.reservation import all_spent, given_back, reserved, spent
from surefill.protocol.transaction import Guard, Op, Put, Transaction, Update


def claim_tranche(intent: Intent, *, budget_day: str | None = None) -> Transaction:
    """Reserve the money and OPEN -> ADDING: while a tranche is on its way nothing else happens to the position."""
    if intent.entry_intent_id is None:
        raise ValueError(f"tranche {intent.intent_id} must name the entry of its position, was None")
    budget, ledger, *exposure = reserved(intent, budget_day=budget_day, new_position=False)
    return Transaction(
        name="claim_tranche",
        token=token(intent.intent_id, "claim", budget_day or ""),
        writes=(
            budget,
            Update(
                key=slot_key_of(intent),
                set={
                    "state": SlotState.ADDING,
                    "tranche_intent_id": intent.intent_id,
                    "signal_side": None,
                    "signal_since": None,
                },
                guards=(
                    Guard(name="slot_open", field="state", op=Op.EQUAL, value=SlotState.OPEN),
                    Guard(name="same_position", field="entry_intent_id", op=Op.EQUAL, value=intent.entry_intent_id),
                    Guard(name="same_tranche", field="tranches", op=Op.EQUAL, value=intent.attempt),
                ),
            ),
            Put(row=intent, name="intent_is_new"),
            ledger,
            bot_is_active(intent.bot_id),
            *exposure,
        ),
    )


def record_tranche(
    intent: Intent,
    *,
    slot: Slot,
    result: OrderResult,
    take_profit: Decimal | None,
    stop_loss: Decimal | None,
    now: datetime,
) -> Transaction:
    """Book a terminal tranche: the position grows by what was bought, its levels are those of the new average.

    Exits planned before it know less than what is held now: the attempt counts up, so they can't claim any more.
    """
    if result.filled_quantity == ZERO:
        return release_tranche(
            intent, to=IntentState.EMPTY, outcome=Reason.NOT_FILLED, now=now, venue_order_id=result.venue_order_id
        )
    cost = -result.quote_change
    return Transaction(
        name="record_tranche",
        token=token(intent.intent_id, "record"),
        writes=(
            filled(intent, result=result, now=now),
            Update(
                key=slot_key_of(intent),
                set={
                    **_grown(intent, slot=slot, result=result, cost=cost),
                    "take_profit": take_profit,
                    "stop_loss": stop_loss,
                },
                add={"exit_attempt": 1, "tranches": 1},
                guards=_ours(intent, slot=slot),
            ),
            *spent(intent, cost=cost, now=now),
        ),
    )


def record_tranche_held(intent: Intent, *, slot: Slot, result: OrderResult, now: datetime) -> Transaction:
    """Book a tranche whose cost the budget cannot cover: everything reserved is deployed, a person must look."""
    return Transaction(
        name="record_tranche_held",
        token=token(intent.intent_id, "record_held"),
        writes=(
            filled(intent, result=result, now=now, outcome=Reason.OVERRUN),
            Update(
                key=slot_key_of(intent),
                set={
                    **_grown(intent, slot=slot, result=result, cost=intent.reserved),
                    "state": SlotState.HELD,
                    "held_reason": Reason.OVERRUN,
                },
                add={"exit_attempt": 1, "tranches": 1},
                guards=_ours(intent, slot=slot),
            ),
            *all_spent(intent, cost=-result.quote_change, now=now),
        ),
    )


def release_tranche(
    intent: Intent,
    *,
    to: IntentState,
    outcome: Reason,
    now: datetime,
    from_states: tuple[IntentState, ...] = (),
    guards: tuple[Guard, ...] = (),
    venue_order_id: str | None = None,
) -> Transaction:
    """Nothing was bought (EMPTY) or nothing can ever be (VOID): the position is as it was, the money available."""
    return Transaction(
        name="release_tranche",
        token=token(intent.intent_id, "release"),
        writes=(
            finish_intent(
                intent,
                to=to,
                now=now,
                outcome=outcome,
                from_states=from_states,
                guards=guards,
                venue_order_id=venue_order_id,
            ),
            Update(
                key=slot_key_of(intent),
                set={"state": SlotState.OPEN, "tranche_intent_id": None, "idle_since": now},
                guards=owns_slot(intent.intent_id, state=SlotState.ADDING, owner_field="tranche_intent_id"),
            ),
            *given_back(intent, now=now, new_position=False),
        ),
    )


def _ours(intent: Intent, *, slot: Slot) -> tuple[Guard, ...]:
    return (
        *owns_slot(intent.intent_id, state=SlotState.ADDING, owner_field="tranche_intent_id"),
        Guard(name="quantity_unchanged", field="quantity", op=Op.EQUAL, value=slot.quantity),
    )


def _grown(intent: Intent, *, slot: Slot, result: OrderResult, cost: Decimal) -> dict[str, Any]:
    return {
        "state": SlotState.OPEN,
        "tranche_intent_id": None,
        "quantity": add(slot.quantity, result.base_change),
        "cost": add(slot.cost, cost),
        "bought": add(slot.bought, result.base_change),
        "last_price": price_of(result),
        "last_at": intent.tick,
        # The average moved: a peak of before would count as a profit that never was.
        "highest": None,
    }
