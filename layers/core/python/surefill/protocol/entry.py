"""Entries: claim the money and the slot, then record what was bought, or give everything back."""

from datetime import datetime
from decimal import Decimal

from surefill.domain.fills import OrderResult
from surefill.domain.money import ZERO, subtract
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, BotState, Intent, LedgerEntry
from surefill.domain.states import IntentState, SlotState
from surefill.domain.times import day_of
from surefill.protocol.parts import (
    OPEN,
    begins_day,
    booked,
    budget_key,
    covers,
    empty_slot,
    filled,
    finish_intent,
    new_day,
    owns_slot,
    same_day,
    slot_key_of,
    token,
)
from surefill.protocol.transaction import Check, FieldOf, Guard, Key, Op, Put, Transaction, Update, Write


def claim_entry(intent: Intent, *, budget_day: str | None = None) -> Transaction:
    """Reserve `intent.reserved` quote, take the slot, write the intent: all or nothing.

    `budget_day` is given when the budget's daily counters are of an earlier day, as read; they start anew then.
    """
    slot = slot_key_of(intent)
    return Transaction(
        name="claim_entry",
        token=token(intent.intent_id, "claim", budget_day or ""),
        writes=(
            _reserve(intent, budget_day=budget_day),
            Update(
                key=slot,
                set={
                    "state": SlotState.OPENING,
                    "entry_intent_id": intent.intent_id,
                    "bot_id": intent.bot_id,
                    "account_id": intent.account_id,
                    "budget_id": intent.budget_id,
                    "open_key": OPEN,
                    "slot_key": "|".join(slot.values),
                    "signal_side": None,
                    "signal_since": None,
                },
                guards=(Guard(name="slot_empty", field="state", op=Op.EQUAL, value=SlotState.EMPTY, or_missing=True),),
            ),
            Put(row=intent, name="intent_is_new"),
            Put(
                row=_ledger(
                    intent, event="claim", at=intent.created_at, available=-intent.reserved, reserved=intent.reserved
                )
            ),
            Check(
                key=Key(Bot, (intent.bot_id,)),
                guards=(Guard(name="bot_active", field="state", op=Op.EQUAL, value=BotState.ACTIVE),),
            ),
        ),
    )


