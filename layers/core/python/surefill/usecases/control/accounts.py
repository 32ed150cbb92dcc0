"""Create and read accounts and budgets."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from surefill.domain.gates import zone_of
from surefill.domain.kinds import Mode
from surefill.domain.money import ZERO, add, subtract, to_decimal
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account, Budget
from surefill.ports import Clock, Observer, Store
from surefill.protocol.funds import fund, open_budget, switch_entries, withdraw
from surefill.protocol.parts import budget_key
from surefill.protocol.transaction import Guard, GuardFailedError, Op, Update, key_of
from surefill.usecases.control.errors import ConflictError, NotFoundError, RequestRefusedError
from surefill.usecases.control.stops import refuse_while_stopped, standing_stops

_NAME = re.compile(r"^[a-z0-9][a-z0-9_]{0,31}$")


def check_name(name: str, *, field: str = "name") -> str:
    """Names become parts of keys: lower-case letters, digits and underscores, at most 32."""
    if not _NAME.match(name):
        raise RequestRefusedError(field, f"{field} must be 1 to 32 of a-z, 0-9 and _, was {name!r}")
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a budget may not go over; None is no limit. Money is in the budget's currency, a drawdown too.

    They hold inside every claim. `time_zone` says when a day begins.
    """

    max_open_positions: int | None = None
    max_trades_per_day: int | None = None
    max_daily_loss: Decimal | None = None
    max_exposure_per_asset: Decimal | None = None
    max_drawdown: Decimal | None = None
    time_zone: str | None = None

    def checked(self) -> "Limits":
        """These limits; RequestRefusedError names one that can't be."""
        for name in ("max_open_positions", "max_trades_per_day"):
            count = getattr(self, name)
            if count is not None and count < 1:
                raise RequestRefusedError(name, f"{name} must be 1 or more, was {count}")
        for name in ("max_daily_loss", "max_exposure_per_asset", "max_drawdown"):
            amount = getattr(self, name)
            if amount is not None and amount <= ZERO:
                raise RequestRefusedError(name, f"{name} must be above 0, was {amount}")
        if self.time_zone is not None:
            try:
                zone_of(self.time_zone)
            except ValueError as error:
                raise RequestRefusedError("time_zone", str(error)) from None
        return self

    def as_fields(self, *, names: Iterable[str]) -> dict[str, Any]:
        """The named limits as fields of a budget. The floor of a drawdown begins anew from what is realised now.

        `sync_account` puts it there within five minutes.
        """
        values: dict[str, Any] = {name: getattr(self, name) for name in names}
        if "max_drawdown" in values:
            values["realised_floor"] = None
        return values


