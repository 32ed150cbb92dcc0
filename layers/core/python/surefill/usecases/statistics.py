"""Statistics of a bot, a budget or accounts: closed trades, profit, fees, drawdown, day by day.

Everything is read off the ledger and the orders it names. Paper and live are never put together.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from surefill.domain import identity
from surefill.domain.kinds import Mode
from surefill.domain.money import ZERO, add, share_down, subtract, total
from surefill.domain.rows import Account, Bot, Budget, Intent, LedgerEntry, Slot
from surefill.domain.states import SlotState
from surefill.domain.times import day_of
from surefill.domain.trades import ClosedTrade, Record, closed_trades, record_of
from surefill.listings import LEDGER_OF_BUDGET, AnyRow, Listing
from surefill.ports import Clock, Store
from surefill.usecases.control.errors import NotFoundError, RequestRefusedError
from surefill.usecases.control.prices import Prices, last_prices
from surefill.usecases.several import each

_PAGE = 500
_PERCENT = Decimal("0.01")
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What one day brought: trades closed on it, and money realised (quote, fees included)."""

    day: str
    trades: int
    wins: int
    realised: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Figures in quote currency (`currency`) unless they say per cent. Fees are by the asset they were paid in.

    `realised` includes positions written off as dust. `unrealised` is before the fees of the sales, at the bids of
    `priced_at`; None when a price is missing. The drawdown is the deepest fall of the money realised so far, from its
    peak, in quote and in per cent of funds plus peak.
    """

    of: str
    mode: Mode
    currency: str
    at: datetime
    trades: int
    record: Record
    realised: Decimal
    unrealised: Decimal | None
    priced_at: datetime | None
    open_positions: int
    fees: Mapping[str, Decimal]
    max_drawdown: Decimal
    max_drawdown_percent: Decimal
    best: ClosedTrade | None
    worst: ClosedTrade | None
    days: tuple[Day, ...]


def fees_of(orders: Iterable[Intent]) -> dict[str, Decimal]:
    """Fees paid, by asset."""
    paid: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for order in orders:
        for fill in order.fills:
            paid[fill.fee_asset] = add(paid[fill.fee_asset], fill.fee)
    return {asset: paid[asset] for asset in sorted(paid)}


def drawdown_of(changes: Iterable[Decimal], *, funds: Decimal) -> tuple[Decimal, Decimal]:
    """Deepest fall of the running sum of `changes` from its peak: in quote, and in per cent of funds plus peak."""
    running = peak = deepest = percent = ZERO
    for change in changes:
        running = add(running, change)
        peak = max(peak, running)
        fall, top = subtract(peak, running), add(funds, peak)
        deepest = max(deepest, fall)
        if top > ZERO:
            percent = max(percent, share_down(fall, part=_HUNDRED, whole=top, step=_PERCENT))
    return deepest, percent


def days_of(changes: Iterable[LedgerEntry], trades: Iterable[ClosedTrade], *, zone: str | None) -> tuple[Day, ...]:
    """One entry per day on which money was realised, oldest first, by the calendar of a time zone (None: UTC)."""
    realised: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for entry in changes:
        day = day_of(entry.at, zone=zone)
        realised[day] = add(realised[day], entry.realised)
    closed: defaultdict[str, list[ClosedTrade]] = defaultdict(list)
    for trade in trades:
        closed[day_of(trade.closed_at, zone=zone)].append(trade)
    return tuple(
        Day(
            day=day,
            trades=len(closed[day]),
            wins=sum(trade.realised > ZERO for trade in closed[day]),
            realised=realised[day],
        )
        for day in sorted({*realised, *closed})
    )


def unrealised_of(slots: Iterable[Slot], *, prices: Prices) -> Decimal | None:
    """What selling these positions at the last bids would bring above their cost, before fees."""
    gains = [prices.unrealised(slot) for slot in slots if slot.quantity > ZERO]
    return None if None in gains else total(gain for gain in gains if gain is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsReader:
    """Reads and computes."""

    store: Store
    clock: Clock

    def of_bot(self, bot_id: str) -> Statistics:
        """One bot's figures."""
        bot = self.store.get(Bot, bot_id)
        if bot is None:
            raise NotFoundError("bot_id", f"bot {bot_id!r} does not exist")
        budget = self._budget(bot.budget_id)
        entries = [entry for entry in self._ledger(budget) if entry.bot_id == bot_id]
        owner = identity.owner_key(account_id=bot.account_id, bot_id=bot_id)
        markets = [identity.market_key(venue=bot.venue, symbol=symbol) for symbol in bot.symbols]
        slots = [slot for key in markets for slot in self.store.slots_of_market(key, owner=owner, consistent=True)]
        return self._made(f"bot {bot_id}", [budget], entries=entries, slots=slots)

    def of_budget(self, budget_id: str) -> Statistics:
        """One budget's figures: of all its bots, those that were deleted too."""
        budget = self._budget(budget_id)
        return self._made(
            f"budget {budget_id}",
            [budget],
            entries=list(self._ledger(budget)),
            slots=self._open_slots([budget]),
        )

    def of_account(self, account_id: str) -> Statistics:
        """One account's figures: all its budgets."""
        return self.of_accounts(account_id)

    def of_accounts(self, *account_ids: str) -> Statistics:
        """Several accounts' figures together; RequestRefusedError when they are not of one mode and one currency."""
        accounts = [self._account(account_id) for account_id in account_ids]
        _require_alike(accounts)
        budgets = [budget for one in accounts for budget in self.store.budgets_of_account(one.account_id)]
        ledgers = each(budgets, lambda budget: list(self._ledger(budget)))
        entries = [entry for ledger in ledgers for entry in ledger]
        of = ", ".join(account_ids)
        return self._made(f"account {of}", budgets, accounts=accounts, entries=entries, slots=self._open_slots(budgets))

    def _made(
        self,
        of: str,
        budgets: Sequence[Budget],
        *,
        entries: Sequence[LedgerEntry],
        slots: Sequence[Slot],
        accounts: Sequence[Account] = (),
    ) -> Statistics:
        account = accounts[0] if accounts else self._account(budgets[0].account_id)
        orders = self.store.get_many(Intent, sorted({(one.intent_id,) for one in entries if one.intent_id}))
        trades = closed_trades(orders)
        realising = sorted((entry for entry in entries if entry.realised), key=lambda entry: entry.at)
        funds = total(budget.funded for budget in budgets)
        deepest, percent = drawdown_of((entry.realised for entry in realising), funds=funds)
        now = self.clock.now()
        prices = last_prices(self.store, now=now)
        return Statistics(
            of=of,
            mode=account.mode,
            currency=account.currency,
            at=now,
            trades=len(trades),
            record=record_of(trades),
            realised=total(entry.realised for entry in realising),
            unrealised=unrealised_of(slots, prices=prices),
            priced_at=prices.at,
            open_positions=sum(slot.state is not SlotState.EMPTY for slot in slots),
            fees=fees_of(orders),
            max_drawdown=deepest,
            max_drawdown_percent=percent,
            best=max(trades, key=lambda trade: trade.realised, default=None),
            worst=min(trades, key=lambda trade: trade.realised, default=None),
            days=days_of(realising, trades, zone=budgets[0].time_zone if budgets else None),
        )

    def _ledger(self, budget: Budget) -> Iterator[LedgerEntry]:
        """All entries of a budget, page by page."""
        return _pages(self.store, LEDGER_OF_BUDGET, budget.budget_id)

    def _open_slots(self, budgets: Sequence[Budget]) -> list[Slot]:
        ids = {budget.budget_id for budget in budgets}
        return [slot for slot in self.store.get_many(Slot, self.store.open_slot_keys()) if slot.budget_id in ids]

    def _budget(self, budget_id: str) -> Budget:
        budget = self.store.get(Budget, budget_id)
        if budget is None:
            raise NotFoundError("budget_id", f"budget {budget_id!r} does not exist")
        return budget

    def _account(self, account_id: str) -> Account:
        account = self.store.get(Account, account_id)
        if account is None:
            raise NotFoundError("account_id", f"account {account_id!r} does not exist")
        return account


def _pages(store: Store, listing: Listing[AnyRow], of: str) -> Iterator[AnyRow]:
    after = None
    while True:
        page = store.page(listing, of, limit=_PAGE, after=after)
        yield from page.rows
        after = page.next
        if after is None:
            return


def _require_alike(accounts: Sequence[Account]) -> None:
    if not accounts:
        raise RequestRefusedError("account_id", "account_id must name at least one account, was none")
    modes = sorted({account.mode.value for account in accounts})
    if len(modes) > 1:
        raise RequestRefusedError(
            "account_id", f"accounts must be of one mode, were {' and '.join(modes)}: ask for each by itself"
        )
    currencies = sorted({account.currency for account in accounts})
    if len(currencies) > 1:
        raise RequestRefusedError(
            "account_id", f"accounts must be of one currency, were {' and '.join(currencies)}: ask for each by itself"
        )
