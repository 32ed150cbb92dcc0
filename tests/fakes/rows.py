"""The rows of a small world: one market's rules, one bot, one budget, and candles."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from surefill.domain.kinds import BotState
from surefill.domain.records import MarketRules
from surefill.domain.rows import Bot, Budget
from surefill.domain.times import to_milliseconds

TICK = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
MARKET = "binance|BTC/USDT"
OWNER = "live-binance-main|trend"


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
