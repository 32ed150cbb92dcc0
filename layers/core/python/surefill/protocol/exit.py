"""Exits: claim the position, record what was sold, and empty the slot, with nothing left unexplained."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from surefill.domain.fills import OrderResult
from surefill.domain.money import ZERO, add, share_down, subtract
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent, LedgerEntry, Slot
from surefill.domain.states import IntentState, SlotState
from surefill.domain.times import day_of
from surefill.protocol.parts import (
    begins_day,
    budget_key,
    covers,
    emptied,
    exposed,
    filled,
    finish_intent,
    new_day,
    owns_slot,
    same_day,
    slot_key_of,
    token,
)
from surefill.protocol.transaction import Guard, Op, Put, Transaction, Update, key_of

# The basis of a partly closed position is divided on this grid of the quote currency, rounded down.
_BASIS_STEP = Decimal("0.00000001")


def claim_exit(intent: Intent) -> Transaction:
    """OPEN -> CLOSING (a part: REDUCING): take profit, stop loss, a manual close and a kill switch can't both win.

    The intent names the position (by its entry) and the attempt; both must still be the slot's.
    """
    if intent.entry_intent_id is None:
        raise ValueError(f"exit {intent.intent_id} must name the entry of its position, was None")
    return Transaction(
        name="claim_exit",
        token=token(intent.intent_id, "claim"),
        writes=(
            Update(
                key=slot_key_of(intent),
                set={
                    "state": in_flight_state(intent),
                    "exit_intent_id": intent.intent_id,
                    "signal_side": None,
                    "signal_since": None,
                },
                guards=(
                    Guard(name="slot_open", field="state", op=Op.EQUAL, value=SlotState.OPEN),
                    Guard(name="same_position", field="entry_intent_id", op=Op.EQUAL, value=intent.entry_intent_id),
                    Guard(name="same_attempt", field="exit_attempt", op=Op.EQUAL, value=intent.attempt),
                    Guard(name="quantity_covers", field="quantity", op=Op.AT_LEAST, value=intent.quantity),
                    Guard(name="not_frozen", field="frozen", op=Op.MISSING),
                ),
            ),
            Put(row=intent, name="intent_is_new"),
        ),
    )


def in_flight_state(intent: Intent) -> SlotState:
    """Where a sale keeps its slot while it is on its way."""
    return SlotState.REDUCING if intent.part else SlotState.CLOSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What a sale did to a position: the basis it consumed, the money it brought, what remains in base."""

    basis: Decimal
    proceeds: Decimal
    remaining: Decimal
    dust: Decimal

    @property
    def profit(self) -> Decimal:
        """Realised profit (positive) or loss of the sale, in quote."""
        return subtract(self.proceeds, self.basis)


def closing_of(slot: Slot, *, result: OrderResult, sellable: bool) -> Closing:
    """Split the position by what was sold. A rest that can't be sold (`sellable` False) is dust and has no basis."""
    remaining = add(slot.quantity, result.base_change)
    if remaining < ZERO:
        raise AssertionError(
            f"slot {slot.owner_key} must not sell more than {slot.quantity}, sold {result.base_change}"
        )
    if remaining == ZERO or not sellable:
        return Closing(basis=slot.cost, proceeds=result.quote_change, remaining=ZERO, dust=remaining)
    sold = subtract(slot.quantity, remaining)
    basis = share_down(slot.cost, part=sold, whole=slot.quantity, step=_BASIS_STEP)
    return Closing(basis=basis, proceeds=result.quote_change, remaining=remaining, dust=ZERO)


def record_exit(
    intent: Intent, *, slot: Slot, result: OrderResult, sellable: bool, now: datetime, budget_day: str | None = None
) -> Transaction:
    """Book a terminal sale: the slot is empty (a rest too small to sell is dust) or open again with what remains.

    `budget_day` is given when the budget's daily loss is of an earlier day, as read.
    """
    if result.filled_quantity == ZERO:
        return reopen(
            intent, to=IntentState.EMPTY, outcome=Reason.NOT_FILLED, now=now, venue_order_id=result.venue_order_id
        )
    closing = closing_of(slot, result=result, sellable=sellable)
    owned = owns_slot(intent.intent_id, state=in_flight_state(intent), owner_field="exit_intent_id")
    unchanged = Guard(name="quantity_unchanged", field="quantity", op=Op.EQUAL, value=slot.quantity)
    fields = (
        emptied(now=now)
        if not closing.remaining
        else {
            "state": SlotState.OPEN,
            "exit_intent_id": None,
            "quantity": closing.remaining,
            "cost": subtract(slot.cost, closing.basis),
        }
    )
    return Transaction(
        name="record_exit",
        token=token(intent.intent_id, "record", budget_day or ""),
        writes=(
            filled(
                intent,
                result=result,
                now=now,
                changes={"basis": closing.basis, "realised": closing.profit, "opened_at": slot.opened_at},
            ),
            Update(
                key=slot_key_of(intent),
                set=fields,
                add=_counted(intent) if closing.remaining else {},
                guards=(*owned, unchanged),
            ),
            _repay(slot, closing=closing, now=now, budget_day=budget_day),
            Put(
                row=_ledger(
                    intent.budget_id,
                    key=f"{intent.intent_id}#record",
                    closing=closing,
                    at=now,
                    intent_id=intent.intent_id,
                    bot_id=intent.bot_id,
                    symbol=intent.symbol,
                )
            ),
            *exposed(slot.budget_id, asset=slot.exposure_asset, amount=-closing.basis),
        ),
    )


