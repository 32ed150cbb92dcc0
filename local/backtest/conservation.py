"""The money of a backtest adds up: every budget in itself, with its ledger, and with its positions and their fills."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from surefill.domain.money import ZERO, add, subtract, total
from surefill.domain.rows import Budget, LedgerEntry, Slot
from surefill.domain.states import SlotState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from local.backtest.outcome import Order
    from surefill.adapters.memory import MemoryStore


class MoneyError(AssertionError):
    """The money of a backtest does not add up: a defect of the program, never of the strategy."""


def require_conservation(store: MemoryStore, *, orders: Sequence[Order]) -> None:
    """Every budget adds up, is explained by its ledger, and its positions by their fills. Raises MoneyError."""
    slots = [slot for slot in store.rows(Slot) if slot.state is not SlotState.EMPTY]
    ledger: dict[str, list[LedgerEntry]] = defaultdict(list)
    for entry in store.rows(LedgerEntry):
        ledger[entry.budget_id].append(entry)
    for budget in store.rows(Budget):
        _require_budget(budget, ledger=ledger[budget.budget_id], slots=slots)
    _require_base(store, orders=orders, slots=slots)


def require_balances(store: MemoryStore) -> None:
    """Every budget adds up, and what is deployed is what its positions cost. Raises MoneyError."""
    slots = [slot for slot in store.rows(Slot) if slot.state is not SlotState.EMPTY]
    for budget in store.rows(Budget):
        _require_sums(budget, slots=slots)


_BALANCES = ("available", "reserved", "deployed", "funded", "realised")


def _require_budget(budget: Budget, *, ledger: Sequence[LedgerEntry], slots: Sequence[Slot]) -> None:
    _require_sums(budget, slots=slots)
    for name in _BALANCES:
        explained = total(getattr(entry, name) for entry in ledger)
        if explained != getattr(budget, name):
            raise MoneyError(f"{name} of budget {budget.budget_id} is {getattr(budget, name)}, ledger says {explained}")


def _require_sums(budget: Budget, *, slots: Sequence[Slot]) -> None:
    held, owed = add(budget.available, budget.reserved, budget.deployed), add(budget.funded, budget.realised)
    if held != owed or min(budget.available, budget.reserved, budget.deployed) < ZERO:
        raise MoneyError(f"budget {budget.budget_id} must hold {owed}, holds {held}: {budget}")
    cost = total(slot.cost for slot in slots if slot.budget_id == budget.budget_id)
    if cost != budget.deployed:
        raise MoneyError(f"positions of budget {budget.budget_id} cost {cost}, deployed are {budget.deployed}")


def _require_base(store: MemoryStore, *, orders: Sequence[Order], slots: Sequence[Slot]) -> None:
    expected: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for order in orders:
        expected[order.symbol] = add(expected[order.symbol], order.base_change)
    for slot in slots:
        symbol = slot.market_key.partition("|")[2]
        expected[symbol] = subtract(expected[symbol], slot.quantity)
    for entry in store.rows(LedgerEntry):
        if entry.symbol:
            expected[entry.symbol] = subtract(expected[entry.symbol], entry.dust)
    wrong: Mapping[str, Decimal] = {symbol: rest for symbol, rest in expected.items() if rest}
    if wrong:
        raise MoneyError(f"fills must be held or dust, these are neither: {dict(wrong)}")
