"""What must be true of a world: the invariants of the product, and every coin at the venue explained by the tables."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from local.invariants import Violation, check_all, check_steps
from surefill.domain.kinds import AccountState, Leg
from surefill.domain.money import ZERO, add, subtract
from surefill.domain.reasons import Reason
from surefill.domain.records import PaperEntry
from surefill.domain.rows import Exposure
from surefill.domain.states import IN_FLIGHT, UNFINISHED, SlotState
from surefill.usecases.timing import WINDOW
from tests.simulation.world import LIVE, World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.rows import Rows


def safety(world: World, before: Rows | None) -> tuple[list[Violation], Rows]:
    """I1 to I12 at any moment, what every write was seen to do, and what left for the venue."""
    rows = world.rows()
    checked = replace(rows, exchange={**rows.exchange, "accounts": _without_people(world, rows)})
    found = [*world.witness.violations, *check_all(checked), *_posts(world, rows), *_exposed(world, rows)]
    found += [_violation("DEFECT", "a function", text) for text in world.ears.defects]
    if before is not None:
        found += check_steps(before, rows)
    return found, rows


def rest(world: World, rows: Rows) -> list[Violation]:
    """What must hold once faults have stopped and everything had its time: L1 to L5, and the coins."""
    found = []
    for intent in rows.intents:
        if intent.state in UNFINISHED:
            found.append(_violation("L1", intent.intent_id, f"is still {intent.state}, made {intent.created_at}"))
    for budget in rows.budgets:
        if budget.reserved:
            found.append(_violation("L1", budget.budget_id, f"still reserves {budget.reserved}"))
    for slot in rows.slots:
        if slot.state in IN_FLIGHT:
            found.append(_violation("L4", slot.owner_key, f"{slot.market_key} is still {slot.state}"))
        if slot.state is SlotState.HELD and not _cause(world, rows, slot.held_reason, slot.market_key):
            found.append(_violation("L4", slot.owner_key, f"is HELD as {slot.held_reason} without a cause"))
        held_ms = world.witness.held_ms.get(f"{slot.market_key} {slot.owner_key}", 0)
        long_held = slot.state is SlotState.HELD and held_ms < world.kernel.now_ms - 2 * 60_000
        if long_held and not world.ears.heard[Reason.SLOT_HELD]:
            found.append(_violation("L4", slot.owner_key, f"{slot.market_key} is HELD and nobody was told"))
        wanted = ((slot.stop_loss_percent, slot.stop_loss), (slot.take_profit_percent, slot.take_profit))
        if slot.state is SlotState.OPEN and any(percent and level is None for percent, level in wanted):
            found.append(_violation("L3", slot.owner_key, "is OPEN without levels"))
    return [*found, *_in_sync(world, rows), *_coins(world, rows)]


def _in_sync(world: World, rows: Rows) -> list[Violation]:
    """L5 as the product tells it: no account is said to be short of anything unless a person took something."""
    if any(amount < ZERO for amount in world.lowest.values()):
        return []
    return [
        _violation("L5", account.account_id, f"is {account.state} ({account.state_reason}), nobody took anything")
        for account in rows.accounts
        if account.state is not AccountState.OK
    ]


def _cause(world: World, rows: Rows, reason: Reason | None, market_key: str) -> bool:
    """A position is only ever held because a person took its coins, or because it cost more than was there."""
    base = market_key.partition("|")[2].partition("/")[0]
    if reason is Reason.BALANCE_SHORT:
        return world.lowest[base] < ZERO
    return reason is Reason.OVERRUN and any(entry.overrun for entry in rows.ledger)


def _posts(world: World, rows: Rows) -> list[Violation]:
    """I4, I13 and I15 as seen on the wire: once, of a live intent, signed while its window still fits its deadline."""
    found = []
    intents = {intent.intent_id: intent for intent in rows.intents}
    for client_id, stamps in world.wire.posts.items():
        intent = intents.get(client_id)
        if len(stamps) > 1:
            found.append(_violation("I4", client_id, f"left for the venue {len(stamps)} times"))
        if intent is None or intent.account_id != LIVE:
            found.append(_violation("I13", client_id, "left for the venue without a live intent"))
        elif stamps[0] / 1_000 > (intent.deadline - WINDOW).timestamp():
            found.append(_violation("I15", client_id, f"was signed at {stamps[0]}, its deadline is {intent.deadline}"))
    return found


def _exposed(world: World, rows: Rows) -> list[Violation]:
    """What is counted as exposed is what unfinished buys reserve and positions cost, where it is counted at all."""
    found = []
    for exposure in world.store.rows(Exposure):
        kept = (exposure.budget_id, exposure.asset)
        held = [
            intent.reserved
            for intent in rows.intents
            if (intent.budget_id, intent.exposure_asset) == kept and intent.state in UNFINISHED
        ]
        cost = [slot.cost for slot in rows.slots if (slot.budget_id, slot.exposure_asset) == kept]
        if exposure.amount != add(*held, *cost):
            text = f"counts {exposure.amount} of {exposure.asset}, buys and positions are {add(*held, *cost)}"
            found.append(_violation("I2", exposure.budget_id, text))
    return found


def _without_people(world: World, rows: Rows) -> Mapping[str, Any]:
    """The account as it would be had people taken nothing: what is missing beyond that is ours."""
    accounts: dict[str, Any] = {name: dict(held) for name, held in rows.exchange["accounts"].items()}
    for asset, moved in world.interference.items():
        held = accounts["main"].get(asset, {"free": "0", "locked": "0"})
        accounts["main"][asset] = {**held, "free": str(Decimal(held["free"]) - moved)}
    return accounts


def _coins(world: World, rows: Rows) -> list[Violation]:
    """L5, exactly: opening + people + what the tables say was bought, sold and left as dust == what the venue holds."""
    found = []
    for account_id, held, opening, people in _holders(world, rows):
        expected = _explained(rows, account_id, opening)
        for asset, amount in people.items():
            expected[asset] = add(expected[asset], amount)
        for asset in sorted(set(expected) | set(held)):
            have, want = held.get(asset, ZERO), expected.get(asset, ZERO)
            if have != want:
                text = f"holds {have} {asset}, the tables explain {want} (off by {subtract(have, want)})"
                found.append(_violation("L5", account_id, text))
    return found


def _holders(
    world: World, rows: Rows
) -> list[tuple[str, dict[str, Decimal], Mapping[str, Decimal], Mapping[str, Decimal]]]:
    live = {
        asset: Decimal(held["free"]) + Decimal(held["locked"])
        for asset, held in rows.exchange["accounts"]["main"].items()
    }
    paper_id = world.paper_account()
    paper = {
        entry.entry_key.partition("#")[2]: add(entry.free, entry.locked)
        for entry in world.store.rows(PaperEntry)
        if entry.entry_key.startswith("balance#")
    }
    opened = {"USDT": Decimal(10_000)} if "USDT" in paper else {}
    return [(LIVE, live, world.opening, world.interference), (paper_id, paper, opened, {})]


def _explained(rows: Rows, account_id: str, opening: Mapping[str, Decimal]) -> defaultdict[str, Decimal]:
    """What an account must hold: its opening, moved by budgets, positions, dust, overruns and fees in other assets."""
    expected: defaultdict[str, Decimal] = defaultdict(lambda: ZERO, opening)
    budgets = {budget.budget_id for budget in rows.budgets if budget.account_id == account_id}
    for budget in rows.budgets:
        if budget.budget_id in budgets:
            expected["USDT"] = add(expected["USDT"], budget.realised, -budget.deployed)
    for slot in rows.slots:
        if slot.account_id == account_id:
            base = slot.market_key.partition("|")[2].partition("/")[0]
            expected[base] = add(expected[base], slot.quantity)
    held = _orders_of_held(rows)
    for entry in rows.ledger:
        if entry.budget_id in budgets and entry.symbol:
            base = entry.symbol.partition("/")[0]
            expected[base] = add(expected[base], entry.dust)
            if entry.overrun and entry.intent_id in held:
                expected["USDT"] = subtract(expected["USDT"], entry.overrun)
    for intent in rows.intents:
        if intent.account_id == account_id:
            own = set(intent.symbol.split("/"))
            for fill in intent.fills:
                if fill.fee_asset not in own:
                    expected[fill.fee_asset] = subtract(expected[fill.fee_asset], fill.fee)
    return expected


def _orders_of_held(rows: Rows) -> set[str]:
    """The buys of positions that wait for a person."""
    entries = {slot.entry_intent_id for slot in rows.slots if slot.state is SlotState.HELD}
    return {one.intent_id for one in rows.intents if one.intent_id in entries or one.entry_intent_id in entries}


def _violation(code: str, subject: str, text: str) -> Violation:
    return Violation(invariant=code, subject=subject, text=text)


def late(world: World, rows: Rows, stopped_ms: int) -> list[float]:
    """Seconds after faults stopped until each intent that was unfinished then was finished."""
    return [
        (world.witness.finished_ms[intent.intent_id] - stopped_ms) / 1_000
        for intent in rows.intents
        if world.witness.made_ms[intent.intent_id] <= stopped_ms < world.witness.finished_ms.get(intent.intent_id, 0)
    ]


def unprotected(world: World, *, since_ms: int = 0) -> list[float]:
    """Seconds (from `since_ms` on) between the first fill of each entry and its position standing with its levels."""
    found = []
    for order in world.exchange.state.engine.orders.values():
        client_id = order.request.client_order_id
        opened = world.witness.opened_ms.get(client_id, 0)
        rests = client_id in world.witness.resting
        if opened > since_ms and order.trades and world.witness.legs.get(client_id) is Leg.ENTRY and not rests:
            found.append((opened - max(order.trades[0].time_ms, since_ms)) / 1_000)
    return found
