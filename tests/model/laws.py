"""What must hold: in every content of the tables, in every meeting of tables and venue, and in every step.

The numbers are those of the invariants in the reliability notes (5.1).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from surefill.domain.fills import order_result
from surefill.domain.kinds import Leg
from surefill.domain.money import ZERO, add, multiply, total
from surefill.domain.rows import Budget, Exposure, Intent, LedgerEntry, Slot
from surefill.domain.states import (
    IN_FLIGHT,
    UNFINISHED,
    IntentState,
    SlotState,
)
from surefill.protocol.transaction import Transaction
from tests.model.frame import DAY, START
from tests.model.process import Call
from tests.model.tables import Tables
from tests.model.venue import Venue

# What the venue really grants, whatever the product's constant says.
_WINDOW = timedelta(seconds=5)
_HOLDING = frozenset({SlotState.OPEN, SlotState.ADDING, SlotState.REDUCING, SlotState.CLOSING, SlotState.HELD})
_BALANCES = ("available", "reserved", "deployed", "funded", "realised")


def broken_in_tables(tables: Tables, store: int, *, start: int, only: str = "") -> str | None:
    """The first law that these contents break, or None."""
    return next((law for law in _table_laws(tables, store, start) if law.startswith(only)), None)


def _table_laws(tables: Tables, store: int, start: int) -> Iterator[str]:
    budgets = tables.all(store, Budget)
    slots = {(slot.market_key, slot.owner_key): slot for slot in tables.all(store, Slot)}
    intents = {intent.intent_id: intent for intent in tables.all(store, Intent)}
    for budget in budgets:
        yield from _budget_laws(budget, list(slots.values()), list(intents.values()))
        yield from _ledger_law(budget, tables, store, start)
    for exposure in tables.all(store, Exposure):
        yield from _exposure_laws(exposure, list(slots.values()), list(intents.values()))
    for slot in slots.values():
        yield from _slot_laws(slot, intents)
    yield from _left_laws(list(slots.values()), intents, tables.all(store, LedgerEntry))


def _budget_laws(budget: Budget, slots: list[Slot], intents: list[Intent]) -> Iterator[str]:
    if add(budget.available, budget.reserved, budget.deployed) != add(budget.funded, budget.realised):
        yield f"I1 conservation: {budget}"
    if min(budget.available, budget.reserved, budget.deployed) < ZERO:
        yield f"I1 no balance is negative: {budget}"
    held = total(intent.reserved for intent in intents if intent.state in UNFINISHED)
    if budget.reserved != held:
        yield f"I2 reserved is what unfinished orders hold: {budget.reserved} for {held}"
    at_work = [slot for slot in slots if slot.state is not SlotState.EMPTY]
    if budget.deployed != total(slot.cost for slot in at_work):
        yield f"I2 deployed is what positions cost: {budget.deployed}"
    if budget.open_positions != len(at_work):
        yield f"I2 open positions are counted: {budget.open_positions} for {len(at_work)}"
    if budget.max_open_positions is not None and budget.open_positions > budget.max_open_positions:
        yield f"the limit of open positions holds: {budget.open_positions}"
    most = budget.max_trades_per_day
    if most is not None and budget.day == DAY and budget.trades_today > most:
        yield f"the limit of trades holds: {budget.trades_today}"
    yield from _counter_laws(budget, intents)
    for intent in intents:
        cost = total(fill.cost for fill in intent.fills)
        if intent.leg is not Leg.EXIT and cost > intent.reserved and budget.entries_allowed:
            yield f"I12 a cost above the reservation stops entries: {intent.intent_id}"


def _exposure_laws(exposure: Exposure, slots: list[Slot], intents: list[Intent]) -> Iterator[str]:
    held = [one.reserved for one in intents if one.exposure_asset == exposure.asset and one.state in UNFINISHED]
    at_work = [slot.cost for slot in slots if slot.exposure_asset == exposure.asset]
    if exposure.amount < ZERO:
        yield f"I1 nothing negative is exposed: {exposure.amount}"
    if exposure.amount != total((*held, *at_work)):
        yield f"I2 what is exposed is counted: {exposure.amount} for {total((*held, *at_work))}"
    limits = [one.max_exposure for one in intents if one.exposure_asset == exposure.asset and one.max_exposure]
    if limits and exposure.amount > max(limits):
        yield f"the limit of what is exposed holds: {exposure.amount} of {max(limits)}"


def _counter_laws(budget: Budget, intents: list[Intent]) -> Iterator[str]:
    counted = [
        intent for intent in intents if intent.leg is not Leg.EXIT and intent.created_at.date().isoformat() == DAY
    ]
    recent = [intent for intent in counted if intent.created_at >= START]
    if budget.day == DAY and recent and budget.trades_today < len(recent):
        yield f"the trades of the day are counted: {budget.trades_today} for {len(recent)}"
    lost = [-sale.realised for sale in intents if sale.realised is not None and sale.realised < ZERO]
    if lost and (budget.day != DAY or budget.loss_today < total(lost)):
        yield f"the losses of the day are counted: {budget.loss_today} on {budget.day} for {total(lost)}"


def _ledger_law(budget: Budget, tables: Tables, store: int, start: int) -> Iterator[str]:
    first = next(row for row in tables.all(start, Budget) if row.budget_id == budget.budget_id)
    entries = [entry for entry in tables.all(store, LedgerEntry) if entry.budget_id == budget.budget_id]
    for name in _BALANCES:
        folded = add(getattr(first, name), *(getattr(entry, name) for entry in entries))
        if folded != getattr(budget, name):
            yield f"I11 the ledger tells every change: {name} is {getattr(budget, name)}, told {folded}"


def _slot_laws(slot: Slot, intents: dict[str, Intent]) -> Iterator[str]:
    if slot.state is SlotState.EMPTY:
        return
    entry = intents.get(slot.entry_intent_id or "")
    if entry is None:
        yield f"I3 a slot in use has an entry: {slot}"
        return
    if slot.state is SlotState.OPENING and entry.state not in UNFINISHED:
        yield f"I3 an opening slot has an unfinished entry: it is {entry.state}"
    if slot.state in _HOLDING:
        if entry.state not in (IntentState.FILLED, IntentState.ADOPTED) or not entry.fills:
            yield f"I7 a position has fills: its entry is {entry.state}"
        if slot.quantity != _net(entry, intents):
            yield f"I6 a position is what was bought less what was sold: {slot.quantity}, {_net(entry, intents)}"
        if slot.bought != _bought(entry, intents):
            yield f"I6 all that was added is counted: {slot.bought}, {_bought(entry, intents)}"
    yield from _order_of_slot(slot, entry, intents)
    if slot.quantity < ZERO or slot.cost < ZERO:
        yield f"I6 a position is not negative: {slot}"


def _left_laws(slots: list[Slot], intents: dict[str, Intent], ledger: list[LedgerEntry]) -> Iterator[str]:
    """What was bought and is in no slot any more was sold, or is told as dust."""
    held = {slot.entry_intent_id for slot in slots}
    for entry in intents.values():
        if entry.leg is not Leg.ENTRY or not entry.fills or entry.intent_id in held:
            continue
        own = {entry.intent_id, *(one.intent_id for one in intents.values() if one.entry_intent_id == entry.intent_id)}
        dust = total(told.dust for told in ledger if told.intent_id in own)
        if dust != _net(entry, intents):
            yield f"I6 what is in no slot was sold or is dust: {_net(entry, intents)} of {entry.intent_id}, told {dust}"


def _order_of_slot(slot: Slot, entry: Intent, intents: dict[str, Intent]) -> Iterator[str]:
    """A slot with an order on its way names it; one that rests names none that could still do something."""
    adding, leaving = intents.get(slot.tranche_intent_id or ""), intents.get(slot.exit_intent_id or "")
    mover = {SlotState.ADDING: adding, SlotState.REDUCING: leaving, SlotState.CLOSING: leaving}
    if slot.state in mover:
        order = mover[slot.state]
        if order is None or order.state not in UNFINISHED:
            yield f"I3 a slot that is {slot.state} has an unfinished order: {order and order.state}"
        elif order.entry_intent_id != entry.intent_id:
            yield f"I3 an order moves the position it was meant for: {order.entry_intent_id}"
        elif order.part != (slot.state is SlotState.REDUCING):
            yield f"I3 only a sale of a part reduces: {order.intent_id} on a slot that is {slot.state}"
    if adding is not None and slot.state is not SlotState.ADDING:
        yield f"I3 a slot that is {slot.state} names no tranche: {adding.intent_id}"
    for intent in intents.values():
        waits = intent.entry_intent_id == entry.intent_id and intent.state in UNFINISHED
        if waits and intent not in (adding, leaving):
            yield f"I3 one order at a time moves a position: {intent.leg} {intent.intent_id} is {intent.state}"


def _tranches(entry_id: str, intents: dict[str, Intent]) -> list[Intent]:
    return [one for one in intents.values() if one.leg is Leg.TRANCHE and one.entry_intent_id == entry_id]


def _bought(entry: Intent, intents: dict[str, Intent]) -> Decimal:
    tranches = _tranches(entry.intent_id, intents)
    return add(_base_change(entry), *(_base_change(one) for one in tranches))


def _net(entry: Intent, intents: dict[str, Intent]) -> Decimal:
    sales = (one for one in intents.values() if one.leg is Leg.EXIT and one.entry_intent_id == entry.intent_id)
    return add(_bought(entry, intents), *(_base_change(sale) for sale in sales))


def _base_change(intent: Intent) -> Decimal:
    if not intent.fills:
        return ZERO
    base, _, quote = intent.symbol.partition("/")
    return order_result(
        venue_order_id="",
        side=intent.side,
        base=base,
        quote=quote,
        filled_quantity=intent.filled_quantity,
        fills=intent.fills,
    ).base_change


def broken_with_venue(tables: Tables, store: int, venue: Venue, *, only: str = "") -> str | None:
    """The first law that tables and venue break together, or None."""
    return next((law for law in _venue_laws(tables, store, venue) if law.startswith(only)), None)


def _venue_laws(tables: Tables, store: int, venue: Venue) -> Iterator[str]:
    intents = {intent.intent_id: intent for intent in tables.all(store, Intent)}
    if len(set(venue.posts)) != len(venue.posts):
        yield "I4 an order is posted at most once"
    signals: dict[Any, set[str]] = defaultdict(set)
    for name in venue.posts:
        intent = intents.get(name)
        if intent is None:
            yield f"I3 every order sent has an intent: {name}"
        elif intent.leg is not Leg.EXIT:
            signals[intent.bot_id, intent.symbol, intent.rung, intent.leg, intent.tick].add(name)
    if any(len(names) > 1 for names in signals.values()):
        yield "I5 one signal is at most one order"
    filled_tranches = Counter(
        (intent.entry_intent_id, intent.attempt)
        for intent in intents.values()
        if intent.leg is Leg.TRANCHE and intent.state is IntentState.FILLED
    )
    if any(count > 1 for count in filled_tranches.values()):
        yield f"I5 what was planned as one more tranche is one: {max(filled_tranches.values())}"
    filled: dict[str, list[int]] = defaultdict(list)
    for order in venue.orders:
        filled[order.client_id].append(order.halves)
        yield from _order_laws(intents.get(order.client_id), order)
    for name, halves in filled.items():
        if sum(1 for one in halves if one) > 1:
            yield f"I5 an intent is at most one filled order: {name}"
    yield from _sale_law(intents, venue)


def _order_laws(intent: Intent | None, order: Any) -> Iterator[str]:
    if intent is None or intent.state in UNFINISHED:
        return
    told = multiply(order.quantity / 2, Decimal(order.halves))
    if order.is_open:
        yield f"I9 an order is finished before its intent ({intent.state}) is"
    elif intent.state in (IntentState.VOID, IntentState.EMPTY) and order.halves:
        yield f"I9 void or empty is only what filled nothing: the venue filled {told}"
    elif intent.state is IntentState.FILLED and intent.filled_quantity != told:
        yield f"I6 what is booked is what was filled: {intent.filled_quantity}, {told}"


def _sale_law(intents: dict[str, Intent], venue: Venue) -> Iterator[str]:
    sold: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for order in venue.orders:
        intent = intents.get(order.client_id)
        if intent is not None and intent.leg is Leg.EXIT:
            position = intent.entry_intent_id or ""
            sold[position] = add(sold[position], multiply(order.quantity / 2, Decimal(order.halves)))
    for position, quantity in sold.items():
        bought = _bought(intents[position], intents)
        if quantity > bought:
            yield f"I10 no more is sold than was bought: {quantity} of {bought}"


def unsettled(tables: Tables, store: int, venue: Venue) -> str | None:
    """Why a state with nothing under way is not settled, or None: every order finished, and told as it was."""
    for intent in tables.all(store, Intent):
        if intent.state in UNFINISHED:
            return f"L1 every intent ends: {intent.leg} {intent.intent_id[:6]} is {intent.state}"
    intents = {intent.intent_id for intent in tables.all(store, Intent)}
    for order in venue.orders:
        if order.client_id not in intents or order.is_open:
            return f"L2 every order of ours is known and finished: {order}"
    for slot in tables.all(store, Slot):
        if slot.state in IN_FLIGHT:
            return f"L4 a slot comes to rest: {slot.state}"
    return broken_with_venue(tables, store, venue)


def told(call: Call) -> str:
    """A call in words."""
    what = call.argument
    if isinstance(what, Transaction):
        return what.name
    if call.name == "update":
        state = what.set.get("state")
        return f"writes {what.key.row.__name__} {', '.join(what.set)}" + (f" ({state})" if state else "")
    if call.name in ("get", "begins"):
        return f"reads {what.row.__name__}"
    return {"now": "reads the clock", "due": "reads the work index"}.get(call.name, call.name)
