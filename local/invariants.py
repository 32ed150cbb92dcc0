"""The safety invariants I1 to I12, checked over stored rows and the exchange's own account of itself.

Pure: `Rows` in, violations out, each with the numbers that contradict each other. Simulations, replays, `make up` and
the system tests all use these.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from surefill.domain.kinds import Leg, Mode, Side
from surefill.domain.money import ZERO, add, subtract
from surefill.domain.reasons import Reason
from surefill.domain.states import INTENT_TRANSITIONS, UNFINISHED, IntentState, SlotState
from surefill.usecases.settle import VISIBILITY_LAG
from surefill.usecases.timing import WINDOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from local.rows import Rows
    from surefill.domain.rows import Budget, Fill, Intent, Slot

_BALANCES = ("available", "reserved", "deployed", "funded", "realised")
_BOOKED = frozenset({IntentState.FILLED, IntentState.ADOPTED})
_HOLDING = frozenset({SlotState.OPEN, SlotState.ADDING, SlotState.REDUCING, SlotState.CLOSING, SlotState.HELD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """An invariant that does not hold: which, of what, and the numbers."""

    invariant: str
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.text}"


@dataclass(frozen=True, slots=True)
class Invariant:
    """A code of the reliability catalogue, what it promises, and its check: (subject, text) pairs."""

    code: str
    promise: str
    check: Callable[[Rows], Iterable[tuple[str, str]]]


def check_all(rows: Rows) -> list[Violation]:
    """Every violation of I1 to I12; empty when all hold."""
    return [
        Violation(invariant=invariant.code, subject=subject, text=text)
        for invariant in INVARIANTS
        for subject, text in invariant.check(rows)
    ]


def check_steps(before: Rows, after: Rows) -> list[Violation]:
    """I8 between two looks at the same rows: each state must be reachable from the earlier one by listed steps."""
    found = []
    intents = {intent.intent_id: intent for intent in before.intents}
    for intent in after.intents:
        earlier = intents.get(intent.intent_id)
        if earlier is not None and not _reachable(INTENT_TRANSITIONS, earlier.state, intent.state):
            text = f"went from {earlier.state} to {intent.state}, which no listed steps lead to"
            found.append(Violation(invariant="I8", subject=intent.intent_id, text=text))
    return found


def _conserved(rows: Rows) -> Iterable[tuple[str, str]]:
    for budget in rows.budgets:
        held = add(budget.available, budget.reserved, budget.deployed)
        owed = add(budget.funded, budget.realised)
        if held != owed:
            yield budget.budget_id, f"available + reserved + deployed is {held}, funded + realised is {owed}"
        for name in ("available", "reserved", "deployed"):
            if getattr(budget, name) < ZERO:
                yield budget.budget_id, f"{name} must not be negative, was {getattr(budget, name)}"


def _reserved_by_intents(rows: Rows) -> Iterable[tuple[str, str]]:
    expected: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for intent in rows.intents:
        if intent.side is Side.BUY and intent.state in UNFINISHED:
            expected[intent.budget_id] = add(expected[intent.budget_id], intent.reserved)
    for budget in rows.budgets:
        if budget.reserved != expected[budget.budget_id]:
            yield budget.budget_id, f"reserved is {budget.reserved}, its open buys hold {expected[budget.budget_id]}"


def _one_slot(rows: Rows) -> Iterable[tuple[str, str]]:
    intents = _by_id(rows)
    taken = [slot for slot in rows.slots if slot.state is not SlotState.EMPTY]
    for place, count in Counter((slot.market_key, slot.owner_key) for slot in taken).items():
        if count > 1:
            yield "|".join(place), f"{count} slots are taken, at most 1 may be"
    for slot in taken:
        entry = intents.get(slot.entry_intent_id or "")
        if entry is None:
            yield _name(slot), f"slot is {slot.state} but its entry intent {slot.entry_intent_id} does not exist"
        leaving = slot.state in (SlotState.CLOSING, SlotState.REDUCING)
        if leaving and slot.exit_intent_id not in intents:
            yield _name(slot), f"slot is {slot.state} but its exit intent {slot.exit_intent_id} does not exist"
        if slot.state is SlotState.ADDING and slot.tranche_intent_id not in intents:
            yield _name(slot), f"slot is ADDING but its tranche {slot.tranche_intent_id} does not exist"
    for budget in rows.budgets:
        count = sum(slot.budget_id == budget.budget_id for slot in taken)
        if budget.open_positions != count:
            yield budget.budget_id, f"open_positions is {budget.open_positions}, its slots that are taken are {count}"


def _posted_once(rows: Rows) -> Iterable[tuple[str, str]]:
    intents = _by_id(rows)
    for client_id, count in rows.exchange.get("order_posts", {}).items():
        if count > 1:
            yield client_id, f"{count} requests to place it arrived, at most 1 may"
        if client_id not in intents:
            yield client_id or "(no client id)", "an order was posted that no intent stands for"


def _one_order(rows: Rows) -> Iterable[tuple[str, str]]:
    filled: Counter[str] = Counter()
    for order in rows.exchange.get("orders", ()):
        if Decimal(order["executedQty"]) > 0:
            filled[order["clientOrderId"]] += 1
    for intent in rows.intents:
        if filled[intent.intent_id] > 1:
            yield intent.intent_id, f"{filled[intent.intent_id]} orders of it filled at the venue, at most 1 may"


def _slots_explained(rows: Rows) -> Iterable[tuple[str, str]]:
    intents = _by_id(rows)
    exits, tranches = _booked_by_entry(rows, Leg.EXIT), _booked_by_entry(rows, Leg.TRANCHE)
    for slot in rows.slots:
        if slot.quantity < ZERO or slot.cost < ZERO:
            yield _name(slot), f"quantity and cost must not be negative, were {slot.quantity} and {slot.cost}"
        expected = _expected_quantity(
            slot, entry=intents.get(slot.entry_intent_id or ""), exits=exits, tranches=tranches
        )
        if slot.quantity != expected:
            yield _name(slot), f"slot holds {slot.quantity}, fills of its orders explain {expected}"
    for budget in rows.budgets:
        cost = add(*(slot.cost for slot in rows.slots if slot.budget_id == budget.budget_id))
        if budget.deployed != cost:
            yield budget.budget_id, f"deployed is {budget.deployed}, the cost of its positions is {cost}"
    yield from _covered_by_venue(rows)
    yield from _fills_as_at_venue(rows)


def _expected_quantity(
    slot: Slot,
    *,
    entry: Intent | None,
    exits: Mapping[str, list[Intent]],
    tranches: Mapping[str, list[Intent]],
) -> Decimal:
    if entry is None or slot.state not in _HOLDING:
        return ZERO
    moved = (*tranches[entry.intent_id], *exits[entry.intent_id])
    return add(_base_change(entry), *(_base_change(intent) for intent in moved))


def _covered_by_venue(rows: Rows) -> Iterable[tuple[str, str]]:
    """Live positions against what the venue holds. An order under way moves one before the other: not compared then."""
    if "accounts" not in rows.exchange:
        return
    live = {account.account_id for account in rows.accounts if account.mode is Mode.LIVE}
    owned: dict[str, Decimal] = defaultdict(lambda: ZERO)
    moving = {_base(intent.symbol) for intent in rows.intents if intent.state in UNFINISHED}
    for slot in rows.slots:
        if slot.account_id in live:
            asset = _base(slot.market_key.partition("|")[2])
            owned[asset] = add(owned[asset], slot.quantity)
    for asset, quantity in owned.items():
        total = ZERO
        for balances in rows.exchange["accounts"].values():
            held = balances.get(asset, {"free": "0", "locked": "0"})
            total = add(total, Decimal(held["free"]), Decimal(held["locked"]))
        if asset not in moving and quantity > total:
            yield asset, f"positions hold {quantity}, the venue holds {total}"


def _fills_as_at_venue(rows: Rows) -> Iterable[tuple[str, str]]:
    if "orders" not in rows.exchange:
        return
    live = {account.account_id for account in rows.accounts if account.mode is Mode.LIVE}
    executed: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for order in rows.exchange["orders"]:
        client_id = order["clientOrderId"]
        executed[client_id] = add(executed[client_id], Decimal(order["executedQty"]))
    for intent in rows.intents:
        finished = intent.state not in UNFINISHED
        if intent.account_id in live and finished and intent.filled_quantity != executed[intent.intent_id]:
            booked, traded = intent.filled_quantity, executed[intent.intent_id]
            yield intent.intent_id, f"intent is {intent.state} with {booked} filled, the venue filled {traded}"


def _fills_belong(rows: Rows) -> Iterable[tuple[str, str]]:
    intents = _by_id(rows)
    for slot in rows.slots:
        entry = intents.get(slot.entry_intent_id or "")
        if slot.state is SlotState.OPEN and (entry is None or not entry.fills):
            yield _name(slot), f"slot is OPEN, but its entry {slot.entry_intent_id} has no fill"
    seen: dict[tuple[str, str, str], str] = {}
    for intent in rows.intents:
        for fill in intent.fills:
            trade = (intent.account_id, intent.symbol, fill.trade_id)
            if trade in seen:
                yield intent.intent_id, f"trade {fill.trade_id} on {intent.symbol} is also a fill of {seen[trade]}"
            seen[trade] = intent.intent_id
        if intent.fills and intent.state not in _BOOKED:
            yield intent.intent_id, f"intent is {intent.state} and must have no fills, has {len(intent.fills)}"


def _one_way(rows: Rows) -> Iterable[tuple[str, str]]:
    """What a legal way leaves behind: finished intents carry an end and an outcome, unfinished ones their work key."""
    for intent in rows.intents:
        finished = intent.state not in UNFINISHED
        if finished != (intent.finished_at is not None) or finished != (intent.outcome is not None):
            yield intent.intent_id, f"is {intent.state} with end {intent.finished_at} and outcome {intent.outcome}"
        if finished == (intent.work_key is not None):
            yield intent.intent_id, f"is {intent.state} with work key {intent.work_key}: it must have one until it ends"
        if intent.state not in (IntentState.RESERVED, IntentState.VOID) and intent.sent_at is None:
            yield intent.intent_id, f"is {intent.state} but was never sent"
        if intent.state is IntentState.RESERVED and intent.sent_at is not None:
            yield intent.intent_id, f"is RESERVED but was sent at {intent.sent_at}"
        if intent.state is IntentState.FILLED and not intent.filled_quantity:
            yield intent.intent_id, "is FILLED with a quantity of 0"
    by_id = _by_id(rows)
    for slot in rows.slots:
        entry = by_id.get(slot.entry_intent_id or "")
        if entry is not None and not _slot_fits(slot, entry):
            yield _name(slot), f"slot is {slot.state} while its entry {entry.intent_id} is {entry.state}"


def _slot_fits(slot: Slot, entry: Intent) -> bool:
    if slot.state is SlotState.OPENING:
        return entry.state in UNFINISHED
    return slot.state is SlotState.EMPTY or entry.state in _BOOKED


def _void_proven(rows: Rows) -> Iterable[tuple[str, str]]:
    posts = rows.exchange.get("order_posts", {})
    for intent in rows.intents:
        if intent.state is not IntentState.VOID:
            continue
        if intent.sent_at is None and posts.get(intent.intent_id):
            yield intent.intent_id, f"is VOID as never sent, but {posts[intent.intent_id]} requests to place it arrived"
        if intent.outcome is Reason.PROVEN_ABSENT:
            yield from _absence(intent)


def _absence(intent: Intent) -> Iterable[tuple[str, str]]:
    if intent.sent_at is None or intent.absent_since is None or intent.finished_at is None:
        yield intent.intent_id, f"is VOID as absent without evidence (sent {intent.sent_at}, {intent.absent_since})"
        return
    fence = intent.sent_at + WINDOW + VISIBILITY_LAG
    if intent.absent_since <= fence:
        yield intent.intent_id, f"was missed first at {intent.absent_since}, evidence counts after {fence} only"
    if intent.finished_at - intent.absent_since < VISIBILITY_LAG:
        yield intent.intent_id, f"was missed at {intent.absent_since} and voided at {intent.finished_at}, too soon"


def _sold_once(rows: Rows) -> Iterable[tuple[str, str]]:
    intents, tranches = _by_id(rows), _booked_by_entry(rows, Leg.TRANCHE)
    for entry_id, exits in _booked_by_entry(rows, Leg.EXIT).items():
        entry = intents.get(entry_id)
        if entry is None:
            yield entry_id, f"{len(exits)} exits close a position whose entry does not exist"
            continue
        sold = add(*(intent.filled_quantity for intent in exits))
        bought = add(_base_change(entry), *(_base_change(tranche) for tranche in tranches[entry_id]))
        if sold > bought:
            yield entry_id, f"exits sold {sold}, the entry and its tranches bought {bought} after fees"
    credited = {entry.entry_key: entry.available for entry in rows.ledger}
    for intent in rows.intents:
        if intent.leg is Leg.EXIT and intent.state in _BOOKED:
            proceeds, booked = _quote_change(intent), credited.get(f"{intent.intent_id}#record")
            if booked != proceeds:
                yield intent.intent_id, f"sold for {proceeds}, the ledger credits {booked}"


def _ledger_explains(rows: Rows) -> Iterable[tuple[str, str]]:
    for budget in rows.budgets:
        entries = [entry for entry in rows.ledger if entry.budget_id == budget.budget_id]
        for name in _BALANCES:
            folded = add(*(getattr(entry, name) for entry in entries))
            if folded != getattr(budget, name):
                stored = getattr(budget, name)
                yield budget.budget_id, f"{name} is {stored}, its {len(entries)} ledger entries add up to {folded}"


def _within_reservation(rows: Rows) -> Iterable[tuple[str, str]]:
    overruns = {entry.intent_id: entry.overrun for entry in rows.ledger if entry.overrun}
    budgets: dict[str, Budget] = {budget.budget_id: budget for budget in rows.budgets}
    for intent in rows.intents:
        if intent.leg is Leg.EXIT or intent.state is not IntentState.FILLED:
            continue
        cost = -_quote_change(intent)
        if cost <= intent.reserved:
            continue
        if intent.intent_id not in overruns:
            yield intent.intent_id, f"cost {cost} is above the reserved {intent.reserved} and no overrun is recorded"
        budget = budgets.get(intent.budget_id)
        if budget is not None and budget.entries_allowed:
            yield intent.intent_id, f"cost {cost} is above the reserved {intent.reserved} and entries are still allowed"


INVARIANTS: tuple[Invariant, ...] = (
    Invariant("I1", "available + reserved + deployed == funded + realised, none negative", _conserved),
    Invariant("I2", "reserved is what the open buys hold", _reserved_by_intents),
    Invariant("I3", "one slot per bot and symbol, owned by an intent that exists", _one_slot),
    Invariant("I4", "at most one request to place an order per intent", _posted_once),
    Invariant("I5", "at most one order with fills per intent", _one_order),
    Invariant("I6", "positions are what their fills say, and the venue holds them", _slots_explained),
    Invariant("I7", "no position without a fill, no fill twice", _fills_belong),
    Invariant("I8", "states go one way", _one_way),
    Invariant("I9", "void only when never sent or proven absent", _void_proven),
    Invariant("I10", "never sold more than bought, proceeds credited once", _sold_once),
    Invariant("I11", "the ledger adds up to the balances", _ledger_explains),
    Invariant("I12", "no order costs more than its reservation unnoticed", _within_reservation),
)


def _by_id(rows: Rows) -> dict[str, Intent]:
    return {intent.intent_id: intent for intent in rows.intents}


def _booked_by_entry(rows: Rows, leg: Leg) -> defaultdict[str, list[Intent]]:
    """Tranches or exits that traded, by the entry of their position."""
    found: defaultdict[str, list[Intent]] = defaultdict(list)
    for intent in rows.intents:
        if intent.leg is leg and intent.entry_intent_id and intent.state in _BOOKED:
            found[intent.entry_intent_id].append(intent)
    return found


def _base_change(intent: Intent) -> Decimal:
    """Base gained (a sale: negative), fees in base included."""
    sign = 1 if intent.side is Side.BUY else -1
    quantity = add(*(fill.quantity for fill in intent.fills))
    return subtract(quantity * sign, _fees(intent.fills, asset=_base(intent.symbol)))


def _quote_change(intent: Intent) -> Decimal:
    """Quote gained (a purchase: negative), fees in quote included."""
    sign = 1 if intent.side is Side.SELL else -1
    cost = add(*(fill.cost for fill in intent.fills))
    return subtract(cost * sign, _fees(intent.fills, asset=intent.symbol.partition("/")[2]))


def _fees(fills: Sequence[Fill], *, asset: str) -> Decimal:
    return add(*(fill.fee for fill in fills if fill.fee_asset == asset))


def _base(symbol: str) -> str:
    return symbol.partition("/")[0]


def _name(slot: Slot) -> str:
    return f"{slot.market_key} {slot.owner_key}"


def _reachable(table: Mapping[Any, frozenset[Any]], source: Any, target: Any) -> bool:
    """Whether listed steps lead from one state to the other (or it is the same)."""
    seen, open_states = {source}, [source]
    while open_states:
        for following in table[open_states.pop()]:
            if following not in seen:
                seen.add(following)
                open_states.append(following)
    return target in seen
