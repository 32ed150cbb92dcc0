"""Fakes of the ports, and a small world to try use cases in: one account, one budget, one bot, one market."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from surefill.adapters.memory import MemoryStore
from surefill.domain.candles import Quote
from surefill.domain.identity import execution_name
from surefill.domain.market import Refusal
from surefill.domain.orders import (
    Accepted,
    AlreadyExists,
    Balance,
    NotSent,
    OrderRequest,
    PostOutcome,
    Rejected,
    UnknownOutcome,
    VenueError,
    VenueOrder,
)
from surefill.domain.reasons import Reason
from surefill.domain.rows import (
    Account,
    Bot,
    BotState,
    Budget,
    Fill,
    Intent,
    Leg,
    MarketRules,
    Mode,
    Side,
    Slot,
)
from surefill.domain.times import to_milliseconds
from surefill.ports import Store
from surefill.strategies.base import Action, Signal
from surefill.usecases.batches import Batch
from surefill.usecases.book import Outcome
from surefill.usecases.claim import claim
from surefill.usecases.directory import AccountDirectory
from surefill.usecases.entries import EntryPlanner
from surefill.usecases.evaluate import Evaluator
from surefill.usecases.facts import MarketFacts
from surefill.usecases.place import Placer
from surefill.usecases.settle import Settler
from surefill.usecases.watch_exits import ExitWatch

TICK = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
MARKET = "binance|BTC/USDT"
OWNER = "live-binance-main|trend"


class FakeClock:
    """A clock that stands until moved."""

    def __init__(self, now: datetime = TICK) -> None:
        self.current = now

    def now(self) -> datetime:
        return self.current

    def forward(self, **delta: float) -> None:
        self.current += timedelta(**delta)


@dataclass
class ListObserver:
    """Remembers what was told."""

    events: list[tuple[Reason, dict[str, object]]] = field(default_factory=list)
    metrics: list[tuple[str, float]] = field(default_factory=list)

    def event(self, reason: Reason, **fields: object) -> None:
        self.events.append((reason, fields))

    def metric(self, name: str, value: float, **dimensions: str) -> None:
        self.metrics.append((name, value))

    def reasons(self) -> list[Reason]:
        return [reason for reason, _ in self.events]


@dataclass
class ListQueue:
    """Remembers messages."""

    bodies: list[str] = field(default_factory=list)
    delayed: list[tuple[int, str]] = field(default_factory=list)

    def send(self, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
        if delay_seconds:
            self.delayed.extend((delay_seconds, body) for body in bodies)
        else:
            self.bodies.extend(bodies)


@dataclass
class ListWorkflow:
    """Remembers the intents it was started with, by name: a second start of a name is refused."""

    started: dict[str, Intent] = field(default_factory=dict)

    def start(self, intent: Intent) -> bool:
        name = execution_name(intent_id=intent.intent_id, is_exit=intent.leg is Leg.EXIT, tick=intent.tick)
        if name in self.started:
            return False
        self.started[name] = intent
        return True


@dataclass
class FakeVenue:
    """A venue that fills at the quote. `script` holds what happens to the next posts instead."""

    bid: Decimal = Decimal(100)
    ask: Decimal = Decimal(100)
    quoted_at: datetime | None = TICK
    rows: list[list[float]] = field(default_factory=list)
    script: list[str] = field(default_factory=list)
    look_error: VenueError | None = None
    posts: list[OrderRequest] = field(default_factory=list)
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    held: dict[str, Balance] = field(default_factory=dict)
    requests: int = 0

    def market_data(self, venue: str) -> "FakeVenue":
        return self

    def of_account(self, account: Account) -> "FakeVenue":
        return self

    def server_time(self) -> datetime:
        return TICK

    def candle_rows(self, *, symbol: str, timeframe: str, until: datetime, limit: int) -> Sequence[Sequence[float]]:
        self.requests += 1
        if self.look_error:
            raise self.look_error
        return self.rows[-limit:]

    def quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        self.requests += 1
        if self.look_error:
            raise self.look_error
        if self.quoted_at is None:
            return {}
        return {symbol: Quote(symbol=symbol, bid=self.bid, ask=self.ask, at=self.quoted_at) for symbol in symbols}

    def market_rules(self, symbols: Sequence[str] | None, *, now: datetime) -> Sequence[MarketRules]:
        return [rules()]

    def post(self, request: OrderRequest) -> PostOutcome:
        self.posts.append(request)
        step = self.script.pop(0) if self.script else "fill"
        match step:
            case "fill" | "fill_unseen" | "half" | "nothing":
                order = self._execute(
                    request, share={"half": Decimal("0.5"), "nothing": Decimal(0)}.get(step, Decimal(1))
                )
                self.orders[request.client_order_id] = order
                return UnknownOutcome(message="reply lost") if step == "fill_unseen" else Accepted(order=order)
            case "resting":
                order = replace(self._execute(request, share=Decimal(0)), finished=False)
                self.orders[request.client_order_id] = order
                return Accepted(order=order)
            case "lost":
                return UnknownOutcome(message="request lost")
            case "not_sent":
                return NotSent(message="no connection")
            case "duplicate":
                return AlreadyExists(code="-2010", message="Duplicate order sent.")
            case _:
                return Rejected(reason=Reason(step), code="-1", message="refused")

    def _execute(self, request: OrderRequest, *, share: Decimal) -> VenueOrder:
        price = self.ask if request.side is Side.BUY else self.bid
        quantity = request.quantity * share
        buys = request.side is Side.BUY
        fills = (
            (
                Fill(
                    trade_id=f"t{len(self.orders)}",
                    quantity=quantity,
                    price=price,
                    cost=quantity * price,
                    fee=(quantity if buys else quantity * price) * Decimal("0.001"),
                    fee_asset="BTC" if buys else "USDT",
                ),
            )
            if quantity
            else ()
        )
        return VenueOrder(
            client_order_id=request.client_order_id,
            venue_order_id=f"v{len(self.orders)}",
            symbol=request.symbol,
            side=request.side,
            finished=True,
            filled_quantity=quantity,
            fills=fills,
        )

    def find(self, *, symbol: str, client_order_id: str) -> VenueOrder | None:
        if self.look_error:
            raise self.look_error
        return None if client_order_id in self.hidden else self.orders.get(client_order_id)

    def find_trace(self, *, symbol: str, client_order_id: str, since: datetime) -> VenueOrder | None:
        return self.orders.get(client_order_id)

    def cancel(self, *, symbol: str, client_order_id: str) -> None:
        self.orders[client_order_id] = replace(self.orders[client_order_id], finished=True)

    def balances(self) -> Mapping[str, Balance]:
        if self.look_error:
            raise self.look_error
        return self.held


def rules(**changes: object) -> MarketRules:
    """Rules of BTC/USDT."""
    return replace(
        MarketRules(
            market_key=MARKET,
            symbol="BTC/USDT",
            base="BTC",
            quote="USDT",
            quantity_step=Decimal("0.001"),
            price_step=Decimal("0.01"),
            min_quantity=Decimal("0.001"),
            min_notional=Decimal(5),
            taker_fee=Decimal("0.001"),
            active=True,
            fetched_at=TICK,
        ),
        **changes,  # type: ignore[arg-type]
    )


def bot(**changes: object) -> Bot:
    """A bot without confirmation or cooldown that puts a fifth of its budget into a trade."""
    return replace(
        Bot(
            bot_id="trend",
            account_id="live-binance-main",
            budget_id="live-binance-main-b",
            venue="binance",
            symbols=("BTC/USDT",),
            strategy="composite",
            params={},
            timeframe="1m",
            interval_seconds=60,
            budget_percent=Decimal(20),
            take_profit_percent=Decimal(3),
            stop_loss_percent=Decimal(2),
            slippage_percent=Decimal("0.5"),
            confirmation_seconds=0,
            cooldown_seconds=0,
            state=BotState.ACTIVE,
            definition_hash="h",
            created_at=TICK,
            cadence_key="60",
        ),
        **changes,  # type: ignore[arg-type]
    )


def budget(**changes: object) -> Budget:
    """A thousand USDT."""
    return replace(
        Budget(
            budget_id="live-binance-main-b",
            account_id="live-binance-main",
            currency="USDT",
            funded=Decimal(1000),
            available=Decimal(1000),
        ),
        **changes,  # type: ignore[arg-type]
    )


def candle_rows(closes: Sequence[float], *, until: datetime = TICK) -> list[list[float]]:
    """One-minute rows whose last one closed at `until`."""
    first = to_milliseconds(until) - len(closes) * 60_000
    return [
        [first + index * 60_000, close, close * 1.001, close * 0.999, close, 10.0] for index, close in enumerate(closes)
    ]


class World:
    """Use cases on fakes. `trade()` carries one batch through evaluation, claim and place like the functions do."""

    def __init__(self, store: Store | None = None) -> None:
        self.clock = FakeClock()
        self.store: Any = store or MemoryStore()
        self.venue = FakeVenue()
        self.observer = ListObserver()
        self.queue = ListQueue()
        self.workflow = ListWorkflow()
        self.bot = bot()
        self.store.insert(
            Account(account_id="live-binance-main", venue="binance", mode=Mode.LIVE, currency="USDT", secret_name="s")
        )
        self.store.insert(budget())
        self.store.insert(rules())
        self.store.insert(self.bot)

    @property
    def placer(self) -> Placer:
        return Placer(
            store=self.store,
            accounts=AccountDirectory(self.store),
            venues=self.venue,
            clock=self.clock,
            observer=self.observer,
        )

    @property
    def settler(self) -> Settler:
        return Settler(
            store=self.store,
            accounts=AccountDirectory(self.store),
            venues=self.venue,
            clock=self.clock,
            observer=self.observer,
        )

    @property
    def watch(self) -> ExitWatch:
        return ExitWatch(
            store=self.store, venues=self.venue, workflow=self.workflow, clock=self.clock, observer=self.observer
        )

    def evaluator(self, strategies: Mapping[str, type]) -> Evaluator:
        return Evaluator(
            store=self.store,
            venues=self.venue,
            workflow=self.workflow,
            clock=self.clock,
            observer=self.observer,
            stage="test",
            strategies=strategies,
        )

    @property
    def planner(self) -> EntryPlanner:
        """Plans entries at this moment, on the venue's price."""
        return self.evaluator({}).planner(self.batch())

    def batch(self, *bots: Bot, tick: datetime | None = None) -> Batch:
        return Batch(
            tick=tick or self.clock.now(), venue="binance", symbol="BTC/USDT", timeframe="1m", bots=bots or (self.bot,)
        )

    def run_started(self) -> list[Outcome]:
        """Claim and place what the workflow was started with since the last call."""
        outcomes = []
        for intent in list(self.workflow.started.values()):
            if not claim(intent, store=self.store, observer=self.observer).claimed:
                outcomes.append(Outcome.NOTHING)
                continue
            outcomes.append(self.placer.place(intent, worker="w"))
        return outcomes

    def slot(self) -> Slot:
        return self.store.get(Slot, MARKET, OWNER) or Slot(market_key=MARKET, owner_key=OWNER)

    def money(self) -> Budget:
        found = self.store.get(Budget, "live-binance-main-b")
        assert found is not None
        return found

    def intent(self, intent_id: str) -> Intent:
        found = self.store.get(Intent, intent_id)
        assert found is not None
        return found


def entry_of(world: World) -> Intent:
    """The entry that the world's bot would make now."""
    planned = world.planner.plan(
        world.bot,
        slot=world.slot(),
        signal=Signal(action=Action.BUY),
        facts=MarketFacts(last_close=world.venue.ask),
        adds=False,
    )
    assert not isinstance(planned, Refusal), planned
    return planned[0]
