"""Rows as the streams carry them, for notices."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from surefill.domain.kinds import AccountState, Leg, Mode, OrderKind, Side
from surefill.domain.notices import Notice, notice_of
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account, Intent, JournalEntry
from surefill.domain.states import IntentState
from tests.fakes.rows import TICK


def bought(**changes: object) -> Intent:
    """An entry that was filled."""
    intent = Intent(
        intent_id="a" * 32,
        account_id="live-binance-main",
        bot_id="trend",
        budget_id="live-binance-main-b",
        venue="binance",
        symbol="BTC/USDT",
        leg=Leg.ENTRY,
        side=Side.BUY,
        kind=OrderKind.LIMIT_IOC,
        quantity=Decimal("2"),
        limit_price=Decimal("100.5"),
        reserved=Decimal("201"),
        reason=Reason.BUY,
        tick=TICK,
        created_at=TICK,
        deadline=TICK + timedelta(seconds=60),
        state=IntentState.FILLED,
        outcome=Reason.FILLED,
        finished_at=TICK + timedelta(seconds=2),
        filled_quantity=Decimal("2.000"),
        filled_cost=Decimal("199.00"),
    )
    return replace(intent, **changes)


def sold(**changes: object) -> Intent:
    """A sale with a profit, of a position that was open for a day and a bit."""
    terms: dict[str, object] = {
        "intent_id": "b" * 32,
        "leg": Leg.EXIT,
        "side": Side.SELL,
        "kind": OrderKind.MARKET,
        "reason": Reason.TAKE_PROFIT,
        "filled_cost": Decimal("205"),
        "realised": Decimal("5.7"),
        "basis": Decimal("199"),
        "opened_at": TICK - timedelta(days=1, minutes=12),
    }
    return bought(**{**terms, **changes})


def account(**changes: object) -> Account:
    """An account whose key was withdrawn."""
    row = Account(
        account_id="live-binance-main",
        venue="binance",
        mode=Mode.LIVE,
        currency="USDT",
        state=AccountState.AUTH_FAILED,
        state_reason="code -2015: Invalid API-key",
        reconciled_at=TICK,
        secret_name="surefill/test/main",
    )
    return replace(row, **changes)


def journal(reason: Reason, *, minute: int = 0, **numbers: str) -> JournalEntry:
    """What watch_exits or a claim wrote down."""
    at = TICK + timedelta(minutes=minute)
    return JournalEntry(
        bot_id="trend",
        entry_key=f"{at:%Y-%m-%dT%H:%M:%SZ}#exit#BTC/USDT",
        at=at,
        kind="exit",
        symbol="BTC/USDT",
        reason=reason,
        numbers=numbers,
    )


def notice(row: object) -> Notice:
    """The notice of a row that is worth one."""
    found = notice_of(row)
    assert found is not None
    return found
