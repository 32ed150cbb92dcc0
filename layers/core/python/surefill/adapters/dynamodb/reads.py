"""The looks of the store. Point reads are strongly consistent; an index only finds rows, nothing is decided on it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.pagination import ResultIterator

from surefill.adapters.dynamodb.codec import Item, decode
from surefill.adapters.dynamodb.gateway import Gateway
from surefill.adapters.dynamodb.wire import key_for, key_request
from surefill.adapters.writes import owned_by
from surefill.domain.rows import Bot, Budget, Intent, JournalEntry, LedgerEntry, Row, Slot
from surefill.domain.times import sortable
from surefill.listings import Cursor, Listing, Page
from surefill.ports import StoreUnavailableError
from surefill.protocol.parts import OPEN, WORK

AnyRow = TypeVar("AnyRow", bound=Row)
_BATCH = 100  # keys a BatchGetItem may ask for


class Reads:
    """Every read of the Store port. All may raise StoreUnavailableError."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def get(self, row: type[AnyRow], *values: str) -> AnyRow | None:
        """Read one row by its key values, strongly consistent."""
        request = key_request(key_for(row, values), table=self._gateway.tables[row.TABLE], consistent_read=True)
        item = self._gateway.send("GetItem", request).get("Item")
        return decode(row, item) if item else None

    def get_many(self, row: type[AnyRow], keys: Iterable[tuple[str, ...]]) -> list[AnyRow]:
        """Read several rows by key values; missing ones are left out; strongly consistent; no order."""
        table = self._gateway.tables[row.TABLE]
        wanted = [key_request(key_for(row, key), table=table)["Key"] for key in dict.fromkeys(keys)]
        return [
            decode(row, item)
            for start in range(0, len(wanted), _BATCH)
            for item in self._batch(table.table_name, wanted[start : start + _BATCH])
        ]

    def _batch(self, table_name: str, keys: list[Any]) -> list[Item]:
        """Items of up to 100 keys. DynamoDB answers in parts when it is busy or the answer is above 16 MB."""
        items: list[Item] = []
        for _ in self._gateway.patience.attempts():
            request = {"RequestItems": {table_name: {"Keys": keys, "ConsistentRead": True}}}
            answer = self._gateway.send("BatchGetItem", request)
            items += answer.get("Responses", {}).get(table_name, [])
            keys = answer.get("UnprocessedKeys", {}).get(table_name, {}).get("Keys", [])
            if not keys:
                return items
        raise StoreUnavailableError(f"BatchGetItem must give all rows within its time, {len(keys)} are still missing")

    def bots_of_cadence(self, cadence_key: str) -> list[Bot]:
        """Bots that are evaluated at this interval (index, eventually consistent)."""
        return [decode(Bot, item) for item in self._query(Bot, cadence_key, index="cadence")]

    def all_rows(self, row: type[AnyRow]) -> list[AnyRow]:
        """Every row of a small table: a scan, strongly consistent."""
        table = self._gateway.tables[row.TABLE]
        return [decode(row, item) for item in self._pages(table.scan, (), {"consistent_read": True}, what="Scan")]

    def slots_of_market(self, market_key: str, *, owner: str | None = None, consistent: bool = False) -> list[Slot]:
        """All slots of one market, of all bots or of one owner (may be a moment old unless consistent)."""
        condition = None if owner is None else Path("owner_key").startswith(owner)
        items = self._query(Slot, market_key, condition=condition, consistent=consistent)
        return [slot for slot in (decode(Slot, item) for item in items) if owner is None or owned_by(slot, owner)]

    def page(self, listing: Listing[AnyRow], of: str, *, limit: int, after: Cursor | None = None) -> Page[AnyRow]:
        """Up to `limit` rows of a list, after where an earlier page ended."""
        row = cast("type[Row]", listing.row)
        names = listing.cursor_fields
        start = None
        if after is not None:
            start = {name: {"S": value} for name, value in zip((listing.by, *names), (of, *after), strict=True)}
        # One more than asked for tells whether there are more.
        found = list(
            self._query(row, of, index=listing.index, newest_first=listing.newest_first, limit=limit + 1, start=start)
        )
        rows = self._whole(listing, of, found[:limit])
        more = len(found) > limit
        return Page(rows=rows, next=tuple(found[limit - 1][name]["S"] for name in names) if more else None)

    def _whole(self, listing: Listing[AnyRow], of: str, items: list[Item]) -> list[AnyRow]:
        """The rows of items; an index holds keys only, and what it says may be over."""
        if listing.index is None:
            return [decode(listing.row, item) for item in items]
        key = cast("type[Row]", listing.row).KEY
        places = {tuple(item[name]["S"] for name in key): place for place, item in enumerate(items)}
        rows = [row for row in self.get_many(listing.row, places) if getattr(row, listing.by) == of]
        return sorted(rows, key=lambda row: places[tuple(getattr(row, name) for name in key)])

    def open_slot_keys(self) -> list[tuple[str, str]]:
        """(market_key, owner_key) of every slot that is not empty (index)."""
        items = self._query(Slot, OPEN, index="open")
        return [(item["market_key"]["S"], item["owner_key"]["S"]) for item in items]

    def unfinished_intents(self, *, due_until: datetime | None, limit: int = 100) -> list[str]:
        """Ids of intents in the work index whose next check is due (all when None), oldest first."""
        due = None if due_until is None else Path("next_check_at") <= Value({"S": sortable(due_until)})
        return [item["intent_id"]["S"] for item in self._query(Intent, WORK, index="work", condition=due, limit=limit)]

    def intents_of_bot(self, bot_id: str, *, limit: int = 50) -> Sequence[Intent]:
        """The newest intents of a bot, newest first."""
        found = self._query(Intent, bot_id, index="by_bot", newest_first=True, limit=limit)
        intents = self.get_many(Intent, [(item["intent_id"]["S"],) for item in found])
        return sorted(intents, key=lambda intent: (intent.created_at, intent.intent_id), reverse=True)

    def ledger_of(self, budget_id: str) -> list[LedgerEntry]:
        """All ledger entries of a budget (strongly consistent)."""
        return [decode(LedgerEntry, item) for item in self._query(LedgerEntry, budget_id)]

    def journal_of(self, bot_id: str, *, limit: int = 50) -> Sequence[JournalEntry]:
        """The newest journal entries of a bot, newest first."""
        items = self._query(JournalEntry, bot_id, newest_first=True, limit=limit)
        return [decode(JournalEntry, item) for item in items]

    def budgets_of_account(self, account_id: str) -> list[Budget]:
        """All budgets of an account: found by index, then read strongly consistent."""
        found = self._query(Budget, account_id, index="by_account")
        return self.get_many(Budget, [(item["budget_id"]["S"],) for item in found])

    def _query(
        self,
        row: type[Row],
        partition: str,
        *,
        index: str | None = None,
        condition: Condition | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        consistent: bool = True,
        start: dict[str, dict[str, str]] | None = None,
    ) -> Iterator[Item]:
        table = self._gateway.tables[row.TABLE]
        options = {
            "range_key_condition": condition,
            "index_name": index,
            "consistent_read": consistent and index is None,
            "scan_index_forward": not newest_first,
            "limit": limit,
            "exclusive_start_key": start,
        }
        return self._pages(table.query, (partition,), options, what="Query", limit=limit)

    def _pages(
        self, ask: Any, arguments: tuple[Any, ...], options: dict[str, Any], *, what: str, limit: int | None = None
    ) -> Iterator[Item]:
        def patiently(*args: Any, **kwargs: Any) -> Any:
            return self._gateway.patiently(lambda: ask(*args, **kwargs), what=what)

        return ResultIterator(patiently, arguments, options, limit=limit)
