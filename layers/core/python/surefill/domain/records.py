"""Rows beside money and orders: rules of markets, schedules, requests, stops, imported trades, paper accounts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from surefill.domain.kinds import CloseOutcome, Scope, Side, StopKind
from surefill.domain.money import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTrade:
    """One trade of an account as its venue reports it, once per venue trade id. `ours` is the intent it belongs to.

    `trade_key` is "<time>#<symbol>#<venue trade id>"; `fee` is in `fee_asset`, `cost` is quote money.
    """

    TABLE: ClassVar[str] = "trades"
    KEY: ClassVar[tuple[str, ...]] = ("account_id", "trade_key")

    account_id: str
    trade_key: str
    symbol: str
    at: datetime
    side: Side
    quantity: Decimal
    price: Decimal
    cost: Decimal
    fee: Decimal
    fee_asset: str
    venue_order_id: str
    trade_id: str
    ours: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRules:
    """What a venue demands of orders on a symbol. Steps and minimum quantity in base, price and notional in quote."""

    TABLE: ClassVar[str] = "markets"
    KEY: ClassVar[tuple[str, ...]] = ("market_key",)

    market_key: str
    symbol: str
    base: str
    quote: str
    quantity_step: Decimal
    price_step: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    taker_fee: Decimal
    active: bool
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    """The last tick a schedule finished: what the heartbeat and the next dispatch start from.

    One row per schedule, and one per market and timeframe whose evaluation did not finish at its first attempt
    ("evaluate|binance|BTC/USDT|1h"); such a row says in `counts` whether it did at a later one.
    `prices` are the bids the last pass saw of markets with an open position, by market key.
    """

    TABLE: ClassVar[str] = "schedules"
    KEY: ClassVar[tuple[str, ...]] = ("schedule_name",)

    schedule_name: str
    last_tick: datetime
    finished_at: datetime
    counts: Mapping[str, str] = field(default_factory=dict)
    prices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperEntry:
    """An order or a balance of a paper account ("order#<client order id>", "balance#<asset>", or the list "assets").

    Of a balance: `free` to use and `locked` in open orders. Of an order: `free` is the quantity still open (0 once it
    is finished) and `locked` what it holds of the asset it pays with. Of the list: how often it changed.
    """

    TABLE: ClassVar[str] = "paper"
    KEY: ClassVar[tuple[str, ...]] = ("account_id", "entry_key")

    account_id: str
    entry_key: str
    free: Decimal = ZERO
    locked: Decimal = ZERO
    body: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that must count once: what was asked, and what was answered (`status` is None while it is under way).

    `worker` names the call that answers it. Also counts what may come so often in a minute only. It expires.
    """

    TABLE: ClassVar[str] = "requests"
    KEY: ClassVar[tuple[str, ...]] = ("request_key",)

    request_key: str
    fingerprint: str = ""
    worker: str = ""
    at: datetime | None = None
    status: int | None = None
    answer: str = ""
    count: int = 0
    expires_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One use of the kill switch: who, when, why, and what it changed, so that lifting it restores just that.

    `bots` holds the state each changed bot was in, `budgets` those whose entries were on. It stands once
    `acknowledged_at` is written, until `lifted_at`. `positions` counts what CLOSE_ALL closes or FREEZE froze.
    """

    TABLE: ClassVar[str] = "stops"
    KEY: ClassVar[tuple[str, ...]] = ("scope", "stop_id")

    scope: Scope
    stop_id: str
    kind: StopKind
    target: str
    who: str
    why: str
    at: datetime
    bots: Mapping[str, str] = field(default_factory=dict)
    budgets: tuple[str, ...] = ()
    positions: int = 0
    acknowledged_at: datetime | None = None
    lifted_at: datetime | None = None
    lifted_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """One position that a kill switch closes: the position by its entry, and what has become of it so far."""

    TABLE: ClassVar[str] = "closings"
    KEY: ClassVar[tuple[str, ...]] = ("stop_id", "position_key")

    stop_id: str
    position_key: str
    market_key: str
    owner_key: str
    bot_id: str
    entry_intent_id: str | None = None
    outcome: CloseOutcome = CloseOutcome.WAITING
    why: str = ""
    exit_intent_id: str | None = None
    finished_at: datetime | None = None
