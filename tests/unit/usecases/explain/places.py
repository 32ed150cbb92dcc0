"""Places to explain: a bot with everything in order, and changes to it."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from surefill.domain.decisions import Decision, journal_entry
from surefill.domain.kinds import Leg, Mode, OrderKind, Scope, Side, StopKind
from surefill.domain.reasons import Reason
from surefill.domain.records import ScheduleRow, Stop
from surefill.domain.rows import Account, Fill, Intent, JournalEntry, Slot
from surefill.domain.states import IntentState, SlotState
from surefill.usecases.explain.facts import SCHEDULES, Place
from surefill.usecases.explain.model import Link, LinkState
from tests.fakes.rows import MARKET, OWNER, TICK, bot, budget, rules

NOW = TICK + timedelta(seconds=20)
AGO = timedelta(minutes=4)
SYMBOL = "BTC/USDT"


def account(**changes: Any) -> Account:
    """A live account, read a minute ago."""
    usual = Account(
        account_id="live-binance-main",
        venue="binance",
        mode=Mode.LIVE,
        currency="USDT",
        reconciled_at=TICK,
        balances={"USDT": "1000", "BTC": "1"},
    )
    return replace(usual, **changes)


def slot(**changes: Any) -> Slot:
    """An empty place whose last evaluation said HOLD."""
    return replace(Slot(market_key=MARKET, owner_key=OWNER, bot_id="trend", last_reason=Reason.HOLD), **changes)


def held(**changes: Any) -> Slot:
    """An open position of one coin bought at 100."""
    usual: dict[str, Any] = {
        "state": SlotState.OPEN,
        "entry_intent_id": "e",
        "quantity": Decimal(1),
        "cost": Decimal(100),
        "opened_at": TICK - timedelta(minutes=5),
        "take_profit": Decimal(103),
        "stop_loss": Decimal(98),
        "take_profit_percent": Decimal(3),
        "stop_loss_percent": Decimal(2),
    }
    return slot(**{**usual, **changes})


def order(**changes: Any) -> Intent:
    """A buy of one coin, filled five minutes ago."""
    made = TICK - timedelta(minutes=5)
    usual = Intent(
        intent_id="e",
        account_id="live-binance-main",
        bot_id="trend",
        budget_id="live-binance-main-b",
        venue="binance",
        symbol=SYMBOL,
        leg=Leg.ENTRY,
        side=Side.BUY,
        kind=OrderKind.LIMIT_IOC,
        quantity=Decimal(1),
        limit_price=Decimal(101),
        reserved=Decimal(102),
        reason=Reason.BUY,
        tick=made,
        created_at=made,
        deadline=made + timedelta(seconds=30),
        state=IntentState.FILLED,
        sent_at=made,
        finished_at=made,
        outcome=Reason.FILLED,
        filled_quantity=Decimal(1),
        filled_cost=Decimal(100),
        fills=(fill(),),
    )
    return replace(usual, **changes)


def fill(**changes: Any) -> Fill:
    """One coin at 100, a thousandth of it as fee."""
    usual = Fill(
        trade_id="t",
        quantity=Decimal(1),
        price=Decimal(100),
        cost=Decimal(100),
        fee=Decimal("0.001"),
        fee_asset="BTC",
    )
    return replace(usual, **changes)


def entry(
    reason: Reason, *, kind: str = "decision", at: datetime = TICK, order_id: str | None = None, **numbers: str
) -> JournalEntry:
    """A journal entry about the symbol."""
    made = Decision(bot_id="trend", symbol=SYMBOL, tick=at, reason=reason, numbers=numbers, intent_id=order_id)
    return journal_entry(made, kind=kind)


def decided(reason: Reason, **numbers: str) -> dict[str, Any]:
    """The changes of a place whose last evaluation said this."""
    return {"slot": slot(last_reason=reason), "journal": (entry(reason, **numbers),)}


def place(**changes: Any) -> Place:
    """A place where everything is in order and nothing is held."""
    schedules = {
        name: ScheduleRow(schedule_name=name, last_tick=TICK, finished_at=TICK + timedelta(seconds=1))
        for name in SCHEDULES
    }
    usual = Place(
        bot=bot(created_at=TICK - timedelta(days=1)),
        symbol=SYMBOL,
        rung=None,
        slot=slot(),
        account=account(),
        budget=budget(),
        rules=rules(),
        orders=(),
        journal=(entry(Reason.HOLD),),
        schedules=schedules,
        stops=(),
        strategies=frozenset({"composite"}),
        now=NOW,
    )
    return replace(usual, **changes)


def stop(**changes: Any) -> Stop:
    made = Stop(
        scope=Scope.ALL,
        stop_id="s",
        kind=StopKind.NO_NEW,
        target="",
        who="ada",
        why="news",
        at=TICK,
        acknowledged_at=TICK,
    )
    return replace(made, **changes)


def stopped(link: Link, reason: Reason, says: str) -> None:
    assert (link.state, link.reason, link.says) == (LinkState.STOPPED, reason, says)
    assert link.remedy


def silent(name: str) -> dict[str, Any]:
    kept = dict(place().schedules)
    kept[name] = ScheduleRow(schedule_name=name, last_tick=TICK - AGO, finished_at=TICK - AGO)
    return {"schedules": kept}
