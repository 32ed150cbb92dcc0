"""Lists of rows that can be read page by page: rows with one value in common, in the order of one of their fields."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar, cast

from surefill.domain.records import Closing, PastTrade, Stop
from surefill.domain.rows import Account, Bot, Budget, Intent, JournalEntry, LedgerEntry, Row, Slot

AnyRow = TypeVar("AnyRow", bound=Row)
# Where a page ended: the values of `Listing.cursor_fields` of its last row, as text.
Cursor = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[AnyRow]):
    """Rows with the same value of `by`, in the order of `order`; `index` names the index they are found in."""

    row: type[AnyRow]
    by: str
    order: str
    index: str | None = None
    newest_first: bool = False

    @property
    def cursor_fields(self) -> tuple[str, ...]:
        """The fields that say where a page ended."""
        names = (self.order, *cast("type[Row]", self.row).KEY)
        return tuple(name for name in dict.fromkeys(names) if name != self.by)

    def cursor_of(self, row: AnyRow) -> Cursor:
        """Where a page ends that ends with this row. Times are written as keys are: to the microsecond."""
        return tuple(_text(getattr(row, name)) for name in self.cursor_fields)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return "" if value is None else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[AnyRow]):
    """Some rows of a list, and where to go on (None: that was all)."""

    rows: Sequence[AnyRow]
    next: Cursor | None


ACCOUNTS_OF_VENUE = Listing(row=Account, by="venue", order="account_id", index="by_venue")
BUDGETS_OF_ACCOUNT = Listing(row=Budget, by="account_id", order="budget_id", index="by_account")
BOTS_OF_ACCOUNT = Listing(row=Bot, by="account_id", order="bot_id", index="by_account")
BOTS_OF_DEFINITION = Listing(row=Bot, by="definition_hash", order="bot_id", index="by_definition")
OPEN_SLOTS = Listing(row=Slot, by="open_key", order="slot_key", index="open")
UNFINISHED_INTENTS = Listing(row=Intent, by="work_key", order="next_check_at", index="work")
INTENTS_OF_BOT = Listing(row=Intent, by="bot_id", order="created_at", index="by_bot", newest_first=True)
JOURNAL_OF_BOT = Listing(row=JournalEntry, by="bot_id", order="entry_key", newest_first=True)
LEDGER_OF_BUDGET = Listing(row=LedgerEntry, by="budget_id", order="entry_key")
STOPS_OF_SCOPE = Listing(row=Stop, by="scope", order="stop_id", newest_first=True)
CLOSINGS_OF_STOP = Listing(row=Closing, by="stop_id", order="position_key")
TRADES_OF_ACCOUNT = Listing(row=PastTrade, by="account_id", order="trade_key", newest_first=True)
