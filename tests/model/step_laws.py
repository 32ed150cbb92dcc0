"""What must hold of every single step: of a write by what it changes, of a post by what its process has seen."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from surefill.domain.kinds import BotState
from surefill.domain.market import levels
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rows import Bot, Budget, Intent, LedgerEntry, Slot
from surefill.domain.states import INTENT_TRANSITIONS, SLOT_TRANSITIONS, IntentState
from surefill.ports import StoreUnavailableError
from surefill.protocol.transaction import GuardFailedError
from tests.model.process import Call, Node
from tests.model.tables import Tables

# What the venue really grants, whatever the product's constant says.
_WINDOW = timedelta(seconds=5)


def broken_by_write(name: str, tables: Tables, before: int, after: int, *, who: str, rules: MarketRules) -> str | None:
    """The law that this one change breaks: states go only where their tables allow, claims only when they may."""
    for key in tables.contents[after]:
        old, new = tables.get(before, key), tables.get(after, key)
        if isinstance(old, Intent) and isinstance(new, Intent) and old.state is not new.state:
            if new.state not in INTENT_TRANSITIONS[old.state]:
                return f"I8 an intent goes one way: {old.state} to {new.state}"
            if _taken_back(old, new) and old.worker != who:
                return f"I9 an order is taken back only by who sent it: {old.worker}, not {who}"
        elif isinstance(old, Slot) and isinstance(new, Slot) and old.state is not new.state:
            if new.state not in SLOT_TRANSITIONS[old.state]:
                return f"I8 a slot goes one way: {old.state} to {new.state}"
            if old.frozen and name.startswith("claim"):
                return f"I14 no order moves a frozen position: {name}"
            if name == "record_tranche" and (new.take_profit, new.stop_loss) != _levels(new):
                return f"L3 the levels are those of the whole position: {new.stop_loss} to {new.take_profit}"
        elif isinstance(old, LedgerEntry) and old != new:
            return f"I11 a ledger entry is written once: {old.entry_key}"
        elif old is None and isinstance(new, LedgerEntry) and new.dust >= _least_sale(rules):
            return f"I10 what is left behind is too small to be sold: {new.dust}"
    return _broken_by_claim(tables, before, after) if name in ("claim_entry", "claim_tranche") else None


def _levels(slot: Slot) -> tuple[Decimal | None, Decimal | None]:
    return levels(
        cost=slot.cost,
        quantity=slot.quantity,
        take_profit_percent=slot.take_profit_percent,
        stop_loss_percent=slot.stop_loss_percent,
    )


def _least_sale(rules: MarketRules) -> Decimal:
    """No sale is smaller: the step of quantities (the least worth of an order is less, at the prices of the models)."""
    return max(rules.quantity_step, rules.min_quantity)


def _taken_back(old: Intent, new: Intent) -> bool:
    posted = old.state in (IntentState.SENT, IntentState.UNKNOWN)
    return posted and new.state is IntentState.VOID and new.outcome is not Reason.PROVEN_ABSENT


def _broken_by_claim(tables: Tables, before: int, after: int) -> str | None:
    budget = tables.all(before, Budget)[0]
    made = [key for key in tables.contents[after] if key.row is Intent and key not in tables.contents[before]]
    if not made:
        return "I3 a claim writes a new intent"
    intent = tables.get(after, made[0])
    assert isinstance(intent, Intent)
    if not budget.entries_allowed:
        return "I14 no claim after entries were switched off"
    if budget.max_daily_loss is not None and budget.loss_today >= budget.max_daily_loss:
        return f"no claim after the loss of the day: {budget.loss_today}"
    if budget.realised_floor is not None and budget.realised < budget.realised_floor:
        return f"no claim after the largest loss: {budget.realised}"
    active = [row.state for row in tables.all(before, Bot) if row.bot_id == intent.bot_id]
    return None if active == [BotState.ACTIVE] else f"no claim of a bot that is not active: {active}"


def broken_by_post(node: Node, call: Call) -> str | None:
    """The law that a post breaks at the moment it is made."""
    name = call.argument.client_order_id
    claimed = next((row for row in _rows_seen(node) if row.intent_id == name), None)
    if claimed is None:
        return f"I3 an order is sent by who has seen its intent stored: {name}"
    if call.argument.signed_at > claimed.deadline - _WINDOW:
        return "I15 an order is signed before the deadline it was claimed with, less the window"
    if ("begins", False) in node.history:
        return "I14 nothing is bought by a call that began after entries were switched off"
    return None


def _rows_seen(node: Node) -> Iterator[Intent]:
    """The stored intents that a process was shown, in answers and in refusals."""
    for answer in node.answers:
        try:
            value = answer.make()
        except GuardFailedError as error:
            value = error.row_of(Intent)
        except StoreUnavailableError:
            continue
        if isinstance(value, Intent):
            yield value
