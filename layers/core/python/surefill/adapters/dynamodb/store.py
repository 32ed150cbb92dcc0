"""The Store port on DynamoDB."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from surefill.adapters.dynamodb.codec import decode, encode
from surefill.adapters.dynamodb.connection import OnCall, SharedConnection
from surefill.adapters.dynamodb.failures import ERRORS, old_item_of, reasons_of
from surefill.adapters.dynamodb.gateway import Gateway
from surefill.adapters.dynamodb.patience import Patience
from surefill.adapters.dynamodb.reads import Reads
from surefill.adapters.dynamodb.wire import WireTransaction, key_request, put_request, request_of, row_from
from surefill.adapters.writes import failed_guards
from surefill.domain.rows import JournalEntry, Row
from surefill.ports import StoreUnavailableError
from surefill.protocol.transaction import GuardFailedError, Key, Put, Transaction, Update, Write

Answer = TypeVar("Answer")
# As many writes as one request may carry.
_BATCH = 25


class DynamoStore(Reads):
    """The tables `{table_prefix}{table}` of one stage. Safe to share between threads, cheap to keep warm.

    Endpoint, region and credentials come from the AWS environment, unless a `connection` is handed in. `on_call` is
    told of every request and the capacity it consumed.
    """

    def __init__(
        self,
        *,
        table_prefix: str,
        connection: SharedConnection | None = None,
        on_call: OnCall | None = None,
        patience: Patience | None = None,
    ) -> None:
        connection = connection or SharedConnection(on_call=on_call)
        super().__init__(Gateway(table_prefix=table_prefix, connection=connection, patience=patience or Patience()))

    def commit(self, transaction: Transaction) -> None:
        """Apply all writes of the transaction or none.

        Raises GuardFailedError (nothing written), StoreUnavailableError (not known), StoreRefusedError (a defect).
        """
        wire = WireTransaction.of(transaction, tables=self._gateway.tables)
        try:
            self._gateway.patiently(lambda: self._transact(wire), what=transaction.name)
        except ERRORS as error:
            raise GuardFailedError(transaction=transaction.name, failed=wire.failed(reasons_of(error))) from error

    def _transact(self, wire: WireTransaction) -> None:
        self._gateway.connection.transact_write_items(
            condition_check_items=wire.checks,
            delete_items=[],
            put_items=wire.puts,
            update_items=wire.updates,
            client_request_token=wire.token,
        )

    def update(self, update: Update) -> Row:
        """Apply one guarded update to one row and return the row as it is now."""
        if update.add and not update.guards:
            raise AssertionError(f"an update that adds {sorted(update.add)} must have guards, had none")
        if update.add:
            return self._update_once(update)
        request = request_of(update, tables=self._gateway.tables, return_values="ALL_NEW")
        answer = self._guarded(update, lambda: self._gateway.send("UpdateItem", request))
        return decode(update.key.row, answer["Attributes"])

    def _update_once(self, update: Update) -> Row:
        """An addition resent after a lost reply would count twice: it goes as a transaction of one, with a token."""
        name = _name("update", update.key)
        self.commit(Transaction(name=name, token=str(uuid.uuid4()), writes=(update,)))
        row = self.get(update.key.row, *update.key.values)
        if row is None:
            raise AssertionError(f"{name} must leave a row under {update.key.values}, left none")
        return row

    def insert(self, row: Row) -> None:
        """Write a new row; GuardFailedError ("is_new") when its key is taken."""
        put = Put(row=row)
        request = request_of(put, tables=self._gateway.tables)
        self._guarded(put, lambda: self._gateway.send("PutItem", request))

    def replace(self, row: Row) -> None:
        """Write a row whether or not one is there. Never used for money, slots or intents."""
        self._gateway.send("PutItem", put_request(row, table=self._gateway.tables[row.TABLE]))

    def journal(self, entries: Sequence[JournalEntry]) -> None:
        """Write journal entries, 25 to a request; the same entry again changes nothing."""
        table = self._gateway.tables[JournalEntry.TABLE].table_name
        for start in range(0, len(entries), _BATCH):
            rows = {(entry.bot_id, entry.entry_key): entry for entry in entries[start : start + _BATCH]}
            self._write_batch(table, [{"PutRequest": {"Item": encode(row)}} for row in rows.values()])

    def _write_batch(self, table: str, left: list[dict[str, Any]]) -> None:
        """What the store did not take at once is sent again, until patience ends."""
        for _ in self._gateway.patience.attempts():
            answer = self._gateway.send("BatchWriteItem", {"RequestItems": {table: left}})
            left = answer.get("UnprocessedItems", {}).get(table, [])
            if not left:
                return
        raise StoreUnavailableError(f"journal must take every entry, left {len(left)}")

    def delete(self, key: Key) -> None:
        """Delete a row if it is there. Used for bots only."""
        self._gateway.send("DeleteItem", key_request(key, table=self._gateway.tables[key.row.TABLE]))

    def _guarded(self, write: Write, send: Callable[[], Answer]) -> Answer:
        try:
            return send()
        except ERRORS as error:
            met = row_from(write.key.row, old_item_of(error))
            name = _name("insert" if isinstance(write, Put) else "update", write.key)
            raise GuardFailedError(transaction=name, failed=failed_guards(write, met)) from error


def _name(verb: str, key: Key) -> str:
    return f"{verb} {key.row.TABLE}"
