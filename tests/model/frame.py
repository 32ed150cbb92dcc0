"""The small world all models live in: one venue, one market per bot, round prices, and a clock of named moments."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from surefill.domain import identity
from surefill.domain.kinds import BotState, Leg, Mode, OrderKind, Side
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rows import Account, Bot, Budget, Fill, Intent, Row, Slot
from surefill.domain.states import IntentState, SlotState
from surefill.domain.times import sortable
from surefill.protocol.parts import OPEN, WORK
from surefill.protocol.transaction import Key, key_of
from surefill.usecases.timing import FIRST_CHECK, ORDER_LIFETIME

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
DAY = "2026-01-05"
ACCOUNT = "live-binance-main"
BUDGET = "live-binance-main-b"
SYMBOL = "BTC/USDT"
MARKET = f"binance|{SYMBOL}"
QUANTITY = Decimal(2)
BUY_PRICE = Decimal(100)
FEE = Decimal("0.001")
RESERVED = Decimal(201)


def at(seconds: int) -> datetime:
    """The moment so many seconds after the start."""
    return START + timedelta(seconds=seconds)


def bot(bot_id: str = "one") -> Bot:
    """A bot that trades."""
    return Bot(
        bot_id=bot_id,
        account_id=ACCOUNT,
        budget_id=BUDGET,
        venue="binance",
        symbols=(SYMBOL,),
        strategy="composite",
        params={},
        timeframe="1m",
        interval_seconds=60,
        budget_percent=Decimal(20),
        take_profit_percent=Decimal(3),
        stop_loss_percent=Decimal(2),
        slippage_percent=Decimal(1),
        confirmation_seconds=0,
        cooldown_seconds=0,
        state=BotState.ACTIVE,
        definition_hash="h",
        created_at=START,
    )


def budget(available: int = 1000, **changes: object) -> Budget:
    """A budget whose counters are of today."""
    return replace(
        Budget(
            budget_id=BUDGET,
            account_id=ACCOUNT,
            currency="USDT",
            funded=Decimal(available),
            available=Decimal(available),
            day=DAY,
        ),
        **changes,  # type: ignore[arg-type]
    )


def constants(step: str = "0.001") -> dict[Key, Row]:
    """What never changes: the account and the market's rules."""
    account = Account(account_id=ACCOUNT, venue="binance", mode=Mode.LIVE, currency="USDT", secret_name="s")
    rules = MarketRules(
        market_key=MARKET,
        symbol=SYMBOL,
        base="BTC",
        quote="USDT",
        quantity_step=Decimal(step),
        price_step=Decimal("0.01"),
        min_quantity=Decimal(step),
        min_notional=Decimal(5),
        taker_fee=FEE,
        active=True,
        fetched_at=START,
    )
    return {key_of(row): row for row in (account, rules)}


def entry(bot_id: str = "one", *, minute: int = 0, kind: OrderKind = OrderKind.LIMIT_IOC, salt: str = "") -> Intent:
    """The buy a bot's signal asks for, as `EntryPlanner` freezes it. `salt` breaks the deterministic name."""
    tick = at(60 * minute)
    name = identity.entry_intent_id(stage="model", account_id=ACCOUNT, bot_id=bot_id, symbol=SYMBOL, tick=tick)
    return Intent(
        intent_id=salt + name[len(salt) :],
        account_id=ACCOUNT,
        bot_id=bot_id,
        budget_id=BUDGET,
        venue="binance",
        symbol=SYMBOL,
        leg=Leg.ENTRY,
        side=Side.BUY,
        kind=kind,
        quantity=QUANTITY,
        limit_price=Decimal(100),
        reserved=RESERVED,
        reason=Reason.BUY,
        tick=tick,
        created_at=tick,
        deadline=tick + ORDER_LIFETIME,
        take_profit_percent=Decimal(3),
        stop_loss_percent=Decimal(2),
        work_key=WORK,
        next_check_at=sortable(tick + FIRST_CHECK),
    )


def tranche(bot_id: str = "one", *, of: str, minute: int = 1, number: int = 1) -> Intent:
    """One more tranche of the position whose entry is `of`, planned when that had `number` of them."""
    tick = at(60 * minute)
    return replace(
        entry(bot_id),
        intent_id=identity.tranche_intent_id(entry_intent_id=of, tick=tick),
        leg=Leg.TRANCHE,
        reason=Reason.ADD,
        tick=tick,
        entry_intent_id=of,
        attempt=number,
    )


def slot_of(bot_id: str = "one") -> Key:
    """Key of a bot's slot."""
    return Key(Slot, (MARKET, identity.owner_key(account_id=ACCOUNT, bot_id=bot_id)))


def position(bot_id: str = "one") -> tuple[Intent, Slot, Budget]:
    """An entry that was bought in full before the model begins, its open slot, and the budget it was paid from."""
    bought = entry(bot_id, minute=-10)
    cost, fee = QUANTITY * BUY_PRICE, QUANTITY * FEE
    fill = Fill(trade_id="t0", quantity=QUANTITY, price=BUY_PRICE, cost=cost, fee=fee, fee_asset="BTC")
    intent = replace(
        bought,
        state=IntentState.FILLED,
        work_key=None,
        next_check_at=None,
        finished_at=START,
        outcome=Reason.FILLED,
        filled_quantity=QUANTITY,
        filled_cost=cost,
        fills=(fill,),
    )
    market, owner = slot_of(bot_id).values
    slot = Slot(
        market_key=market,
        owner_key=owner,
        bot_id=bot_id,
        account_id=ACCOUNT,
        budget_id=BUDGET,
        state=SlotState.OPEN,
        open_key=OPEN,
        slot_key=f"{market}|{owner}",
        entry_intent_id=intent.intent_id,
        quantity=QUANTITY - fee,
        cost=cost,
        opened_at=START,
        take_profit=Decimal(103),
        stop_loss=Decimal(98),
        take_profit_percent=bought.take_profit_percent,
        stop_loss_percent=bought.stop_loss_percent,
        tranches=1,
        bought=QUANTITY - fee,
        last_price=BUY_PRICE,
        last_at=bought.tick,
    )
    money = budget(available=800, funded=Decimal(1000), deployed=cost, open_positions=1, trades_today=1)
    return intent, slot, money
