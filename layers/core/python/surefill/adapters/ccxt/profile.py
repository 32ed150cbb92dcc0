"""What is particular about a venue, as data: a new venue is one such profile and a reader of its words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from surefill.domain.candles import Quote
from surefill.domain.kinds import OrderKind
from surefill.domain.orders import Balance, VenueOrder, VenueTrade
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rows import Fill


class UnreadableError(ValueError):
    """The venue's answer does not have the form it documents: nothing may be concluded from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderForm:
    """How an order kind is put to ccxt: its unified type, the exact extra parameters, and whether it has a price."""

    type: str
    priced: bool
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRule:
    """What one of the venue's error codes means; `message` narrows it where the venue uses one code for many things.

    The message is compared without case, up to its length ("filter failure: lot_size" also meets a longer text).
    """

    code: str
    reason: Reason
    message: str = ""

    def meets(self, *, code: str, message: str) -> bool:
        """Whether this rule is about the error."""
        return code == self.code and message.strip().lower().startswith(self.message.lower())


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One trade of the account, with the order it belongs to."""

    order_id: str
    fill: Fill


class Dialect(Protocol):
    """The venue's own endpoints (called through ccxt, which signs) and words.

    `ask_*` send one request and return what came back, unread; `read_*` raise UnreadableError for anything else than
    the documented form. Times are milliseconds since 1970 UTC.
    """

    def market_id(self, symbol: str) -> str:
        """The venue's name of a symbol ("BTC/USDT")."""
        ...

    def read_error(self, body: object) -> tuple[str, str] | None:
        """Code and message of an error body, None when it is none."""
        ...

    def read_order(self, said: object, *, symbol: str) -> VenueOrder:
        """One order, with its fills when all are there."""
        ...

    def read_trade(self, said: object) -> Trade:
        """One trade of the account."""
        ...

    def read_past_trade(self, said: object, *, symbol: str) -> VenueTrade:
        """One trade of the account with its time and side, without our id of its order."""
        ...

    def read_balances(self, said: object) -> Mapping[str, Balance]:
        """Everything the account holds."""
        ...

    def ask_post(self, exchange: Any, *, order: Sequence[Any], params: Mapping[str, Any]) -> object:
        """Post an order given as ccxt's (symbol, type, side, amount, price) and extra parameters: exactly one POST."""
        ...

    def ask_order(self, exchange: Any, *, symbol: str, client_order_id: str) -> object:
        """One order by our id."""
        ...

    def ask_order_by_venue_id(self, exchange: Any, *, symbol: str, venue_order_id: str) -> object:
        """One order by the venue's id."""
        ...

    def ask_open_orders(self, exchange: Any, *, symbol: str) -> object:
        """All open orders of a symbol."""
        ...

    def ask_orders(self, exchange: Any, *, symbol: str, since: int, until: int, limit: int) -> object:
        """Orders of a symbol placed in [since, until], oldest first."""
        ...

    def ask_trades(self, exchange: Any, *, symbol: str, since: int, until: int, limit: int) -> object:
        """Trades of a symbol made in [since, until], oldest first."""
        ...

    def ask_trades_of_order(
        self, exchange: Any, *, symbol: str, venue_order_id: str, after: str | None, limit: int
    ) -> object:
        """Trades of one order, oldest first, from the one after the trade id `after`."""
        ...

    def ask_cancel(self, exchange: Any, *, symbol: str, client_order_id: str) -> object:
        """Ask to cancel an order by our id."""
        ...

    def ask_balances(self, exchange: Any) -> object:
        """The account."""
        ...

    def order_time(self, said: object) -> int:
        """When an order was placed."""
        ...

    def trade_time(self, said: object) -> int:
        """When a trade was made."""
        ...


class PublicDialect(Protocol):
    """The venue's public endpoints and words; the same rules as for `Dialect`."""

    def ask_candles(self, exchange: Any, *, symbol: str, timeframe: str, until: int, limit: int) -> object:
        """Candles opened before `until`, oldest first, the newest `limit` of them."""
        ...

    def read_candle(self, said: object) -> tuple[int, float, float, float, float, float]:
        """Open time ms, open, high, low, close, volume."""
        ...

    def ask_quotes(self, exchange: Any, *, symbols: Sequence[str]) -> object:
        """Best bids and asks with the venue's own time of them, in one request."""
        ...

    def read_quotes(self, said: object, *, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """The quotes of the symbols that have one."""
        ...

    def ask_rules(self, exchange: Any, *, symbols: Sequence[str] | None) -> object:
        """Trading rules of the symbols (of all when None), in one request."""
        ...

    def read_rules(self, said: object, *, taker_fee: Decimal, now: datetime) -> Sequence[MarketRules]:
        """Trading rules, one per symbol."""
        ...

    def ask_time(self, exchange: Any) -> object:
        """The venue's clock."""
        ...

    def read_time(self, said: object) -> datetime:
        """The venue's clock."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueProfile:
    """Everything the adapters need to know about a venue.

    `api` maps ccxt's names of the venue's interfaces to paths under `origin`; what is not listed can't be called.
    `named` is how many symbols a request for quotes or rules may name.
    `max_window_ms` is the longest receive window the venue honours: its fence. None means it has no fence, and no
    live order is posted there. `decimals` is the finest step of any quantity or price, `history_window` the longest
    span one request may ask orders or trades for, `rejects` the complete list of definite refusals of a post.
    """

    name: str
    ccxt_class: str
    origin: str
    api: Mapping[str, str]
    options: Mapping[str, Any]
    market_info: Mapping[str, Any]
    forms: Mapping[OrderKind, OrderForm]
    client_order_id_param: str
    window_param: str
    max_window_ms: int | None
    decimals: int
    page: int
    named: int
    history_window: timedelta
    taker_fee: Decimal
    rejects: tuple[CodeRule, ...]
    duplicates: tuple[CodeRule, ...]
    not_found: frozenset[str]
    nothing_to_cancel: frozenset[str]
    unknown_symbol: frozenset[str]
    look_failures: tuple[CodeRule, ...]
    dialect: Dialect
    public: PublicDialect
