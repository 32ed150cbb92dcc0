"""The people of the contract: a bot, its budget, its orders, and what the venue did with them."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from surefill.domain.fills import OrderResult, order_result
from surefill.domain.identity import entry_intent_id, exit_intent_id, tranche_intent_id
from surefill.domain.kinds import BotState, Leg, OrderKind, Side
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, Budget, Fill, Intent, Slot
from surefill.domain.times import day_of, sortable
from surefill.ports import Store
from surefill.protocol.entry import claim_entry
from surefill.protocol.funds import open_budget
from surefill.protocol.order import send_gate
from surefill.protocol.parts import WORK, slot_key_of

T0 = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """The moment so many seconds after the first tick."""
    return T0 + timedelta(seconds=seconds)


@dataclass
class World:
    """Names that no other test uses, and the rows made from them."""

    name: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    funded: Decimal = Decimal(1000)

    @property
    def account_id(self) -> str:
        return "live-binance-main"

    @property
    def bot_id(self) -> str:
        return f"bot-{self.name}"

    @property
    def budget_id(self) -> str:
        return f"budget-{self.name}"

    def bot(self, **changes: Any) -> Bot:
        bot = Bot(
            bot_id=self.bot_id,
            account_id=self.account_id,
            budget_id=self.budget_id,
            venue="binance",
            symbols=("BTC/USDT", "ETH/USDT"),
            strategy="ema_cross",
            params={"fast": 12, "slow": 26, "strict": True, "band": 0.5, "source": "close"},
            timeframe="1m",
            interval_seconds=60,
            budget_percent=Decimal(10),
            take_profit_percent=Decimal("1.5"),
            stop_loss_percent=Decimal(1),
            slippage_percent=Decimal("0.2"),
            confirmation_seconds=0,
            cooldown_seconds=60,
            state=BotState.ACTIVE,
            definition_hash="0f" * 16,
            created_at=T0,
            cadence_key="60",
        )
        return replace(bot, **changes)

    def budget(self, **changes: Any) -> Budget:
        budget = Budget(
            budget_id=self.budget_id,
            account_id=self.account_id,
            currency="USDT",
            funded=self.funded,
            available=self.funded,
            day=day_of(T0),
        )
        return replace(budget, **changes)

    def settle_in(self, store: Store, **budget: Any) -> None:
        """Store the bot and open the budget."""
        store.insert(self.bot())
        store.commit(open_budget(self.budget(**budget), request_id="first", now=T0))

    def entry(self, *, symbol: str = "BTC/USDT", tick: datetime = T0, reserved: str = "100", **changes: Any) -> Intent:
        """A buy as the use cases plan it."""
        intent_id = entry_intent_id(
            stage="test", account_id=self.account_id, bot_id=self.bot_id, symbol=symbol, tick=tick
        )
        intent = Intent(
            intent_id=intent_id,
            account_id=self.account_id,
            bot_id=self.bot_id,
            budget_id=self.budget_id,
            venue="binance",
            symbol=symbol,
            leg=Leg.ENTRY,
            side=Side.BUY,
            kind=OrderKind.LIMIT_IOC,
            quantity=Decimal("0.0016"),
            limit_price=Decimal("60120.24"),
            reserved=Decimal(reserved),
            reason=Reason.BUY,
            tick=tick,
            created_at=tick + timedelta(milliseconds=1_234),
            deadline=tick + timedelta(seconds=30),
            take_profit_percent=Decimal("1.5"),
            stop_loss_percent=Decimal(1),
            work_key=WORK,
            next_check_at=sortable(tick + timedelta(seconds=30)),
        )
        return replace(intent, **changes)

    def tranche(self, slot: Slot, *, tick: datetime, **changes: Any) -> Intent:
        """One more buy for what the slot holds."""
        if slot.entry_intent_id is None:
            raise ValueError(f"a slot to add to must hold a position, was {slot}")
        return self.entry(
            symbol=slot.market_key.partition("|")[2],
            tick=tick,
            **{
                "intent_id": tranche_intent_id(entry_intent_id=slot.entry_intent_id, tick=tick),
                "leg": Leg.TRANCHE,
                "reason": Reason.ADD,
                "entry_intent_id": slot.entry_intent_id,
                "attempt": slot.tranches,
                "exposure_asset": slot.exposure_asset,
                "max_exposure": Decimal(150) if slot.exposure_asset else None,
                **changes,
            },
        )

    def exit(self, slot: Slot, *, tick: datetime = T0 + timedelta(seconds=60), **changes: Any) -> Intent:
        """A sale of what the slot holds."""
        if slot.entry_intent_id is None:
            raise ValueError(f"a slot to be sold must hold a position, was {slot}")
        return self.entry(
            symbol=slot.market_key.partition("|")[2],
            tick=tick,
            reserved="0",
            **{
                "intent_id": exit_intent_id(entry_intent_id=slot.entry_intent_id, attempt=slot.exit_attempt),
                "leg": Leg.EXIT,
                "side": Side.SELL,
                "quantity": slot.quantity,
                "limit_price": Decimal("60900.00"),
                "reason": Reason.TAKE_PROFIT,
                "take_profit_percent": None,
                "stop_loss_percent": None,
                "entry_intent_id": slot.entry_intent_id,
                "attempt": slot.exit_attempt,
                **changes,
            },
        )


def send(store: Store, intent: Intent) -> None:
    """Claim a buy and pass the send gate."""
    store.commit(claim_entry(intent))
    store.update(send_gate(intent, worker="w", now=intent.created_at))


def slot_of(store: Store, intent: Intent) -> Slot:
    """The slot an intent belongs to; it must be there."""
    slot = store.get(Slot, *slot_key_of(intent).values)
    assert slot is not None
    return slot


def budget_of(store: Store, world: World) -> Budget:
    """The world's budget."""
    budget = store.get(Budget, world.budget_id)
    assert budget is not None
    return budget


def fill(number: int, *, quantity: str, price: str, fee: str = "0", fee_asset: str = "BTC") -> Fill:
    """One trade, at quantity x price."""
    return Fill(
        trade_id=f"40721{number:05}",
        quantity=Decimal(quantity),
        price=Decimal(price),
        cost=Decimal(quantity) * Decimal(price),
        fee=Decimal(fee),
        fee_asset=fee_asset,
    )


def result_of(intent: Intent, *fills: Fill) -> OrderResult:
    """What the venue did: the fold of the fills (none: it filled nothing)."""
    base, _, quote = intent.symbol.partition("/")
    return order_result(
        venue_order_id="28457346512",
        side=intent.side,
        base=base,
        quote=quote,
        filled_quantity=sum((one.quantity for one in fills), Decimal(0)),
        fills=fills,
    )
