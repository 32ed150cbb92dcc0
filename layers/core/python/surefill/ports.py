"""What the use cases need of the world. Adapters implement these; tests pass fakes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from surefill.domain.advice import Advice, AdviceRequest
from surefill.domain.candles import Quote
from surefill.domain.notices import Notice
from surefill.domain.orders import Balance, OrderRequest, PostOutcome, TradePage, VenueOrder
from surefill.domain.reasons import Reason
from surefill.domain.records import Closing, MarketRules
from surefill.domain.rows import Account, Bot, Budget, Intent, JournalEntry, LedgerEntry, Row, Slot
from surefill.listings import Cursor, Listing, Page
from surefill.protocol.transaction import Key, Transaction, Update

AnyRow = TypeVar("AnyRow", bound=Row)


class StoreUnavailableError(Exception):
    """The store did not answer, or kept conflicting, within its time: whether anything was written is not known."""


class Clock(Protocol):
    """The one source of the current time."""

    def now(self) -> datetime:
        """The current time, aware, UTC."""
        ...


class Store(Protocol):
    """The tables. All methods may raise StoreUnavailableError; a write that raises GuardFailedError wrote nothing."""

    def commit(self, transaction: Transaction) -> None:
        """Apply all writes of the transaction or none."""
        ...

    def update(self, update: Update) -> Row:
        """Apply one guarded update to one row and return the row as it is now."""
        ...

    def insert(self, row: Row) -> None:
        """Write a new row; GuardFailedError ("is_new") when its key is taken."""
        ...

    def replace(self, row: Row) -> None:
        """Write a row whether or not one is there. Never used for money, slots or intents."""
        ...

    def journal(self, entries: Sequence[JournalEntry]) -> None:
        """Write journal entries, in as few requests as possible; the same entry again changes nothing."""
        ...

    def delete(self, key: Key) -> None:
        """Delete a row if it is there. Used for bots and accounts that hold nothing."""
        ...

    def get(self, row: type[AnyRow], *values: str) -> AnyRow | None:
        """Read one row by its key values, strongly consistent."""
        ...

    def get_many(self, row: type[AnyRow], keys: Iterable[tuple[str, ...]]) -> list[AnyRow]:
        """Read several rows by key values; missing ones are left out; strongly consistent; no order."""
        ...

    def bots_of_cadence(self, cadence_key: str) -> Iterable[Bot]:
        """Bots that are evaluated at this interval (index, eventually consistent)."""
        ...

    def all_rows(self, row: type[AnyRow]) -> Iterable[AnyRow]:
        """Every row of a small table (accounts, budgets, bots in a person's list)."""
        ...

    def slots_of_market(self, market_key: str, *, owner: str | None = None, consistent: bool = False) -> Iterable[Slot]:
        """All slots of one market, of all bots or of one `owner` (its rungs too).

        May be a moment old unless `consistent`: whatever is decided on it is guarded.
        """
        ...

    def page(self, listing: Listing[AnyRow], of: str, *, limit: int, after: Cursor | None = None) -> Page[AnyRow]:
        """Up to `limit` rows of a list, after where an earlier page ended. Found by index, read as they are now."""
        ...

    def open_slot_keys(self) -> Iterable[tuple[str, str]]:
        """(market_key, owner_key) of every slot that is not empty (index)."""
        ...

    def unfinished_intents(self, *, due_until: datetime | None, limit: int = 100) -> Sequence[str]:
        """Ids of intents in the work index whose next check is due (all when None), oldest first."""
        ...

    def intents_of_bot(self, bot_id: str, *, limit: int = 50) -> Sequence[Intent]:
        """The newest intents of a bot, newest first."""
        ...

    def ledger_of(self, budget_id: str) -> Iterable[LedgerEntry]:
        """All ledger entries of a budget."""
        ...

    def journal_of(self, bot_id: str, *, limit: int = 50) -> Sequence[JournalEntry]:
        """The newest journal entries of a bot, newest first."""
        ...

    def budgets_of_account(self, account_id: str) -> Iterable[Budget]:
        """All budgets of an account."""
        ...


class MarketData(Protocol):
    """Public data of a venue. Methods raise VenueError when the venue does not answer usefully."""

    def candle_rows(self, *, symbol: str, timeframe: str, until: datetime, limit: int) -> Sequence[Sequence[float]]:
        """Up to `limit` rows [open time ms, open, high, low, close, volume], oldest first, opened before `until`."""
        ...

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Best bid and ask of the symbols, one request per 100 of them; symbols without a price are left out."""
        ...

    def market_rules(self, symbols: Sequence[str] | None, *, now: datetime) -> Sequence[MarketRules]:
        """Trading rules of the symbols (all of them when None); unknown symbols are left out."""
        ...

    def server_time(self) -> datetime:
        """The venue's own clock."""
        ...


class Venue(Protocol):
    """One account at a venue. Only `post` has an outcome; every look raises VenueError when it can't tell."""

    def post(self, request: OrderRequest) -> PostOutcome:
        """Post an order, at most once on the wire. Never raises for what the venue or the network does."""
        ...

    def find(self, *, symbol: str, client_order_id: str) -> VenueOrder | None:
        """The order with this client id, with all its fills when it is finished; None when the venue denies it."""
        ...

    def find_trace(self, *, symbol: str, client_order_id: str, since: datetime) -> VenueOrder | None:
        """Search open orders, past orders and trades since a time (by the venue's clock, so leave a margin).

        None when none of the lists knows it.
        """
        ...

    def cancel(self, *, symbol: str, client_order_id: str) -> None:
        """Ask to cancel; whether it did is seen by looking."""
        ...

    def balances(self) -> Mapping[str, Balance]:
        """Everything the account holds, by asset."""
        ...


class Venues(Protocol):
    """Finds the right adapter for an account or for public data; both raise VenueError when there is none to be had."""

    def market_data(self, venue: str) -> MarketData:
        """Public data of the venue."""
        ...

    def of_account(self, account: Account) -> Venue:
        """The account at its venue: the real one when live, the paper one otherwise."""
        ...


class TradeHistory(Protocol):
    """The trades of one account at its venue, our own and others."""

    def past_trades(self, *, symbol: str, since: datetime, limit: int) -> TradePage:
        """Trades made since a time: one page of at most `limit`, possibly an empty one. Raises VenueError."""
        ...


class TradeHistories(Protocol):
    """Finds the history of an account."""

    def history_of(self, account: Account) -> TradeHistory:
        """The account's history. Raises VenueError: ACCOUNT_BLOCKED for a paper account, which has none."""
        ...


class Queue(Protocol):
    """Messages to `evaluate`."""

    def send(self, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
        """Send messages, to be handed out after the delay; raises StoreUnavailableError when not all were taken."""
        ...

    def depth(self) -> int:
        """About how many messages wait; raises StoreUnavailableError."""
        ...


class DeadLetters(Protocol):
    """Work that failed for good and waits for a person."""

    def waiting(self) -> Mapping[str, int]:
        """About how many messages wait, by function; raises StoreUnavailableError."""
        ...


class Workflow(Protocol):
    """Starts the order workflow."""

    def start(self, intent: Intent) -> bool:
        """Start one execution named after the intent; False when it had been started before."""
        ...


class CloseWorkflow(Protocol):
    """Starts the workflow that closes positions for the kill switch."""

    def start_closing(self, name: str, closings: Sequence[Closing]) -> bool:
        """Start one execution of this name; False when it had been started before."""
        ...


class Functions(Protocol):
    """Other functions of this stage, called by name."""

    def ask(self, name: str, event: Mapping[str, object]) -> Mapping[str, object]:
        """Invoke and wait for the answer; raises StoreUnavailableError when there is none."""
        ...

    def wake(self, name: str, event: Mapping[str, object]) -> None:
        """Invoke without waiting; raises StoreUnavailableError when it was not taken."""
        ...


class Observer(Protocol):
    """Where events and numbers go: logs, metrics. Never raises."""

    def event(self, reason: Reason, **fields: object) -> None:
        """Something happened, in a coded word with its evidence."""
        ...

    def metric(self, name: str, value: float, **dimensions: str) -> None:
        """A number to be charted and alarmed on, told apart by `dimensions` (few values each: every one costs)."""
        ...


class NotDeliveredError(Exception):
    """A destination did not take a notice. `final`: it never will, as it is; otherwise it is worth another try."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class Notifier(Protocol):
    """One destination that is told what happened. `name` is its word in logs and metrics."""

    @property
    def name(self) -> str: ...

    def tell(self, notice: Notice) -> None:
        """Deliver one notice; raises NotDeliveredError when it was not taken. Telling twice does no harm."""
        ...


class AdviserUnavailableError(Exception):
    """The adviser gave no usable answer in its time: what then is up to the bot's policy."""


class Adviser(Protocol):
    """A second opinion on a buy."""

    @property
    def metered(self) -> bool:
        """Whether its calls cost something and count against a bot's calls per day."""
        ...

    def advise(self, request: AdviceRequest, *, seconds: int) -> Advice:
        """Allow or block; raises AdviserUnavailableError without a valid answer within `seconds`."""
        ...
