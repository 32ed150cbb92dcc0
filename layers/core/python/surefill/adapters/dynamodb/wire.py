"""A transaction as the lists pynamodb sends, with the way back from a cancellation reason to our own write."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pynamodb.connection import TableConnection
from pynamodb.exceptions import CancellationReason

from surefill.adapters.dynamodb.codec import decode, encode
from surefill.adapters.dynamodb.expressions import actions_of, condition_of
from surefill.adapters.dynamodb.failures import CONDITION_FAILED
from surefill.adapters.writes import failed_guards, key_values, require_sense
from surefill.domain.rows import Row
from surefill.protocol.transaction import Check, FailedGuard, Key, Put, Transaction, Update, Write

AnyRow = TypeVar("AnyRow", bound=Row)
Tables = Mapping[str, TableConnection]
Request = dict[str, Any]
_ON_FAILURE: dict[str, Any] = {"return_values_on_condition_failure": "ALL_OLD"}


@dataclass(frozen=True, slots=True)
class WireTransaction:
    """The writes in the order of the wire: pynamodb sends checks, deletes, puts, then updates, whatever was asked."""

    writes: tuple[Write, ...]
    checks: list[Request]
    puts: list[Request]
    updates: list[Request]
    token: str

    @classmethod
    def of(cls, transaction: Transaction, *, tables: Tables) -> "WireTransaction":
        """Encode a transaction. Raises AmountError, TypeError or ValueError for what can't be stored."""
        writes = transaction.writes
        checks = [write for write in writes if isinstance(write, Check)]
        puts = [write for write in writes if isinstance(write, Put)]
        updates = [write for write in writes if isinstance(write, Update)]
        ordered: tuple[Write, ...] = (*checks, *puts, *updates)
        requests = [request_of(write, tables=tables) for write in ordered]
        first, second = len(checks), len(checks) + len(puts)
        return cls(
            writes=ordered,
            checks=requests[:first],
            puts=requests[first:second],
            updates=requests[second:],
            token=_token(transaction.token, requests),
        )

    def failed(self, reasons: tuple[CancellationReason | None, ...]) -> tuple[FailedGuard, ...]:
        """The guards behind the cancellation reasons, named with the rows they met."""
        if len(reasons) != len(self.writes):
            raise AssertionError(f"a cancellation must give a reason per write ({len(self.writes)}), gave {reasons!r}")
        return tuple(
            guard
            for write, reason in zip(self.writes, reasons, strict=True)
            if reason is not None and reason.code == CONDITION_FAILED
            for guard in failed_guards(write, row_from(write.key.row, reason.raw_item))
        )


def request_of(write: Write, *, tables: Tables, **options: Any) -> Request:
    """One write as the arguments of its request; a refusal of it returns the row it met."""
    require_sense(write)
    table, condition = tables[write.key.row.TABLE], condition_of(write)
    if isinstance(write, Put):
        return put_request(write.row, table=table, condition=condition, **_ON_FAILURE)
    actions = actions_of(write) if isinstance(write, Update) else None
    return key_request(write.key, table=table, actions=actions, condition=condition, **_ON_FAILURE, **options)


def put_request(row: Row, *, table: TableConnection, **options: Any) -> Request:
    """A whole row as the arguments of a put."""
    item = encode(row)
    values = tuple(item.pop(name)["S"] for name in row.KEY)
    return key_request(Key(type(row), values), table=table, key="Item", attributes=item, **options)


def key_request(key: Key, /, *, table: TableConnection, **options: Any) -> Request:
    """The key of a row as the arguments of a request."""
    partition, *sort = key_values(key)
    request: Request = table.get_operation_kwargs(partition, range_key=sort[0] if sort else None, **options)
    return request


def key_for(row: type[AnyRow], values: tuple[str, ...]) -> Key:
    """The key of a row class that is only known by a type variable."""
    return Key(cast("type[Row]", row), values)


def row_from(row: type[Row], item: Mapping[str, dict[str, Any]] | None) -> Row | None:
    """The row in an item, None for none."""
    return decode(row, item) if item else None


def _token(token: str, requests: list[Request]) -> str:
    """The transaction's token, made particular to its content.

    The same change sent twice is one change. The same change told differently (a second worker booking an order a
    second later) must be judged by the guards, not be answered with a mismatch of parameters for ten minutes.
    """
    content = hashlib.sha256(json.dumps(requests, sort_keys=True).encode()).hexdigest()
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{token}|{content}"))
