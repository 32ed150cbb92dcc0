"""The in-memory store behind an unreliable line: exact transactions, unreliable replies, indexes that lag."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from surefill.adapters.memory import MemoryStore
from surefill.domain.rows import Bot, Budget, Intent, JournalEntry, LedgerEntry, Row, Slot
from surefill.listings import Cursor, Listing, Page
from surefill.protocol.transaction import Key, Transaction, Update, key_of
from tests.simulation.boundary import Process

AnyRow = TypeVar("AnyRow", bound=Row)
Answer = TypeVar("Answer")
_STALE_MS = 60_000
_WATCHED = (Budget, Slot, Intent)


class Watcher(Protocol):
    """Sees every row of money, position or order that changes."""

    def changed(self, before: Row | None, after: Row, *, by: str) -> None:
        """One row, before and after one write."""
        ...


@dataclass(slots=True)
class Tables:
    """What all processes share: the rows, who watches them, and earlier answers of the indexes."""

    rows: MemoryStore
    watcher: Watcher
    earlier: dict[str, deque[tuple[int, Any]]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=4)))

    def apply(self, keys: Iterable[Key], action: Callable[[], Answer], *, by: str) -> Answer:
        """Do a write and show the watcher what it changed."""
        watched = [key for key in keys if key.row in _WATCHED]
        before = [self.rows.get(key.row, *key.values) for key in watched]
        answer = action()
        for key, row in zip(watched, before, strict=True):
            after = self.rows.get(key.row, *key.values)
            if after is not None and after is not row:
                self.watcher.changed(row, after, by=by)
        return answer


class FaultyStore:
    """The Store port of one process."""

    def __init__(self, tables: Tables, process: Process) -> None:
        self._tables = tables
        self._rows = tables.rows
        self.process = process

    # writes

    def commit(self, transaction: Transaction) -> None:
        """See ports.Store."""
        keys = [write.key for write in transaction.writes]
        self._write(
            f"commit:{transaction.name}", keys, lambda: self._rows.commit(transaction), detail=_ids(keys, transaction)
        )

    def update(self, update: Update) -> Row:
        """See ports.Store."""
        target = update.set.get("state")
        what = f"update:{update.key.row.TABLE}" + (f":{target}" if target else "")
        return self._write(what, [update.key], lambda: self._rows.update(update), detail=_ids([update.key], None))

    def insert(self, row: Row) -> None:
        """See ports.Store."""
        self._write(f"insert:{row.TABLE}", [key_of(row)], lambda: self._rows.insert(row), detail=_ids([key_of(row)]))

    def replace(self, row: Row) -> None:
        """See ports.Store."""
        self._write(f"replace:{row.TABLE}", [key_of(row)], lambda: self._rows.replace(row), detail=_ids([key_of(row)]))

    def journal(self, entries: Sequence[JournalEntry]) -> None:
        """See ports.Store."""
        if entries:
            keys = [key_of(entry) for entry in entries]
            self._write("journal", keys, lambda: self._rows.journal(entries), detail=_ids(keys))

    def delete(self, key: Key) -> None:
        """See ports.Store."""
        self._write(f"delete:{key.row.TABLE}", [key], lambda: self._rows.delete(key), detail=_ids([key]))

    def _write(self, what: str, keys: list[Key], action: Callable[[], Answer], *, detail: str) -> Answer:
        by = f"{self.process.function} {what}"
        return self.process.effect(f"store.{what}", detail, lambda: self._tables.apply(keys, action, by=by))

    # reads

    def get(self, row: type[AnyRow], *values: str) -> AnyRow | None:
        """See ports.Store."""
        self.process.read("store.read")
        return self._rows.get(row, *values)

    def get_many(self, row: type[AnyRow], keys: Iterable[tuple[str, ...]]) -> list[AnyRow]:
        """See ports.Store."""
        self.process.read("store.read")
        return self._rows.get_many(row, list(keys))

    def all_rows(self, row: type[AnyRow]) -> list[AnyRow]:
        """See ports.Store."""
        self.process.read("store.read")
        return self._rows.all_rows(row)

    def bots_of_cadence(self, cadence_key: str) -> list[Bot]:
        """See ports.Store."""
        return self._indexed(f"bots {cadence_key}", lambda: self._rows.bots_of_cadence(cadence_key))

    def slots_of_market(self, market_key: str, *, owner: str | None = None, consistent: bool = False) -> list[Slot]:
        """See ports.Store."""
        if consistent:
            self.process.read("store.read")
            return self._rows.slots_of_market(market_key, owner=owner)
        name = f"slots {market_key}" + (f" {owner}" if owner else "")
        return self._indexed(name, lambda: self._rows.slots_of_market(market_key, owner=owner))

    def page(self, listing: Listing[AnyRow], of: str, *, limit: int, after: Cursor | None = None) -> Page[AnyRow]:
        """See ports.Store."""
        self.process.read("store.read")
        return self._rows.page(listing, of, limit=limit, after=after)

    def open_slot_keys(self) -> list[tuple[str, str]]:
        """See ports.Store."""
        return self._indexed("open", self._rows.open_slot_keys)

    def unfinished_intents(self, *, due_until: datetime | None, limit: int = 100) -> list[str]:
        """See ports.Store."""
        name = "work" if due_until is None else "work due"
        return self._indexed(name, lambda: self._rows.unfinished_intents(due_until=due_until, limit=limit))

    def intents_of_bot(self, bot_id: str, *, limit: int = 50) -> Sequence[Intent]:
        """See ports.Store."""
        return self._indexed(f"intents {bot_id}", lambda: self._rows.intents_of_bot(bot_id, limit=limit))

    def ledger_of(self, budget_id: str) -> list[LedgerEntry]:
        """See ports.Store."""
        self.process.read("store.read")
        return self._rows.ledger_of(budget_id)

    def journal_of(self, bot_id: str, *, limit: int = 50) -> Sequence[JournalEntry]:
        """See ports.Store."""
        self.process.read("store.read")
        return self._rows.journal_of(bot_id, limit=limit)

    def budgets_of_account(self, account_id: str) -> list[Budget]:
        """See ports.Store."""
        self.process.read("store.read")
        return self._rows.budgets_of_account(account_id)

    def _indexed(self, name: str, read: Callable[[], Answer]) -> Answer:
        """An answer of an index, or the one somebody got up to a minute ago."""
        self.process.read("store.read")
        now_ms = self.process.kernel.now_ms
        kept = self._tables.earlier[name]
        if kept and self.process.chaos.stale(f"{self.process.function} {name}"):
            old_ms, answer = kept[0]
            if now_ms - old_ms <= _STALE_MS:
                return answer
        answer = read()
        kept.append((now_ms, answer))
        return answer


def _ids(keys: list[Key], transaction: Transaction | None = None) -> str:
    # Row keys, never request tokens: those of a paper account are drawn anew in every run.
    return ",".join("/".join(key.values) for key in (keys[:1] if transaction else keys))
