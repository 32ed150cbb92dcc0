"""Whether everything the product rests on answers. Tells no secrets: names, states and ages only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surefill.domain.kinds import AccountState, Mode
from surefill.domain.records import Closing, MarketRules, PastTrade, Request, ScheduleRow, Stop
from surefill.domain.rows import Account, Bot, Budget, Intent, JournalEntry, LedgerEntry, Row, Slot
from surefill.ports import Clock, DeadLetters, Queue, Store, StoreUnavailableError
from surefill.usecases.control.directory import Directory
from surefill.usecases.control.schedules import ScheduleState, schedules
from surefill.usecases.control.stops import standing_stops
from surefill.wire import to_wire

_TABLES: tuple[type[Row], ...] = (
    Account, Bot, Budget, Closing, Intent, JournalEntry, LedgerEntry, MarketRules, PastTrade, Request, ScheduleRow,
    Slot, Stop,
)  # fmt: skip
# More messages than this wait only when nobody takes them.
_LONGEST_QUEUE = 1_000
# An order lives for seconds: with clocks further apart than this the venue refuses what is signed.
_MOST_SKEW_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Looks at tables, queues, schedules, accounts, and what was last seen of their venues and secrets."""

    store: Store
    directory: Directory
    queue: Queue
    dead_letters: DeadLetters
    clock: Clock

    def detailed(self) -> dict[str, Any]:
        """Each part with what is wrong with it; "ok" is whether nothing is."""
        tables = {row.TABLE: self._table(row) for row in _TABLES}
        waiting, dead = self._waiting(), self._dead()
        ticks = schedules(self.store, now=self.clock.now())
        accounts = list(self.directory.accounts())
        skews = _skews(accounts)
        stops = list(standing_stops(self.store))
        problems = [
            *(f"table {name}: {problem}" for name, problem in tables.items() if problem != "ok"),
            *(["the evaluations queue does not answer"] if waiting is None else []),
            *(["the queues of dead letters do not answer"] if dead is None else []),
            *(
                f"{name}: {count} failed for good and wait in its dead letters"
                for name, count in (dead or {}).items()
                if count
            ),
            *([f"{waiting} evaluations wait"] if waiting is not None and waiting > _LONGEST_QUEUE else []),
            *(f"schedule {tick.name} is late or never ran" for tick in ticks if not tick.running),
            *(f"account {one.account_id} is {one.state}" for one in accounts if one.state is not AccountState.OK),
            *(
                f"clock of {venue} is {skew} ms from ours, at most {_MOST_SKEW_MS} are sound"
                for venue, skew in skews.items()
                if skew is not None and abs(skew) > _MOST_SKEW_MS
            ),
            *(f"secret of account {one.account_id} can't be read" for one in accounts if one.secret_ok is False),
        ]
        return {
            "ok": not problems,
            "problems": problems,
            "tables": tables,
            "evaluations_waiting": waiting,
            "dead_letters": dead,
            "schedules": [_shown(tick) for tick in ticks],
            "accounts": [_account(account) for account in accounts],
            "venues": [{"venue": venue, "clock_skew_ms": skew} for venue, skew in skews.items()],
            "secrets": [
                {"account_id": one.account_id, "readable": one.secret_ok} for one in accounts if one.mode is Mode.LIVE
            ],
            "stops": [{"stop_id": stop.stop_id, "kind": stop.kind, "target": stop.target} for stop in stops],
        }

    def _table(self, row: type[Row]) -> str:
        try:
            self.store.get(row, *("health" for _ in row.KEY))
        except StoreUnavailableError as error:
            return f"does not answer: {error}"[:200]
        return "ok"

    def _waiting(self) -> int | None:
        try:
            return self.queue.depth()
        except StoreUnavailableError:
            return None

    def _dead(self) -> Mapping[str, int] | None:
        try:
            return self.dead_letters.waiting()
        except StoreUnavailableError:
            return None


def _shown(tick: ScheduleState) -> Mapping[str, Any]:
    return to_wire(tick)


def _skews(accounts: Sequence[Account]) -> Mapping[str, int | None]:
    """The largest skew last seen of each venue's clock; None when it was never told."""
    seen: dict[str, int | None] = dict.fromkeys(sorted(account.venue for account in accounts))
    for account in accounts:
        if account.clock_skew_ms is not None:
            seen[account.venue] = max(seen[account.venue] or 0, account.clock_skew_ms, key=abs)
    return seen


def _account(account: Account) -> Mapping[str, Any]:
    names = ("account_id", "state", "state_reason", "reconciled_at", "retry_at", "differences")
    shown = to_wire(account)
    return {name: shown[name] for name in names if name in shown}