def _reserve(intent: Intent, *, budget_day: str | None) -> Update:
    today = day_of(intent.created_at)
    always = (
        covers("available", intent.reserved),
        Guard(name="entries_allowed", field="entries_allowed", op=Op.EQUAL, value=True),
        Guard(
            name="open_positions_below_limit",
            field="open_positions",
            op=Op.LESS,
            value=FieldOf("max_open_positions"),
            or_missing=True,
        ),
    )
    money = {"available": -intent.reserved, "reserved": intent.reserved, "open_positions": 1}
    if begins_day(budget_day, today=today):
        return Update(
            key=budget_key(intent.budget_id),
            set={"day": today, "trades_today": 1, "loss_today": ZERO},
            add=money,
            guards=(*always, new_day(budget_day)),
        )
    return Update(
        key=budget_key(intent.budget_id),
        add={**money, "trades_today": 1},
        guards=(
            *always,
            same_day(today=today, budget_day=budget_day),
            Guard(
                name="trades_below_limit",
                field="trades_today",
                op=Op.LESS,
                value=FieldOf("max_trades_per_day"),
                or_missing=True,
            ),
            Guard(
                name="loss_below_limit",
                field="loss_today",
                op=Op.LESS,
                value=FieldOf("max_daily_loss"),
                or_missing=True,
            ),
        ),
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
    rest = subtract(intent.reserved, cost)
    overrun = max(-rest, ZERO)
    guards = (covers("reserved", intent.reserved), *((covers("available", overrun),) if overrun else ()))
    return Transaction(
        name="record_entry",
        token=token(intent.intent_id, "record"),
        writes=(
            filled(intent, result=result, now=now),
            Update(
                key=slot_key_of(intent),
                set={
                    "state": SlotState.OPEN,
                    "quantity": result.base_change,
                    "cost": cost,
                    "opened_at": now,
                    "take_profit": take_profit,
                    "stop_loss": stop_loss,
                    "exit_attempt": 0,
                },
                guards=owns_slot(intent.intent_id, state=SlotState.OPENING, owner_field="entry_intent_id"),
            ),
            Update(
                key=budget_key(intent.budget_id),
                set={"entries_allowed": False} if overrun else {},
                add={"reserved": -intent.reserved, "available": rest, "deployed": cost},
                guards=guards,
            ),
            Put(
                row=_ledger(
                    intent,
                    event="record",
                    at=now,
                    reserved=-intent.reserved,
                    available=rest,
                    deployed=cost,
                    overrun=overrun,
                )
            ),
        ),
    )


def record_entry_held(intent: Intent, *, result: OrderResult, now: datetime) -> Transaction:
    """Book a buy whose cost the budget cannot cover: everything reserved is deployed, the slot is HELD for a person."""
    cost = -result.quote_change
    return Transaction(
        name="record_entry_held",
        token=token(intent.intent_id, "record_held"),
        writes=(
            filled(intent, result=result, now=now, outcome=Reason.OVERRUN),
            Update(
                key=slot_key_of(intent),
                set={
                    "state": SlotState.HELD,
                    "quantity": result.base_change,
                    "cost": intent.reserved,
                    "opened_at": now,
                    "held_reason": Reason.OVERRUN,
                },
                guards=owns_slot(intent.intent_id, state=SlotState.OPENING, owner_field="entry_intent_id"),
            ),
            Update(
                key=budget_key(intent.budget_id),
                set={"entries_allowed": False},
                add={"reserved": -intent.reserved, "deployed": intent.reserved},
                guards=(covers("reserved", intent.reserved),),
            ),
            Put(
                row=_ledger(
                    intent,
                    event="record",
                    at=now,
                    reserved=-intent.reserved,
                    deployed=intent.reserved,
                    overrun=subtract(cost, intent.reserved),
                )
            ),
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
    writes: tuple[Write, ...] = (
        finish_intent(
            intent,
            to=to,
            now=now,
            outcome=outcome,
            from_states=from_states,
            guards=guards,
            changes={"venue_order_id": venue_order_id} if venue_order_id else None,
        ),
        empty_slot(intent, state=SlotState.OPENING, now=now, owner_field="entry_intent_id"),
        Update(
            key=budget_key(intent.budget_id),
            add={"reserved": -intent.reserved, "available": intent.reserved, "open_positions": -1},
            guards=(covers("reserved", intent.reserved),),
        ),
        Put(row=_ledger(intent, event="release", at=now, reserved=-intent.reserved, available=intent.reserved)),
    )
    return Transaction(name="release_entry", token=token(intent.intent_id, "release"), writes=writes)


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
                    "state": SlotState.OPEN,
                    "entry_intent_id": intent.intent_id,
                    "quantity": result.base_change,
                    "cost": cost,
                    "opened_at": now,
                    "take_profit": take_profit,
                    "stop_loss": stop_loss,
                    "open_key": OPEN,
                    "slot_key": "|".join(slot.values),
                    "exit_attempt": 0,
                },
                guards=(Guard(name="slot_empty", field="state", op=Op.EQUAL, value=SlotState.EMPTY, or_missing=True),),
            ),
            Update(
                key=budget_key(intent.budget_id),
                add={"available": -cost, "deployed": cost, "open_positions": 1},
                guards=(covers("available", cost),),
            ),
            Put(row=_ledger(intent, event="adopt", at=now, available=-cost, deployed=cost)),
        ),
    )


def _ledger(
    intent: Intent,
    *,
    event: str,
    at: datetime,
    available: Decimal = ZERO,
    reserved: Decimal = ZERO,
    deployed: Decimal = ZERO,
    overrun: Decimal = ZERO,
) -> LedgerEntry:
    return LedgerEntry(
        budget_id=intent.budget_id,
        entry_key=f"{intent.intent_id}#{event}",
        at=at,
        available=available,
        reserved=reserved,
        deployed=deployed,
        overrun=overrun,
        intent_id=intent.intent_id,
        bot_id=intent.bot_id,
        symbol=intent.symbol,
    )
