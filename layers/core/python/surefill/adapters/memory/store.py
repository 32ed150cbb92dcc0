"""The Store port in memory, exact: for tests, simulations and backtests. Rows are immutable, so a copy is cheap."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock
from typing import TypeVar, cast

from surefill.adapters.memory.changes import changed, check, exact
from surefill.adapters.writes import failed_guards, key_values, owned_by, unmet
from surefill.domain.records import Closing, PastTrade, Stop
from surefill.domain.rows import Account, Bot, Budget, Intent, JournalEntry, LedgerEntry, Row, Slot
from surefill.domain.times import sortable
from surefill.listings import Cursor, Listing, Page
from surefill.ports import Clock
from surefill.protocol.parts import OPEN, WORK
from surefill.protocol.transaction import FailedGuard, GuardFailedError, Key, Put, Transaction, Update, Write, key_of

AnyRow = TypeVar("AnyRow", bound=Row)
_Values = tuple[str, ...]
_TOKEN_LIFE = timedelta(minutes=10)
_TOKENS_KEPT = 10_000
# The fields rows are found by: rows of a class by the value of the field, those without a value left out.
_INDEXED: Mapping[str, tuple[str, ...]] = {
    Account.TABLE: ("venue",),
    Bot.TABLE: ("cadence_key", "account_id", "definition_hash"),
    Budget.TABLE: ("account_id",),
    Slot.TABLE: ("market_key", "open_key"),
    Intent.TABLE: ("work_key", "bot_id"),
    LedgerEntry.TABLE: ("budget_id",),
    JournalEntry.TABLE: ("bot_id",),
    Stop.TABLE: ("scope",),
    Closing.TABLE: ("stop_id",),
    PastTrade.TABLE: ("account_id",),
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All rows and tokens of a store at one moment."""

    tables: Mapping[str, Mapping[_Values, Row]]
    tokens: "OrderedDict[str, tuple[Transaction, datetime | None]]"


