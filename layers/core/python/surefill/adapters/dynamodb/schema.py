"""The tables as data: keys from the row classes, indexes and expiry declared here. One place for code and template."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from surefill.domain.records import Request
from surefill.domain.rows import Account, Bot, Budget, Intent, JournalEntry, Row, Slot

Projection = Literal["ALL", "KEYS_ONLY"]

ROWS: tuple[type[Row], ...] = get_args(Row)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSchema:
    """A global secondary index; both keys are strings. Sparse: only rows that carry both keys are in it."""

    name: str
    partition_key: str
    sort_key: str
    projection: Projection = "KEYS_ONLY"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """A table; its keys are strings. `ttl_attribute` (history only) holds the second at which a row may disappear."""

    name: str
    partition_key: str
    sort_key: str | None
    indexes: tuple[IndexSchema, ...] = ()
    ttl_attribute: str | None = None
    stream: Literal["NEW_IMAGE"] | None = None

    @property
    def key_names(self) -> tuple[str, ...]:
        """All attributes that are keys of the table or of one of its indexes."""
        names = [self.partition_key, self.sort_key]
        for index in self.indexes:
            names += [index.partition_key, index.sort_key]
        return tuple(dict.fromkeys(name for name in names if name is not None))


# by_account has keys only: a copy of the balances would be stale where it is read, and cost a write at every change.
_INDEXES: Mapping[type[Row], tuple[IndexSchema, ...]] = {
    Bot: (
        IndexSchema(name="cadence", partition_key="cadence_key", sort_key="bot_id", projection="ALL"),
        IndexSchema(name="by_account", partition_key="account_id", sort_key="bot_id"),
        IndexSchema(name="by_definition", partition_key="definition_hash", sort_key="bot_id"),
    ),
    Account: (IndexSchema(name="by_venue", partition_key="venue", sort_key="account_id"),),
    Budget: (IndexSchema(name="by_account", partition_key="account_id", sort_key="budget_id"),),
    Slot: (IndexSchema(name="open", partition_key="open_key", sort_key="slot_key"),),
    Intent: (
        IndexSchema(name="work", partition_key="work_key", sort_key="next_check_at"),
        IndexSchema(name="by_bot", partition_key="bot_id", sort_key="created_at"),
    ),
}
# What `publish_events` tells: orders, the state of accounts, and what the journal says of positions in danger.
_STREAMED = frozenset({Intent, Account, JournalEntry})
_EXPIRING = frozenset({JournalEntry, Request})


def _table(row: type[Row]) -> TableSchema:
    return TableSchema(
        name=row.TABLE,
        partition_key=row.KEY[0],
        sort_key=row.KEY[1] if len(row.KEY) > 1 else None,
        indexes=_INDEXES.get(row, ()),
        ttl_attribute="expires_at" if row in _EXPIRING else None,
        stream="NEW_IMAGE" if row in _STREAMED else None,
    )


TABLES: Mapping[str, TableSchema] = {row.TABLE: _table(row) for row in ROWS}


def table_request(schema: TableSchema, *, table_prefix: str) -> dict[str, Any]:
    """Arguments of CreateTable for engines that no template deploys to (tests)."""
    request: dict[str, Any] = {
        "TableName": f"{table_prefix}{schema.name}",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in schema.key_names],
        "KeySchema": _key_schema(schema.partition_key, schema.sort_key),
    }
    if schema.indexes:
        request["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index.name,
                "KeySchema": _key_schema(index.partition_key, index.sort_key),
                "Projection": {"ProjectionType": index.projection},
            }
            for index in schema.indexes
        ]
    if schema.stream:
        request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": schema.stream}
    return request


def _key_schema(partition_key: str, sort_key: str | None) -> list[dict[str, str]]:
    keys = [{"AttributeName": partition_key, "KeyType": "HASH"}]
    return keys + ([{"AttributeName": sort_key, "KeyType": "RANGE"}] if sort_key else [])
