"""Money in and out of a budget by its owner, and the switch that stops entries."""

from datetime import datetime
from decimal import Decimal

from surefill.domain.money import positive, subtract
from surefill.domain.rows import Budget, LedgerEntry
from surefill.protocol.parts import budget_key, covers, token
from surefill.protocol.transaction import Guard, Op, Put, Transaction, Update


def open_budget(budget: Budget, *, request_id: str, now: datetime) -> Transaction:
    """Create a budget with its first funds, and the ledger entry they come from."""
    positive(budget.funded, name="funds of a new budget")
    if budget.available != budget.funded:
        raise AssertionError(f"a new budget must have all its funds available, had {budget.available}")
    return Transaction(
        name="open_budget",
        token=token(budget.budget_id, "open", request_id),
        writes=(
            Put(row=budget, name="budget_is_new"),
            Put(row=_ledger(budget.budget_id, amount=budget.funded, request_id=request_id, now=now)),
        ),
    )


def fund(budget_id: str, *, amount: Decimal, request_id: str, now: datetime) -> Transaction:
    """Add funds to a budget. The same `request_id` can do so once only."""
    positive(amount, name="amount to fund")
    return Transaction(
        name="fund",
        token=token(budget_id, "fund", request_id),
        writes=(
            Update(
                key=budget_key(budget_id),
                add={"available": amount, "funded": amount},
                guards=(Guard(name="budget_exists", field="budget_id", op=Op.PRESENT),),
            ),
            Put(row=_ledger(budget_id, amount=amount, request_id=request_id, now=now)),
        ),
    )


def withdraw(budget_id: str, *, amount: Decimal, request_id: str, now: datetime) -> Transaction:
    """Take free money out of a budget; what is reserved or deployed stays."""
    positive(amount, name="amount to withdraw")
    return Transaction(
        name="withdraw",
        token=token(budget_id, "withdraw", request_id),
        writes=(
            Update(
                key=budget_key(budget_id),
                add={"available": -amount, "funded": -amount},
                guards=(covers("available", amount),),
            ),
            Put(row=_ledger(budget_id, amount=-amount, request_id=request_id, now=now)),
        ),
    )


def raise_floor(budget: Budget) -> Update | None:
    """Let the drawdown limit follow the best result so far; None when there is no limit or the floor is there already.

    Under the floor nothing is bought any more. It never falls: who lifts a limit does so by setting it anew.
    """
    if budget.max_drawdown is None:
        return None
    floor = subtract(budget.realised, budget.max_drawdown)
    if budget.realised_floor is not None and budget.realised_floor >= floor:
        return None
    return Update(
        key=budget_key(budget.budget_id),
        set={"realised_floor": floor},
        guards=(
            Guard(name="same_limit", field="max_drawdown", op=Op.EQUAL, value=budget.max_drawdown),
            Guard(name="floor_is_lower", field="realised_floor", op=Op.LESS, value=floor, or_missing=True),
        ),
    )


def switch_entries(budget_id: str, *, allowed: bool) -> Update:
    """Allow or stop entries from a budget: no reservation can commit after "stop" is written."""
    return Update(
        key=budget_key(budget_id),
        set={"entries_allowed": allowed},
        guards=(Guard(name="budget_exists", field="budget_id", op=Op.PRESENT),),
    )


def _ledger(budget_id: str, *, amount: Decimal, request_id: str, now: datetime) -> LedgerEntry:
    return LedgerEntry(budget_id=budget_id, entry_key=f"funds#{request_id}", at=now, available=amount, funded=amount)