def _counted(intent: Intent) -> dict[str, int]:
    return {"exit_attempt": 1, "ladder_done": 1} if intent.reason is Reason.LADDER else {"exit_attempt": 1}


def close_as_dust(slot: Slot, *, now: datetime, budget_day: str | None = None) -> Transaction:
    """OPEN -> EMPTY for a position too small to sell: its cost is a realised loss, its quantity goes to the dust."""
    closing = Closing(basis=slot.cost, proceeds=ZERO, remaining=ZERO, dust=slot.quantity)
    entry = slot.entry_intent_id or ""
    return Transaction(
        name="close_as_dust",
        token=token(entry, "dust", str(slot.exit_attempt), budget_day or ""),
        writes=(
            Update(
                key=key_of(slot),
                set=emptied(now=now),
                guards=(
                    Guard(name="slot_open", field="state", op=Op.EQUAL, value=SlotState.OPEN),
                    Guard(name="same_position", field="entry_intent_id", op=Op.EQUAL, value=slot.entry_intent_id),
                    Guard(name="quantity_unchanged", field="quantity", op=Op.EQUAL, value=slot.quantity),
                ),
            ),
            _repay(slot, closing=closing, now=now, budget_day=budget_day),
            Put(
                row=_ledger(
                    slot.budget_id,
                    key=f"{entry}#dust",
                    closing=closing,
                    at=now,
                    intent_id=entry,
                    bot_id=slot.bot_id,
                    symbol=slot.market_key.partition("|")[2],
                )
            ),
            *exposed(slot.budget_id, asset=slot.exposure_asset, amount=-closing.basis),
        ),
    )


def reopen(
    intent: Intent,
    *,
    to: IntentState,
    outcome: Reason,
    now: datetime,
    held: Reason | None = None,
    from_states: tuple[IntentState, ...] = (),
    guards: tuple[Guard, ...] = (),
    venue_order_id: str | None = None,
) -> Transaction:
    """The sale did not happen: the position is open again for the next attempt, or HELD when a person must look."""
    return Transaction(
        name="reopen",
        token=token(intent.intent_id, "reopen"),
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
                set={"state": SlotState.HELD if held else SlotState.OPEN, "exit_intent_id": None, "held_reason": held},
                add={"exit_attempt": 1},
                guards=owns_slot(intent.intent_id, state=in_flight_state(intent), owner_field="exit_intent_id"),
            ),
        ),
    )


def _repay(slot: Slot, *, closing: Closing, now: datetime, budget_day: str | None) -> Update:
    money: dict[str, Decimal | int] = {
        "deployed": -closing.basis,
        "available": closing.proceeds,
        "realised": closing.profit,
    }
    if not closing.remaining:
        money["open_positions"] = -1
    loss = max(-closing.profit, ZERO)
    guards = (covers("deployed", closing.basis),)
    key = budget_key(slot.budget_id)
    today = day_of(now, zone=slot.time_zone)
    if begins_day(budget_day, today=today):
        return Update(
            key=key,
            set={"day": today, "trades_today": 0, "loss_today": loss},
            add=money,
            guards=(*guards, new_day(budget_day)),
        )
    if loss:
        return Update(
            key=key,
            add={**money, "loss_today": loss},
            guards=(*guards, same_day(today=today, budget_day=budget_day)),
        )
    return Update(key=key, add=money, guards=guards)


def _ledger(
    budget_id: str, *, key: str, closing: Closing, at: datetime, intent_id: str, bot_id: str, symbol: str
) -> LedgerEntry:
    return LedgerEntry(
        budget_id=budget_id,
        entry_key=key,
        at=at,
        available=closing.proceeds,
        deployed=-closing.basis,
        realised=closing.profit,
        dust=closing.dust,
        intent_id=intent_id,
        bot_id=bot_id,
        symbol=symbol,
    )
