"""Everything the tables and the exchange hold at one moment, as plain rows: what checks, summaries and views read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from surefill.domain.records import MarketRules
from surefill.domain.rows import Account, Bot, Budget, Intent, JournalEntry, LedgerEntry, Slot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from surefill.ports import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of a stage. `exchange` is the simulated exchange's own account of itself (GET /admin/state)."""

    accounts: Sequence[Account] = ()
    budgets: Sequence[Budget] = ()
    bots: Sequence[Bot] = ()
    slots: Sequence[Slot] = ()
    intents: Sequence[Intent] = ()
    ledger: Sequence[LedgerEntry] = ()
    journal: Sequence[JournalEntry] = ()
    markets: Sequence[MarketRules] = ()
    exchange: Mapping[str, Any] = field(default_factory=dict)


def read_rows(store: Store, *, exchange: Mapping[str, Any] | None = None) -> Rows:
    """Read all tables. Only meant for a small stage: it scans."""
    return Rows(
        accounts=list(store.all_rows(Account)),
        budgets=list(store.all_rows(Budget)),
        bots=list(store.all_rows(Bot)),
        slots=list(store.all_rows(Slot)),
        intents=list(store.all_rows(Intent)),
        ledger=list(store.all_rows(LedgerEntry)),
        journal=list(store.all_rows(JournalEntry)),
        markets=list(store.all_rows(MarketRules)),
        exchange=exchange or {},
    )
