"""Balances of the accounts, and everything on the other side of them.

Each movement takes an amount from one holder and gives it to another. Besides the accounts there are three holders:
the book (everybody else who trades), the fees, and the outside (deposits and withdrawals). So for every asset the
sum over all holders is zero, always.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from local.exchange.money import ZERO


@dataclass(slots=True)
class Balance:
    """What an account has of one asset: `free` to use, `locked` in open orders."""

    free: Decimal = ZERO
    locked: Decimal = ZERO


@dataclass(slots=True)
class Account:
    """One account. `fees_in_bnb`: commission is paid in BNB while there is some."""

    name: str
    number: int
    fees_in_bnb: bool = False
    balances: dict[str, Balance] = field(default_factory=dict)
    updated_ms: int = 0

    def balance(self, asset: str) -> Balance:
        """The balance of an asset, zero at first."""
        found = self.balances.get(asset)
        if found is None:
            found = self.balances[asset] = Balance()
        return found

    def lock(self, asset: str, amount: Decimal) -> None:
        """Move free balance to locked. The caller has checked that it is there."""
        balance = self.balance(asset)
        balance.free -= amount
        balance.locked += amount
        self._check(asset, balance)

    def unlock(self, asset: str, amount: Decimal) -> None:
        """Move locked balance to free."""
        self.lock(asset, -amount)

    def add(self, asset: str, amount: Decimal) -> None:
        """Change the free balance; negative takes away."""
        balance = self.balance(asset)
        balance.free += amount
        self._check(asset, balance)

    def _check(self, asset: str, balance: Balance) -> None:
        if balance.free < 0 or balance.locked < 0:
            raise RuntimeError(
                f"balance of {asset} in account {self.name} must not be negative, "
                f"was free {balance.free} and locked {balance.locked}"
            )


class Ledger:
    """All accounts and the three holders opposite to them."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.book: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.fees: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.outside: defaultdict[str, Decimal] = defaultdict(Decimal)

    def open_account(self, name: str, *, fees_in_bnb: bool = False) -> Account:
        """A new empty account. Raises ValueError on a name in use."""
        if name in self.accounts:
            raise ValueError(f"account {name!r} exists already, expected a new name")
        account = Account(name=name, number=len(self.accounts) + 1, fees_in_bnb=fees_in_bnb)
        self.accounts[name] = account
        return account

    def deposit(self, account: Account, asset: str, amount: Decimal) -> None:
        """Bring in an amount from outside; negative is a withdrawal. Raises ValueError beyond the free balance."""
        free = account.balance(asset).free
        if free + amount < 0:
            raise ValueError(f"account {account.name} has {free} {asset} free, expected at least {-amount}")
        self.outside[asset] -= amount
        account.add(asset, amount)

    def trade(self, account: Account, *, gives: tuple[str, Decimal], takes: tuple[str, Decimal]) -> None:
        """Swap between an account's free balance and the book."""
        account.add(gives[0], -gives[1])
        self.book[gives[0]] += gives[1]
        account.add(takes[0], takes[1])
        self.book[takes[0]] -= takes[1]

    def charge(self, account: Account, asset: str, amount: Decimal) -> None:
        """Take a commission."""
        account.add(asset, -amount)
        self.fees[asset] += amount

    def imbalance(self) -> dict[str, Decimal]:
        """Assets whose sum over all holders is not zero; empty unless the exchange is broken."""
        total: defaultdict[str, Decimal] = defaultdict(Decimal)
        for account in self.accounts.values():
            for asset, balance in account.balances.items():
                total[asset] += balance.free + balance.locked
        for holder in (self.book, self.fees, self.outside):
            for asset, amount in holder.items():
                total[asset] += amount
        return {asset: amount for asset, amount in total.items() if amount}
