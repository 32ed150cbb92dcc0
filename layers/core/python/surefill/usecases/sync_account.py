"""Sync account: compare what an account holds with what the tables say it must hold, and name the difference.

A deficit stops entries until it is gone; a surplus (a deposit, airdropped coins) is only shown. Nothing is edited.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal

from surefill.domain.kinds import AccountState, Mode
from surefill.domain.money import ZERO, add, plain, subtract
from surefill.domain.orders import Balance, VenueError
from surefill.domain.reasons import Reason
from surefill.domain.records import ScheduleRow
from surefill.domain.rows import Account, Budget, Intent, Slot
from surefill.domain.states import IN_FLIGHT, SlotState
from surefill.domain.times import day_of
from surefill.ports import Clock, Observer, Store, Venues
from surefill.protocol.funds import raise_floor
from surefill.protocol.transaction import Guard, GuardFailedError, Key, Op, Update
from surefill.usecases.import_trades import TradeImport

SCHEDULE = "sync_account"
# A difference up to this is rounding of the venue's own display, not money (base or quote units).
_TOLERANCE = Decimal("0.00000001")
# After a look that failed nothing is bought with the account until the next one has had its chance.
_PAUSE = timedelta(minutes=6)
# Keeps writes rare: a smaller change of the clocks is not stored.
_SKEW_STEP_MS = 250
# An answer that took longer says too little of when it was given.
_SLOWEST = timedelta(seconds=1)
_PASSING = frozenset({Reason.VENUE_DOWN, Reason.MAINTENANCE, Reason.RATE_LIMITED})


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSync:
    """Reads balances and writes the account row; of a budget it only raises the floor of its drawdown limit.

    `imports` goes on with what is asked for of past trades, in the same function; None where nothing is imported.
    """

    store: Store
    venues: Venues
    clock: Clock
    observer: Observer
    imports: TradeImport | None = None

    def sync_all(self, *, tick: datetime) -> Mapping[str, str]:
        """Sync every account; returns each account's state."""
        accounts = list(self.store.all_rows(Account))
        skews = {venue: self._skew(venue) for venue in sorted({account.venue for account in accounts})}
        states = {account.account_id: self.sync(account, skew=skews[account.venue]) for account in accounts}
        self.store.replace(
            ScheduleRow(schedule_name=SCHEDULE, last_tick=tick, finished_at=self.clock.now(), counts=states)
        )
        self.observer.metric("Tick", 1)
        self.observer.metric("AccountsRejected", list(states.values()).count(AccountState.AUTH_FAILED))
        budgets = [budget for account in accounts for budget in self.store.budgets_of_account(account.account_id)]
        self.observer.metric("DailyLossReached", sum(map(self._at_loss_limit, budgets)))
        for floor in filter(None, map(raise_floor, budgets)):
            with suppress(GuardFailedError):  # the limit was changed meanwhile
                self.store.update(floor)
        return states

    def _at_loss_limit(self, budget: Budget) -> bool:
        today = day_of(self.clock.now(), zone=budget.time_zone)
        limit = budget.max_daily_loss
        return limit is not None and budget.loss_today >= limit and budget.day == today

    def _skew(self, venue: str) -> int | None:
        """How many ms the venue's clock is ahead of ours; None when it can't be told."""
        asked = self.clock.now()
        try:
            theirs = self.venues.market_data(venue).server_time()
        except VenueError:
            return None
        took = self.clock.now() - asked
        return None if took > _SLOWEST else (theirs - asked - took / 2) // timedelta(milliseconds=1)

    def sync(self, account: Account, *, skew: int | None = None) -> str:
        """Read one account's balances, compare, and remember both, with the `skew` (ms) of its venue's clock."""
        seen = account
        if skew is not None and (seen.clock_skew_ms is None or abs(skew - seen.clock_skew_ms) > _SKEW_STEP_MS):
            seen = replace(seen, clock_skew_ms=skew)
        try:
            venue = self.venues.of_account(account)
        except VenueError as error:
            rejected = account.mode is Mode.LIVE and error.reason is Reason.CREDENTIALS_REJECTED
            return self._unreadable(account, replace(seen, secret_ok=False) if rejected else seen, error)
        if account.mode is Mode.LIVE:
            seen = replace(seen, secret_ok=True)
        try:
            balances = venue.balances()
        except VenueError as error:
            return self._unreadable(account, seen, error)
        return self._compared(account, seen, balances)

    def _compared(self, account: Account, seen: Account, balances: Mapping[str, Balance]) -> str:
        held = {asset: add(balance.free, balance.locked) for asset, balance in balances.items()}
        differences = self._differences(account, held) if not self._in_flight(account) else dict(account.differences)
        missing = {asset: text for asset, text in differences.items() if text.startswith("-")}
        state = AccountState.OUT_OF_SYNC if missing else AccountState.OK
        reason = "; ".join(f"{asset} short by {text[1:]}" for asset, text in sorted(missing.items()))
        after = replace(
            self._in_trouble(seen, Reason.RECONCILE_DIFFERENCE if missing else None),
            state=state,
            state_reason=reason,
            retry_at=None,
            reconciled_at=self.clock.now(),
            differences=differences,
            balances=_shown(balances),
        )
        self._write(account, after)
        self.observer.event(
            Reason.RECONCILE_DIFFERENCE if missing else Reason.RECONCILED,
            account=account.account_id,
            differences=differences,
        )
        self.observer.metric("ReconcileDeficits", len(missing))
        return state

    def _unreadable(self, account: Account, seen: Account, error: VenueError) -> str:
        self.observer.event(error.reason, account=account.account_id, error=str(error))
        state = AccountState.AUTH_FAILED if error.reason is Reason.CREDENTIALS_REJECTED else account.state
        pause = self.clock.now() + _PAUSE if error.reason in _PASSING else None
        after = replace(
            self._in_trouble(seen, error.reason),
            state=state,
            state_reason=str(error)[:200],
            retry_at=error.retry_at or pause,
        )
        self._write(account, after)
        return state

    def _in_trouble(self, account: Account, trouble: Reason | None) -> Account:
        """The account with what is wrong with it, and since when that is so."""
        if trouble is account.trouble:
            return account
        return replace(account, trouble=trouble, trouble_since=self.clock.now() if trouble else None)

    def _in_flight(self, account: Account) -> bool:
        """While an order is under way, balances and tables may rightly differ."""
        return any(
            slot.state in IN_FLIGHT and slot.rung is None
            for slot in self.store.get_many(Slot, self.store.open_slot_keys())
            if slot.account_id == account.account_id
        )

    def _differences(self, account: Account, held: Mapping[str, Decimal]) -> dict[str, str]:
        """Signed difference per asset: held at the venue minus expected. Only assets the tables know of.

        What a grid's resting orders may have sold or spent by now is no difference: it is booked at the next look.
        """
        expected: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for budget in self.store.budgets_of_account(account.account_id):
            expected[budget.currency] = add(expected[budget.currency], budget.available, budget.reserved)
        keys = self.store.open_slot_keys()
        slots = [slot for slot in self.store.get_many(Slot, keys) if slot.account_id == account.account_id]
        for slot in slots:
            expected[_base(slot)] = add(expected[_base(slot)], slot.quantity)
        moving = self._resting([slot for slot in slots if slot.rung is not None], currency=account.currency)
        differences = {asset: subtract(held.get(asset, ZERO), amount) for asset, amount in expected.items()}
        return {
            asset: f"{'+' if difference > 0 else '-'}{plain(abs(difference))}"
            for asset, difference in sorted(differences.items())
            if abs(difference) > _TOLERANCE and not -moving[asset] <= difference < ZERO
        }

    def _resting(self, rungs: Sequence[Slot], *, currency: str) -> Mapping[str, Decimal]:
        """What the orders on these rungs may have taken out of the account, by asset."""
        moving: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for slot in rungs:
            if slot.state is SlotState.CLOSING:
                moving[_base(slot)] = add(moving[_base(slot)], slot.quantity)
        buys = [(slot.entry_intent_id,) for slot in rungs if slot.state is SlotState.OPENING and slot.entry_intent_id]
        reserved = [intent.reserved for intent in self.store.get_many(Intent, buys)]
        moving[currency] = add(moving[currency], *reserved)
        return moving

    def _write(self, before: Account, after: Account) -> None:
        changes = {
            item.name: getattr(after, item.name)
            for item in fields(after)
            if getattr(after, item.name) != getattr(before, item.name)
        }
        if changes:
            exists = Guard(name="account_exists", field="account_id", op=Op.PRESENT)
            self.store.update(Update(key=Key(Account, (before.account_id,)), set=changes, guards=(exists,)))


def _shown(balances: Mapping[str, Balance]) -> dict[str, str]:
    return {
        asset: plain(add(balance.free, balance.locked))
        for asset, balance in sorted(balances.items())
        if balance.free or balance.locked
    }


def _base(slot: Slot) -> str:
    return slot.market_key.partition("|")[2].partition("/")[0]
