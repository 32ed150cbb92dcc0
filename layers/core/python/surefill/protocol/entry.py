"""Entries: claim the money and the slot, then record what was bought, or give everything back."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from surefill.domain.fills import OrderResult
from surefill.domain.kinds import BotState
from surefill.domain.money import ZERO, divide_down
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, Intent
from surefill.domain.states import IntentState, SlotState
from surefill.protocol.parts import (
    OPEN,
    booked,
    budget_key,
    covers,
    empty_slot,
    exposed,
    filled,
    finish_intent,
    owns_slot,
    slot_key_of,
    token,
)
from surefill.protocol.reservation import all_spent, bought_ledger, given_back, reserved, spent
from surefill.protocol.transaction import Check, Guard, Key, Op, Put, Transaction, Update

_PRICE_STEP = Decimal("0.00000001")


def claim_entry(intent: Intent, *, budget_day: str | None = None) -> Transaction:
    """Reserve `intent.reserved` quote, take the slot, write the intent: all or nothing.

    `budget_day` is given when the budget's daily counters are of an earlier day, as read; they start anew then.
    """
    slot = slot_key_of(intent)
    budget, ledger, *exposure = reserved(intent, budget_day=budget_day, new_position=True)
    return Transaction(
        name="claim_entry",
        token=token(intent.intent_id, "claim", budget_day or ""),
        writes=(
            budget,
            Update(
                key=slot,
                set={
                    "state": SlotState.OPENING,
                    "entry_intent_id": intent.intent_id,
                    "bot_id": intent.bot_id,
                    "account_id": intent.account_id,
                    "budget_id": intent.budget_id,
                    "rung": intent.rung,
                    "exposure_asset": intent.exposure_asset,
                    "time_zone": intent.time_zone,
                    "open_key": OPEN,
                    "slot_key": "|".join(slot.values),
                    "signal_side": None,
                    "signal_since": None,
                },
                guards=(_SLOT_EMPTY,),
            ),
            Put(row=intent, name="intent_is_new"),
            ledger,
            bot_is_active(intent.bot_id),
            *exposure,
        ),
    )


_SLOT_EMPTY = Guard(name="slot_empty", field="state", op=Op.EQUAL, value=SlotState.EMPTY, or_missing=True)


def bot_is_active(bot_id: str) -> Check:
    """No reservation commits after the bot was paused, drained or halted."""
    return Check(
        key=Key(Bot, (bot_id,)),
        guards=(Guard(name="bot_active", field="state", op=Op.EQUAL, value=BotState.ACTIVE),),
    )


def record_entry(
    intent: Intent, *, result: OrderResult, take_profit: Decimal | None, stop_loss: Decimal | None, now: datetime
) -> Transaction:
    """Book a terminal buy: the slot becomes OPEN with what was bought, the rest of the reservation is given back.

    A cost above the reservation is taken from `available` if that covers it, and switches the budget's entries off.
    """
    if result.filled_quantity == ZERO:
        return release_entry(
            intent, to=IntentState.EMPTY, outcome=Reason.NOT_FILLED, now=now, venue_order_id=result.venue_order_id
        )
    cost = -result.quote_change
    return Transaction(
        name="record_entry",
        token=token(intent.intent_id, "record"),
        writes=(
            filled(intent, result=result, now=now),
            Update(
                key=slot_key_of(intent),
                set={
                    **_position(intent, result=result, cost=cost, now=now),
                    "take_profit": take_profit,
                    "stop_loss": stop_loss,
                },
                guards=owns_slot(intent.intent_id, state=SlotState.OPENING, owner_field="entry_intent_id"),
            ),
            *spent(intent, cost=cost, now=now),
        ),
    )


def _position(intent: Intent, *, result: OrderResult, cost: Decimal, now: datetime) -> dict[str, Any]:
    return {
        "state": SlotState.OPEN,
        "quantity": result.base_change,
        "cost": cost,
        "opened_at": now,
        "exit_attempt": 0,
        "tranches": 1,
        "bought": result.base_change,
        "last_price": price_of(result),
        "last_at": intent.tick,
        "exit_rules": intent.exit_rules,
        "take_profit_percent": intent.take_profit_percent,
        "stop_loss_percent": intent.stop_loss_percent,
    }


def price_of(result: OrderResult) -> Decimal:
    """Average price of what an order filled, in quote, without fees; rounded down to 8 decimals."""
    if result.filled_quantity == ZERO:
        raise ValueError(f"order {result.venue_order_id} must have filled something to have a price, filled nothing")
    return divide_down(result.filled_cost, result.filled_quantity, step=_PRICE_STEP)


def record_entry_held(intent: Intent, *, result: OrderResult, now: datetime) -> Transaction:
    """Book a buy whose cost the budget cannot cover: everything reserved is deployed, the slot is HELD for a person."""
    return Transaction(
        name="record_entry_held",
        token=token(intent.intent_id, "record_held"),
        writes=(
            filled(intent, result=result, now=now, outcome=Reason.OVERRUN),
            Update(
                key=slot_key_of(intent),
                set={
                    **_position(intent, result=result, cost=intent.reserved, now=now),
                    "state": SlotState.HELD,
                    "held_reason": Reason.OVERRUN,
                },
                guards=owns_slot(intent.intent_id, state=SlotState.OPENING, owner_field="entry_intent_id"),
            ),
            *all_spent(intent, cost=-result.quote_change, now=now),
        ),
    )


def release_entry(
    intent: Intent,
    *,
    to: IntentState,
    outcome: Reason,
    now: datetime,
    from_states: tuple[IntentState, ...] = (),
    guards: tuple[Guard, ...] = (),
    venue_order_id: str | None = None,
) -> Transaction:
    """Nothing was bought (EMPTY) or nothing can ever be (VOID): the slot is empty, the money available again."""
    return Transaction(
        name="release_entry",
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
            empty_slot(intent, state=SlotState.OPENING, now=now, owner_field="entry_intent_id"),
            *given_back(intent, now=now, new_position=True),
        ),
    )


def adopt_entry(
    intent: Intent, *, result: OrderResult, take_profit: Decimal | None, stop_loss: Decimal | None, now: datetime
) -> Transaction:
    """Late evidence: an order thought void did buy. Take the money and open the slot, if both are still free."""
    cost, slot = -result.quote_change, slot_key_of(intent)
    return Transaction(
        name="adopt_entry",
        token=token(intent.intent_id, "adopt"),
        writes=(
            finish_intent(intent, to=IntentState.ADOPTED, now=now, outcome=Reason.ADOPTED, changes=booked(result)),
            Update(
                key=slot,
                set={
                    **_position(intent, result=result, cost=cost, now=now),
                    "entry_intent_id": intent.intent_id,
                    "rung": intent.rung,
                    "exposure_asset": intent.exposure_asset,
                    "time_zone": intent.time_zone,
                    "take_profit": take_profit,
                    "stop_loss": stop_loss,
                    "open_key": OPEN,
                    "slot_key": "|".join(slot.values),
                },
                guards=(_SLOT_EMPTY,),
            ),
            Update(
                key=budget_key(intent.budget_id),
                add={"available": -cost, "deployed": cost, "open_positions": 1},
                guards=(covers("available", cost),),
            ),
            Put(row=bought_ledger(intent, event="adopt", at=now, available=-cost, deployed=cost)),
            *exposed(intent.budget_id, asset=intent.exposure_asset, amount=cost),
        ),
    )
