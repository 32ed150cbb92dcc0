"""Stores with a protection taken out, for the controls: the races must show what it is there for."""

from dataclasses import replace
from typing import Any

from surefill.adapters.dynamodb import DynamoStore
from surefill.domain.rows import LedgerEntry, Row
from surefill.protocol.transaction import Check, Put, Transaction, Update, Write


class Unguarded:
    """A store that leaves out guards by their names; "ledger_entry" leaves out the ledger entry, which guards too."""

    def __init__(self, store: DynamoStore, *, dropped: frozenset[str]) -> None:
        self._store = store
        self._dropped = dropped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, transaction: Transaction) -> None:
        """Commit what is left of the transaction."""
        writes = tuple(left for write in transaction.writes if (left := self._left(write)) is not None)
        self._store.commit(replace(transaction, writes=writes))

    def update(self, update: Update) -> Row:
        """Update with what is left of the guards."""
        left = self._left(update)
        assert isinstance(left, Update)
        return self._store.update(left)

    def _left(self, write: Write) -> Write | None:
        if isinstance(write, Put):
            return None if "ledger_entry" in self._dropped and isinstance(write.row, LedgerEntry) else write
        guards = tuple(guard for guard in write.guards if guard.name not in self._dropped)
        return None if isinstance(write, Check) and not guards else replace(write, guards=guards)


class Piecewise:
    """A store whose transactions are written one row after the other: what a transaction is there for is missing."""

    def __init__(self, store: DynamoStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, transaction: Transaction) -> None:
        """Commit every write by itself."""
        for write in transaction.writes:
            self._store.commit(replace(transaction, writes=(write,)))
