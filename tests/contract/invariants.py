"""What must be true of the money after any sequence of moves."""

from surefill.domain.kinds import Leg
from surefill.domain.money import ZERO, add, total
from surefill.domain.rows import Budget, Exposure, Intent, Slot
from surefill.domain.states import UNFINISHED
from surefill.ports import Store

_BALANCES = ("available", "reserved", "deployed", "funded", "realised")


def broken(store: Store) -> list[str]:
    """The invariants that do not hold, in words with numbers; none when all is well."""
    intents = list(store.all_rows(Intent))
    return [fault for budget in store.all_rows(Budget) for fault in _faults(store, budget, intents)]


def _faults(store: Store, budget: Budget, intents: list[Intent]) -> list[str]:
    faults = []
    held = add(budget.available, budget.reserved, budget.deployed)
    if held != add(budget.funded, budget.realised):
        faults.append(f"I1: {budget.budget_id} holds {held} for {budget.funded} + {budget.realised}")
    if min(budget.available, budget.reserved, budget.deployed) < ZERO:
        faults.append(f"I1: {budget.budget_id} is below zero: {budget}")
    waiting = total(
        intent.reserved
        for intent in intents
        if intent.budget_id == budget.budget_id and intent.leg is not Leg.EXIT and intent.state in UNFINISHED
    )
    if waiting != budget.reserved:
        faults.append(f"I2: {budget.budget_id} reserves {budget.reserved}, its orders {waiting}")
    ledger = list(store.ledger_of(budget.budget_id))
    for name in _BALANCES:
        folded = total(getattr(entry, name) for entry in ledger)
        if folded != getattr(budget, name):
            faults.append(f"I11: {budget.budget_id}.{name} is {getattr(budget, name)}, its ledger says {folded}")
    for asset in {slot.exposure_asset for slot in store.all_rows(Slot)} - {None}:
        faults += _exposure_faults(store, budget, str(asset), intents)
    return faults


def _exposure_faults(store: Store, budget: Budget, asset: str, intents: list[Intent]) -> list[str]:
    """What is counted for an asset is what orders reserve and positions cost."""
    counted = store.get(Exposure, budget.budget_id, asset)
    at_work = total(
        [
            *(
                intent.reserved
                for intent in intents
                if intent.budget_id == budget.budget_id
                and intent.exposure_asset == asset
                and intent.state in UNFINISHED
            ),
            *(
                slot.cost
                for slot in store.all_rows(Slot)
                if slot.budget_id == budget.budget_id and slot.exposure_asset == asset
            ),
        ]
    )
    amount = counted.amount if counted else ZERO
    return [] if amount == at_work else [f"I18: {budget.budget_id} counts {amount} in {asset}, at work are {at_work}"]