LIMITS = tuple(item.name for item in fields(Limits))


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountControl:
    """Accounts and the budgets cut out of them."""

    store: Store
    clock: Clock
    observer: Observer
    venues: Sequence[str]

    def create_account(
        self,
        *,
        name: str,
        venue: str,
        mode: Mode,
        currency: str,
        secret_name: str | None = None,
        paper_balance: Decimal | None = None,
    ) -> Account:
        """Register an account. A live one names the secret with its keys, a paper one the balance it starts with."""
        check_name(name)
        if venue not in self.venues:
            raise RequestRefusedError("venue", f"venue must be one of {', '.join(self.venues)}, was {venue!r}")
        if mode is Mode.LIVE and not secret_name:
            raise RequestRefusedError("secret_name", "a live account needs the name of the secret with its API keys")
        if mode is Mode.PAPER and (paper_balance is None or paper_balance <= ZERO):
            raise RequestRefusedError("paper_balance", f"a paper account needs a balance above 0, was {paper_balance}")
        account = Account(
            account_id=f"{mode}-{venue}-{name}",
            venue=venue,
            mode=mode,
            currency=currency.upper(),
            secret_name=secret_name if mode is Mode.LIVE else None,
            paper_balance=paper_balance if mode is Mode.PAPER else None,
        )
        try:
            self.store.insert(account)
        except GuardFailedError:
            raise ConflictError("name", f"account {account.account_id} exists already") from None
        return account

    def account(self, account_id: str) -> Account:
        """The account, or NotFoundError."""
        account = self.store.get(Account, account_id)
        if account is None:
            raise NotFoundError("account_id", f"account {account_id!r} does not exist")
        return account

    def delete_account(self, account_id: str) -> None:
        """Delete an account that no money was ever set aside of; one that was used stays, with its history."""
        account = self.account(account_id)
        budgets = sorted(budget.budget_id for budget in self.store.budgets_of_account(account_id))
        if budgets:
            message = f"account {account_id} has budgets ({', '.join(budgets)}): one that was used stays"
            raise ConflictError("account_id", message)
        self.store.delete(key_of(account))

    def create_budget(
        self,
        *,
        account_id: str,
        name: str,
        amount: Decimal,
        limits: Limits | None = None,
    ) -> Budget:
        """Set money of an account aside for bots. Together the budgets may not hold more than the account does."""
        account = self.account(account_id)
        check_name(name)
        limits = (limits or Limits()).checked()
        self._require_free(account, amount=amount, field="amount")
        budget = Budget(
            budget_id=f"{account_id}-{name}",
            account_id=account_id,
            currency=account.currency,
            funded=amount,
            available=amount,
            **limits.as_fields(names=LIMITS),
        )
        try:
            self.store.commit(open_budget(budget, request_id="open", now=self.clock.now()))
        except GuardFailedError:
            raise ConflictError("name", f"budget {budget.budget_id} exists already") from None
        self.observer.event(Reason.FUNDED, budget=budget.budget_id, amount=str(amount))
        return budget

    def budget(self, budget_id: str) -> Budget:
        """The budget, or NotFoundError."""
        budget = self.store.get(Budget, budget_id)
        if budget is None:
            raise NotFoundError("budget_id", f"budget {budget_id!r} does not exist")
        return budget

    def fund(self, budget_id: str, *, amount: Decimal, request_id: str) -> Budget:
        """Add account money to a budget, once per request id."""
        budget = self.budget(budget_id)
        self._require_free(self.account(budget.account_id), amount=amount, field="amount")
        try:
            self.store.commit(fund(budget_id, amount=amount, request_id=request_id, now=self.clock.now()))
        except GuardFailedError as error:
            if "is_new" not in error.names():
                raise
        return self.budget(budget_id)

    def withdraw(self, budget_id: str, *, amount: Decimal, request_id: str) -> Budget:
        """Take free money out of a budget, once per request id."""
        budget = self.budget(budget_id)
        try:
            self.store.commit(withdraw(budget_id, amount=amount, request_id=request_id, now=self.clock.now()))
        except GuardFailedError as error:
            if "available_covers" in error.names():
                message = f"amount must not be above the {budget.available} that is free, was {amount}"
                raise ConflictError("amount", message) from None
            if "is_new" not in error.names():
                raise
        return self.budget(budget_id)

    def shrink(self, budget_id: str, *, to: Decimal, request_id: str) -> Budget:
        """Take out what is free until `to` of the budget's funds are left; nothing when it has no more than that."""
        if to < ZERO:
            raise RequestRefusedError("to", f"to must not be negative, was {to}")
        budget = self.budget(budget_id)
        over = subtract(budget.funded, to)
        if over <= ZERO:
            return budget
        if over > budget.available:
            least = subtract(budget.funded, budget.available)
            raise ConflictError("to", f"to must be at least {least}, the rest is at work; was {to}: wait or close")
        return self.withdraw(budget_id, amount=over, request_id=request_id)

    def change_limits(self, budget_id: str, changes: Mapping[str, Any]) -> Budget:
        """Change some of the limits; one of exposure counts from then on, so it is set while nothing is at work."""
        budget = self.budget(budget_id)
        limits = Limits(**changes).checked()
        at_work = budget.deployed or budget.reserved
        if "max_exposure_per_asset" in changes and budget.max_exposure_per_asset is None and at_work:
            message = "max_exposure_per_asset must be set while nothing of the budget is at work, or it is not counted"
            raise ConflictError("max_exposure_per_asset", message)
        if not changes:
            return budget
        there = Guard(name="budget_exists", field="budget_id", op=Op.PRESENT)
        row = self.store.update(Update(key=budget_key(budget_id), set=limits.as_fields(names=changes), guards=(there,)))
        assert isinstance(row, Budget)
        return row

    def switch_entries(self, budget_id: str, *, allowed: bool) -> Budget:
        """Allow or stop entries from a budget. After "stop" returns no reservation can commit against it."""
        budget = self.budget(budget_id)
        if allowed:
            refuse_while_stopped(standing_stops(self.store), account_id=budget.account_id)
        row = self.store.update(switch_entries(budget_id, allowed=allowed))
        if allowed:
            # A stop pressed between the look and the write wins.
            try:
                refuse_while_stopped(standing_stops(self.store), account_id=budget.account_id)
            except ConflictError:
                self.store.update(switch_entries(budget_id, allowed=False))
                raise
        assert isinstance(row, Budget)
        return row

    def _require_free(self, account: Account, *, amount: Decimal, field: str) -> None:
        if amount <= ZERO:
            raise RequestRefusedError(field, f"{field} must be above 0, was {amount}")
        if account.reconciled_at is None:
            raise ConflictError(
                "account_id",
                f"account {account.account_id} has not been read from its venue yet (every 5 minutes): try again then"
                + (f"; last error: {account.state_reason}" if account.state_reason else ""),
            )
        held = to_decimal(account.balances.get(account.currency, "0"))
        budgets = self.store.budgets_of_account(account.account_id)
        used = add(*(part for budget in budgets for part in (budget.available, budget.reserved)))
        if add(used, amount) > held:
            raise RequestRefusedError(
                field,
                f"{field} must not be above the {held - used} {account.currency} of {account.account_id} that no budget"
                f" holds, was {amount}",
            )