class MemoryStore:
    """All tables in dicts behind one lock; the same transactions as on DynamoDB, with the same refusals.

    `clock` ends a request token after ten minutes; without one the last 10,000 tokens are remembered.
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock = clock
        self._lock = RLock()
        self._tables: dict[str, dict[_Values, Row]] = defaultdict(dict)
        self._found: dict[tuple[str, str, str], dict[_Values, Row]] = defaultdict(dict)
        self._tokens: OrderedDict[str, tuple[Transaction, datetime | None]] = OrderedDict()

    # writes

    def commit(self, transaction: Transaction) -> None:
        """Apply all writes of the transaction or none; a resend of the same content within ten minutes is a success."""
        with self._lock:
            if self._is_resend(transaction):
                return
            self._apply(transaction.name, transaction.writes)
            self._tokens[transaction.token] = (transaction, self._clock.now() if self._clock else None)
            self._tokens.move_to_end(transaction.token)
            if len(self._tokens) > _TOKENS_KEPT:
                self._tokens.popitem(last=False)

    def update(self, update: Update) -> Row:
        """Apply one guarded update to one row and return the row as it is now."""
        if update.add and not update.guards:
            raise AssertionError(f"an update that adds {sorted(update.add)} must have guards, had none")
        with self._lock:
            self._apply(f"update {update.key.row.TABLE}", (update,))
            return self._tables[update.key.row.TABLE][update.key.values]

    def insert(self, row: Row) -> None:
        """Write a new row; GuardFailedError ("is_new") when its key is taken."""
        with self._lock:
            self._apply(f"insert {row.TABLE}", (Put(row=row),))

    def replace(self, row: Row) -> None:
        """Write a row whether or not one is there. Never used for money, slots or intents."""
        with self._lock:
            self._put(key_of(row).values, exact(row))

    def journal(self, entries: Sequence[JournalEntry]) -> None:
        """Write journal entries; the same entry again changes nothing."""
        for entry in entries:
            self.replace(entry)

    def delete(self, key: Key) -> None:
        """Delete a row if it is there. Used for bots only."""
        with self._lock:
            old = self._tables[key.row.TABLE].pop(key_values(key), None)
            if old is not None:
                self._forget(key.values, old)

    # reads

    def get(self, row: type[AnyRow], *values: str) -> AnyRow | None:
        """Read one row by its key values."""
        with self._lock:
            return cast("AnyRow | None", self._tables[row.TABLE].get(key_values(Key(cast("type[Row]", row), values))))

    def get_many(self, row: type[AnyRow], keys: Iterable[tuple[str, ...]]) -> list[AnyRow]:
        """Read several rows by key values; missing ones are left out."""
        with self._lock:
            found = (self.get(row, *key) for key in dict.fromkeys(keys))
            return [one for one in found if one is not None]

    def rows(self, row: type[AnyRow]) -> list[AnyRow]:
        """Every row of a class, in the order they were first written: for invariants and reports."""
        with self._lock:
            return cast("list[AnyRow]", list(self._tables[row.TABLE].values()))

    def all_rows(self, row: type[AnyRow]) -> list[AnyRow]:
        """Every row of a small table."""
        return self.rows(row)

    def bots_of_cadence(self, cadence_key: str) -> list[Bot]:
        """Bots that are evaluated at this interval."""
        return sorted(self._by(Bot, "cadence_key", cadence_key), key=lambda bot: bot.bot_id)

    def slots_of_market(self, market_key: str, *, owner: str | None = None, consistent: bool = False) -> list[Slot]:
        """All slots of one market, of all bots or of one owner; always consistent here."""
        found = [slot for slot in self._by(Slot, "market_key", market_key) if owner is None or owned_by(slot, owner)]
        return sorted(found, key=lambda slot: slot.owner_key)

    def page(self, listing: Listing[AnyRow], of: str, *, limit: int, after: Cursor | None = None) -> Page[AnyRow]:
        """Up to `limit` rows of a list, after where an earlier page ended."""
        placed = {listing.cursor_of(row): row for row in self._by(listing.row, listing.by, of)}
        places = sorted((place for place in placed if place[0]), reverse=listing.newest_first)
        if after is not None:
            places = [place for place in places if (place < after if listing.newest_first else place > after)]
        shown = places[:limit]
        return Page(rows=[placed[place] for place in shown], next=shown[-1] if len(places) > limit else None)

    def open_slot_keys(self) -> list[tuple[str, str]]:
        """(market_key, owner_key) of every slot that is not empty."""
        found = [slot for slot in self._by(Slot, "open_key", OPEN) if slot.slot_key is not None]
        return [(slot.market_key, slot.owner_key) for slot in sorted(found, key=lambda slot: slot.slot_key or "")]

    def unfinished_intents(self, *, due_until: datetime | None, limit: int = 100) -> list[str]:
        """Ids of intents in the work index whose next check is due (all when None), oldest first."""
        until = None if due_until is None else sortable(due_until)
        waiting = [
            (intent.next_check_at, intent.intent_id)
            for intent in self._by(Intent, "work_key", WORK)
            if intent.next_check_at is not None and (until is None or intent.next_check_at <= until)
        ]
        return [intent_id for _, intent_id in sorted(waiting)[:limit]]

    def intents_of_bot(self, bot_id: str, *, limit: int = 50) -> Sequence[Intent]:
        """The newest intents of a bot, newest first."""
        found = self._by(Intent, "bot_id", bot_id)
        return sorted(found, key=lambda intent: (intent.created_at, intent.intent_id), reverse=True)[:limit]

    def ledger_of(self, budget_id: str) -> list[LedgerEntry]:
        """All ledger entries of a budget."""
        return sorted(self._by(LedgerEntry, "budget_id", budget_id), key=lambda entry: entry.entry_key)

    def journal_of(self, bot_id: str, *, limit: int = 50) -> Sequence[JournalEntry]:
        """The newest journal entries of a bot, newest first."""
        found = self._by(JournalEntry, "bot_id", bot_id)
        return sorted(found, key=lambda entry: entry.entry_key, reverse=True)[:limit]

    def budgets_of_account(self, account_id: str) -> list[Budget]:
        """All budgets of an account."""
        return sorted(self._by(Budget, "account_id", account_id), key=lambda budget: budget.budget_id)

    # copies

    def snapshot(self) -> Snapshot:
        """Everything as it is now, to come back to; independent of what happens afterwards."""
        with self._lock:
            return Snapshot({name: dict(table) for name, table in self._tables.items()}, self._tokens.copy())

    def restore(self, snapshot: Snapshot) -> None:
        """Become what the snapshot (of this or another store) holds."""
        with self._lock:
            self._tables.clear()
            self._found.clear()
            self._tokens = snapshot.tokens.copy()
            for table in snapshot.tables.values():
                for one in table.values():
                    self._put(key_of(one).values, one)

    # inside

    def _is_resend(self, transaction: Transaction) -> bool:
        known = self._tokens.get(transaction.token)
        if known is None:
            return False
        sent, at = known
        if self._clock is not None and at is not None and self._clock.now() - at > _TOKEN_LIFE:
            return False
        # The same token with other content is judged by the guards, as on DynamoDB.
        return sent == transaction

    def _apply(self, name: str, writes: Sequence[Write]) -> None:
        failed: list[FailedGuard] = []
        rows: list[tuple[_Values, Row]] = []
        for write in writes:
            check(write)
            key = write.key
            row = self._tables[key.row.TABLE].get(key_values(key))
            if unmet(write, row):
                failed += failed_guards(write, row)
            elif isinstance(write, Put):
                rows.append((key.values, exact(write.row)))
            elif isinstance(write, Update):
                rows.append((key.values, changed(write, row)))
        if failed:
            raise GuardFailedError(transaction=name, failed=tuple(failed))
        for values, row in rows:
            self._put(values, row)

    def _put(self, values: _Values, row: Row) -> None:
        kind = row.TABLE
        table = self._tables[kind]
        old = table.get(values)
        table[values] = row
        for field in _INDEXED.get(kind, ()):
            before, now = getattr(old, field, None), getattr(row, field)
            if before == now and before is not None:
                self._found[kind, field, now][values] = row
                continue
            if before is not None:
                self._found[kind, field, before].pop(values, None)
            if now is not None:
                self._found[kind, field, now][values] = row

    def _forget(self, values: _Values, row: Row) -> None:
        for field in _INDEXED.get(row.TABLE, ()):
            self._found[row.TABLE, field, getattr(row, field)].pop(values, None)

    def _by(self, row: type[AnyRow], field: str, value: str) -> list[AnyRow]:
        with self._lock:
            found = self._found.get((row.TABLE, field, value))
            return cast("list[AnyRow]", list(found.values())) if found else []
