"""Records of the tables' streams as changed rows."""

from collections.abc import Mapping
from typing import Any

from surefill.adapters.dynamodb.codec import decode
from surefill.domain.rows import Account, Intent, JournalEntry
from surefill.usecases.publish import Change

_ROWS = {row.TABLE: row for row in (Intent, Account, JournalEntry)}


def number_of(record: Mapping[str, Any]) -> str:
    """The place of a record in its stream."""
    return str(record["dynamodb"]["SequenceNumber"])


def change_of(record: Mapping[str, Any], *, table_prefix: str) -> Change | None:
    """The row as it is now; None for a deletion. Raises when the record is of no table with a stream, or no row."""
    image = record["dynamodb"].get("NewImage")
    if image is None:
        return None
    table = record["eventSourceARN"].split("/")[1].removeprefix(table_prefix)
    return Change(number=number_of(record), row=decode(_ROWS[table], image))
