"""A small consistent stage: a bot with a closed BTC position and an open ETH one, as rows and as the venue saw it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from local.rows import Rows
from surefill.domain.kinds import Leg, Mode, OrderKind, Side
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account, Budget, Fill, Intent, LedgerEntry, Slot
from surefill.domain.states import IntentState, SlotState

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
ACCOUNT, BOT, BUDGET = "live-binance-main", "trend", "live-binance-main-b"
OWNER = f"{ACCOUNT}|{BOT}"
BTC_ENTRY, BTC_EXIT, ETH_ENTRY = "1" * 32, "2" * 32, "3" * 32


def fill(number: int, *, quantity: str, price: str, fee: str, asset: str) -> Fill:
    return Fill(
        trade_id=str(number),
        quantity=Decimal(quantity),
        price=Decimal(price),
        cost=Decimal(quantity) * Decimal(price),
        fee=Decimal(fee),
        fee_asset=asset,
    )


def intent(intent_id: str, *, symbol: str, leg: Leg, fills: tuple[Fill, ...], **changes: Any) -> Intent:
    quantity = sum((item.quantity for item in fills), Decimal(0))
    made = Intent(
        intent_id=intent_id,
        account_id=ACCOUNT,
        bot_id=BOT,
        budget_id=BUDGET,
        venue="binance",
        symbol=symbol,
        leg=leg,
        side=Side.BUY if leg is Leg.ENTRY else Side.SELL,
        kind=OrderKind.LIMIT_IOC if leg is Leg.ENTRY else OrderKind.MARKET,
        quantity=quantity,
        limit_price=None,
        reserved=Decimal(110) if leg is Leg.ENTRY else Decimal(0),
        reason=Reason.BUY,
        tick=NOW,
        created_at=NOW,
        deadline=NOW + timedelta(seconds=30),
        state=IntentState.FILLED,
        sent_at=NOW,
        finished_at=NOW + timedelta(seconds=1),
        outcome=Reason.FILLED,
        filled_quantity=quantity,
        filled_cost=sum((item.cost for item in fills), Decimal(0)),
        fills=fills,
    )
    return replace(made, **changes)


def ledger(key: str, **amounts: str) -> LedgerEntry:
    return LedgerEntry(
        budget_id=BUDGET, entry_key=key, at=NOW, **{name: Decimal(text) for name, text in amounts.items()}
    )


def consistent_rows() -> Rows:
    """Bought 1 BTC for 100 and sold 0.999 at 110 (fee 0.1); bought 2 ETH for 80 and holds 1.998."""
    btc_entry = intent(
        BTC_ENTRY,
        symbol="BTC/USDT",
        leg=Leg.ENTRY,
        fills=(fill(1, quantity="1", price="100", fee="0.001", asset="BTC"),),
    )
    btc_exit = intent(
        BTC_EXIT,
        symbol="BTC/USDT",
        leg=Leg.EXIT,
        fills=(fill(2, quantity="0.999", price="110", fee="0.1", asset="USDT"),),
        entry_intent_id=BTC_ENTRY,
    )
    eth_entry = intent(
        ETH_ENTRY,
        symbol="ETH/USDT",
        leg=Leg.ENTRY,
        fills=(fill(3, quantity="2", price="40", fee="0.002", asset="ETH"),),
    )
    return Rows(
        accounts=(Account(account_id=ACCOUNT, venue="binance", mode=Mode.LIVE, currency="USDT"),),
        budgets=(
            Budget(
                budget_id=BUDGET,
                account_id=ACCOUNT,
                currency="USDT",
                funded=Decimal(1000),
                available=Decimal("929.79"),
                deployed=Decimal(80),
                realised=Decimal("9.79"),
                open_positions=1,
            ),
        ),
        slots=(
            Slot(market_key="binance|BTC/USDT", owner_key=OWNER, bot_id=BOT, account_id=ACCOUNT, budget_id=BUDGET),
            Slot(
                market_key="binance|ETH/USDT",
                owner_key=OWNER,
                bot_id=BOT,
                account_id=ACCOUNT,
                budget_id=BUDGET,
                state=SlotState.OPEN,
                entry_intent_id=ETH_ENTRY,
                quantity=Decimal("1.998"),
                cost=Decimal(80),
            ),
        ),
        intents=(btc_entry, btc_exit, eth_entry),
        ledger=(
            ledger("funds#open", available="1000", funded="1000"),
            ledger(f"{BTC_ENTRY}#claim", available="-110", reserved="110"),
            ledger(f"{BTC_ENTRY}#record", reserved="-110", available="10", deployed="100"),
            ledger(f"{BTC_EXIT}#record", available="109.79", deployed="-100", realised="9.79"),
            ledger(f"{ETH_ENTRY}#claim", available="-110", reserved="110"),
            ledger(f"{ETH_ENTRY}#record", reserved="-110", available="30", deployed="80"),
        ),
        exchange={
            "order_posts": {BTC_ENTRY: 1, BTC_EXIT: 1, ETH_ENTRY: 1},
            "orders": [
                {"clientOrderId": BTC_ENTRY, "executedQty": "1.00000000"},
                {"clientOrderId": BTC_EXIT, "executedQty": "0.99900000"},
                {"clientOrderId": ETH_ENTRY, "executedQty": "2.00000000"},
            ],
            "accounts": {
                "main": {
                    "BTC": {"free": "0", "locked": "0"},
                    "ETH": {"free": "1.998", "locked": "0"},
                    "USDT": {"free": "929.79", "locked": "0"},
                }
            },
        },
    )


def unfinished(state: IntentState, **changes: Any) -> Intent:
    """An entry that is under way, with 50 reserved."""
    base: dict[str, Any] = {
        "state": state,
        "reserved": Decimal(50),
        "finished_at": None,
        "outcome": None,
        "work_key": "work",
        "sent_at": None if state is IntentState.RESERVED else NOW,
    }
    return intent("4" * 32, symbol="SOL/USDT", leg=Leg.ENTRY, fills=(), **{**base, **changes})
