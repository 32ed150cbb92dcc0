"""Import trades: read an account's past trades from its venue, page by page, and keep each under its real id.

How far an import is stands in the account's row, so whoever runs next goes on there: the call that asked for it, and
then every tick of `sync_account`. Reading a page twice changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from surefill.domain.orders import VenueError, VenueTrade
from surefill.domain.reasons import Reason
from surefill.domain.records import PastTrade
from surefill.domain.rows import Account, Intent
from surefill.domain.times import parse_time, sortable
from surefill.events import ImportRequest
from surefill.ports import Clock, Observer, Store, StoreUnavailableError, TradeHistories
from surefill.protocol.transaction import Guard, GuardFailedError, Key, Op, Update

# After so much of an invocation no further page is begun: the last one must end within the function's time limit.
TIME = timedelta(seconds=25)
# A page is a day at most, so a year without trades is twelve runs; more requests would stand in the way of orders.
_PAGES = 30
# Of each trade the order may have to be asked for alone.
_TRADES = 100
_TRIES = 5
# The venue will not answer these any better at the next tick.
_FINAL = frozenset({Reason.NO_DATA, Reason.ACCOUNT_BLOCKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeImport:
    """Writes trades, and of an account how far its imports are."""

    store: Store
    histories: TradeHistories
    clock: Clock
    observer: Observer

    def begin(self, request: ImportRequest) -> None:
        """Remember what is to be read. An import under way goes on from the earlier of both times.

        An account that is gone has nothing to be read. StoreUnavailableError when others keep being faster.
        """
        for _ in range(_TRIES):
            account = self.store.get(Account, request.account_id)
            if account is None:
                return
            since = sortable(request.since)
            asked = {symbol: min(since, account.imports.get(symbol, since)) for symbol in request.symbols}
            if self._remember(account, {**account.imports, **asked}):
                return
        raise StoreUnavailableError(f"imports of {request.account_id} kept changing while another was to begin")

    def go_on(self, *, until: datetime) -> int:
        """Read on in all imports until they are done, enough was read, or it is late; returns how many it kept."""
        pages, kept = 0, 0
        for account in self.store.all_rows(Account):
            if account.retry_at is not None and account.retry_at > self.clock.now():
                continue
            current: Account | None = account
            while current is not None and current.imports:
                if pages >= _PAGES or self.clock.now() >= until:
                    return kept
                pages += 1
                current, count = self._step(current)
                kept += count
        return kept

    def _step(self, account: Account) -> tuple[Account | None, int]:
        """Read one page; the account as it is then, or None when it can't go on in this run."""
        symbol = min(account.imports)
        since = parse_time(account.imports[symbol])
        try:
            history = self.histories.history_of(account)
            page = history.past_trades(symbol=symbol, since=since, limit=_TRADES)
        except VenueError as error:
            self.observer.event(error.reason, account=account.account_id, symbol=symbol, error=str(error))
            return (self._moved(account, symbol, to=None) if error.reason in _FINAL else None), 0
        own = self._own(account, page.trades)
        for trade in page.trades:
            self.store.replace(_row(account, trade, ours=own.get(trade.client_order_id or "")))
        return self._moved(account, symbol, to=page.next_since), len(page.trades)

    def _own(self, account: Account, trades: tuple[VenueTrade, ...]) -> Mapping[str, str]:
        """Those client order ids that are intents of this account."""
        ids = {trade.client_order_id for trade in trades if trade.client_order_id}
        intents = self.store.get_many(Intent, [(name,) for name in sorted(ids)])
        return {intent.intent_id: intent.intent_id for intent in intents if intent.account_id == account.account_id}

    def _moved(self, account: Account, symbol: str, *, to: datetime | None) -> Account | None:
        imports = {name: since for name, since in account.imports.items() if name != symbol}
        if to is not None:
            imports[symbol] = sortable(to)
        return self._remember(account, imports)

    def _remember(self, account: Account, imports: Mapping[str, str]) -> Account | None:
        """The account with these imports; None when somebody else changed them meanwhile."""
        unchanged = Guard(
            name="imports_unchanged",
            field="imports",
            op=Op.EQUAL,
            value=account.imports,
            or_missing=not account.imports,
        )
        exists = Guard(name="account_exists", field="account_id", op=Op.PRESENT)
        key = Key(Account, (account.account_id,))
        try:
            row = self.store.update(Update(key=key, set={"imports": imports}, guards=(exists, unchanged)))
        except GuardFailedError:
            return None
        assert isinstance(row, Account)
        return row


def _row(account: Account, trade: VenueTrade, *, ours: str | None) -> PastTrade:
    fill = trade.fill
    return PastTrade(
        account_id=account.account_id,
        trade_key=f"{sortable(trade.at)}#{trade.symbol}#{fill.trade_id}",
        symbol=trade.symbol,
        at=trade.at,
        side=trade.side,
        quantity=fill.quantity,
        price=fill.price,
        cost=fill.cost,
        fee=fill.fee,
        fee_asset=fill.fee_asset,
        venue_order_id=trade.venue_order_id,
        trade_id=fill.trade_id,
        ours=ours,
    )
