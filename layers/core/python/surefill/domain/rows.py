"""What is stored of bots, money and orders, as frozen dataclasses: one per kind of row, with its table and key.

The other rows are in `records`; `Row` is any of all. Adapters encode them generically from their type hints, so a
field that is added is stored without further code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from surefill.domain.kinds import AccountState, BotState, Leg, Mode, OrderKind, Side
from surefill.domain.money import ZERO, add
from surefill.domain.reasons import Reason
from surefill.domain.records import Closing, MarketRules, PaperEntry, PastTrade, Request, ScheduleRow, Stop
from surefill.domain.rules import ExitRules, GateRules, SizingRules
from surefill.domain.states import IntentState, SlotState


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """One bot: a strategy on some symbols of an account, with its sizing and its exits. The row is its schedule too.

    Percentages are in per cent (Decimal("1.5") is 1.5 %), durations in seconds. The cooldown counts from the end of the
    last position or attempt: a venue that refuses is not asked again every minute. A take profit or stop loss of 0 is
    none, for strategies that may hold without one. `hook_hash` is the SHA-256 of the token its alerts must carry;
    `scheduled_since` says when it was started or changed last: what fell due before is not missed.
    """

    TABLE: ClassVar[str] = "bots"
    KEY: ClassVar[tuple[str, ...]] = ("bot_id",)

    bot_id: str
    account_id: str
    budget_id: str
    venue: str
    symbols: tuple[str, ...]
    strategy: str
    params: Mapping[str, str | int | float | bool]
    timeframe: str
    interval_seconds: int
    budget_percent: Decimal
    take_profit_percent: Decimal
    stop_loss_percent: Decimal
    slippage_percent: Decimal
    confirmation_seconds: int
    cooldown_seconds: int
    state: BotState
    definition_hash: str
    created_at: datetime
    cadence_key: str | None = None
    scheduled_since: datetime | None = None
    state_reason: str = ""
    hook_hash: str | None = None
    sizing: SizingRules = field(default_factory=SizingRules)
    gates: GateRules = field(default_factory=GateRules)
    exit_rules: ExitRules = field(default_factory=ExitRules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Money of one account set aside for one or several bots, all in `currency`.

    Invariant (I1): available + reserved + deployed == funded + realised, exactly; the first three are never negative.
    """

    TABLE: ClassVar[str] = "budgets"
    KEY: ClassVar[tuple[str, ...]] = ("budget_id",)

    budget_id: str
    account_id: str
    currency: str
    funded: Decimal
    available: Decimal
    reserved: Decimal = ZERO
    deployed: Decimal = ZERO
    realised: Decimal = ZERO
    entries_allowed: bool = True
    open_positions: int = 0
    day: str = ""
    trades_today: int = 0
    loss_today: Decimal = ZERO
    max_open_positions: int | None = None
    max_trades_per_day: int | None = None
    max_daily_loss: Decimal | None = None
    max_exposure_per_asset: Decimal | None = None
    max_drawdown: Decimal | None = None
    realised_floor: Decimal | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Money of a budget at work in one asset, reserved for it or deployed in it; kept for budgets with a limit only."""

    TABLE: ClassVar[str] = "exposures"
    KEY: ClassVar[tuple[str, ...]] = ("budget_id", "asset")

    budget_id: str
    asset: str
    amount: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The one place a bot has on a symbol: empty, or holding its only position. Also remembers the pending signal.

    `quantity` is what is owned in base after fees, `cost` what it took in quote; a missing row is an empty slot. A grid
    has one slot per rung. `bought` is all that was ever added to the position, `tranches` how often; `ladder_done`
    counts the steps of its profit ladder that were sold, `highest` is the highest bid it has seen, once that matters.
    `last_reason` is what was last journalled of its evaluations, `exit_reason` of its exits; `advice_calls` counts how
    often an adviser was asked on the UTC day of `advised_at`.
    """

    TABLE: ClassVar[str] = "slots"
    KEY: ClassVar[tuple[str, ...]] = ("market_key", "owner_key")

    market_key: str
    owner_key: str
    bot_id: str = ""
    account_id: str = ""
    budget_id: str = ""
    state: SlotState = SlotState.EMPTY
    open_key: str | None = None
    slot_key: str | None = None
    rung: str | None = None
    entry_intent_id: str | None = None
    tranche_intent_id: str | None = None
    exit_intent_id: str | None = None
    exit_attempt: int = 0
    tranches: int = 0
    bought: Decimal = ZERO
    last_price: Decimal | None = None
    last_at: datetime | None = None
    highest: Decimal | None = None
    ladder_done: int = 0
    exit_rules: ExitRules | None = None
    take_profit_percent: Decimal | None = None
    stop_loss_percent: Decimal | None = None
    exposure_asset: str | None = None
    time_zone: str | None = None
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    opened_at: datetime | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    idle_since: datetime | None = None
    held_reason: Reason | None = None
    frozen: bool | None = None
    signal_side: Side | None = None
    signal_since: datetime | None = None
    last_reason: Reason | None = None
    exit_reason: Reason | None = None
    advised_at: datetime | None = None
    advice_calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One trade of an order as the venue reports it. `fee` is in `fee_asset`; `cost` is quantity x price in quote."""

    trade_id: str
    quantity: Decimal
    price: Decimal
    cost: Decimal
    fee: Decimal
    fee_asset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One order from reservation to record; the terms are frozen when it is claimed.

    `reserved` is quote money held for a buy (0 for a sell); `deadline` is when an unsent order may no longer be sent,
    `rests_until` when a resting one is cancelled. `part` marks a sale of a part of a position. A finished sale tells
    what it realised: `realised` (quote), of the `basis` it cost, of a position open since `opened_at`.
    """

    TABLE: ClassVar[str] = "intents"
    KEY: ClassVar[tuple[str, ...]] = ("intent_id",)

    intent_id: str
    account_id: str
    bot_id: str
    budget_id: str
    venue: str
    symbol: str
    leg: Leg
    side: Side
    kind: OrderKind
    quantity: Decimal
    limit_price: Decimal | None
    reserved: Decimal
    reason: Reason
    tick: datetime
    created_at: datetime
    deadline: datetime
    take_profit_percent: Decimal | None = None
    stop_loss_percent: Decimal | None = None
    exit_rules: ExitRules | None = None
    entry_intent_id: str | None = None
    attempt: int = 0
    rung: str | None = None
    part: bool = False
    rests_until: datetime | None = None
    exposure_asset: str | None = None
    max_exposure: Decimal | None = None
    time_zone: str | None = None
    state: IntentState = IntentState.RESERVED
    work_key: str | None = None
    next_check_at: str | None = None
    sent_at: datetime | None = None
    worker: str | None = None
    venue_order_id: str | None = None
    absent_since: datetime | None = None
    finished_at: datetime | None = None
    outcome: Reason | None = None
    filled_quantity: Decimal = ZERO
    filled_cost: Decimal = ZERO
    basis: Decimal | None = None
    realised: Decimal | None = None
    opened_at: datetime | None = None
    fills: tuple[Fill, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One change of a budget, under a natural key: the same change can be written once only.

    The five deltas are what was added to the budget's balances; they conserve by construction.
    """

    TABLE: ClassVar[str] = "ledger"
    KEY: ClassVar[tuple[str, ...]] = ("budget_id", "entry_key")

    budget_id: str
    entry_key: str
    at: datetime
    available: Decimal = ZERO
    reserved: Decimal = ZERO
    deployed: Decimal = ZERO
    funded: Decimal = ZERO
    realised: Decimal = ZERO
    intent_id: str | None = None
    bot_id: str | None = None
    symbol: str | None = None
    dust: Decimal = ZERO
    overrun: Decimal = ZERO

    def __post_init__(self) -> None:
        held, owed = add(self.available, self.reserved, self.deployed), add(self.funded, self.realised)
        if held != owed:
            raise AssertionError(f"ledger entry {self.entry_key} must conserve money, moves {held} for {owed}")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """A decision, risk or exit event of a bot, kept for its story (history only: it expires)."""

    TABLE: ClassVar[str] = "journal"
    KEY: ClassVar[tuple[str, ...]] = ("bot_id", "entry_key")

    bot_id: str
    entry_key: str
    at: datetime
    kind: str
    symbol: str
    reason: Reason
    numbers: Mapping[str, str] = field(default_factory=dict)
    intent_id: str | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account at a venue. Its id carries mode and venue ("live-binance-main"), so paper and live share no key.

    `trouble` is why it could not be read or is not in order, unchanged since `trouble_since`. Until `retry_at` nothing
    is bought with it (its circuit is open). `clock_skew_ms` is how far the venue's clock is ahead of ours, to a quarter
    of a second; `secret_ok` whether the keys of a live account could be read. `imports` holds the symbols whose past
    trades are still being read, and from when on.
    """

    TABLE: ClassVar[str] = "accounts"
    KEY: ClassVar[tuple[str, ...]] = ("account_id",)

    account_id: str
    venue: str
    mode: Mode
    currency: str
    state: AccountState = AccountState.OK
    state_reason: str = ""
    secret_name: str | None = None
    paper_balance: Decimal | None = None
    retry_at: datetime | None = None
    trouble: Reason | None = None
    trouble_since: datetime | None = None
    reconciled_at: datetime | None = None
    differences: Mapping[str, str] = field(default_factory=dict)
    balances: Mapping[str, str] = field(default_factory=dict)
    clock_skew_ms: int | None = None
    secret_ok: bool | None = None
    imports: Mapping[str, str] = field(default_factory=dict)


Row = (
    Bot
    | Budget
    | Exposure
    | Slot
    | Intent
    | LedgerEntry
    | JournalEntry
    | Account
    | MarketRules
    | ScheduleRow
    | PaperEntry
    | Request
    | Stop
    | Closing
    | PastTrade
)
