"""The reference market (seed 42) against a plain loop over floats, trade by trade."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pytest
import talib

from local.backtest.costs import Costs
from local.backtest.spec import EngineKind
from surefill.domain.rules import SizingMode
from surefill.strategies import base
from surefill.strategies.rsi_macd import RsiMacd
from tests.unit.backtest.bench import body, run_bodies, with_sizing
from tests.unit.backtest.markets import Walk, random_walk, symbol_of

STAKE, FEE = 100.0, 0.001
DAYS_30 = 30 * 288


class FromTheFirstValue(RsiMacd):
    """The rule from the first candle on at which a MACD crossing can be seen."""

    def needs(self, symbols: tuple[str, ...], symbol: str) -> base.Needs:
        return base.Needs(candles=35)


@dataclass(frozen=True)
class Expected:
    bought: int
    sold: int
    profit: float


def plain_loop(close: np.ndarray) -> list[Expected]:
    """The rule as a loop: in at the close of a crossing up with RSI below 50, out on a crossing down or RSI over 70."""
    rsi = talib.RSI(close, 14).tolist()
    macd, line, _ = (values.tolist() for values in talib.MACD(close, 12, 26, 9))
    found: list[Expected] = []
    bought: int | None = None
    for i in range(1, len(close)):
        if bought is not None:
            if (macd[i] < line[i] and macd[i - 1] >= line[i - 1]) or rsi[i] > 70:
                quantity = STAKE / close[bought]
                profit = quantity * close[i] * (1 - FEE) - STAKE * (1 + FEE)
                found.append(Expected(bought, i, profit))
                bought = None
        elif macd[i] > line[i] and macd[i - 1] <= line[i - 1] and rsi[i] < 50:
            bought = i
    return found


def assert_equal_to_the_loop(walk: Walk, *, pairs: int, engine: EngineKind) -> tuple[int, Decimal]:
    symbols = [symbol_of(pair) for pair in range(pairs)]
    result = run_bodies(
        [body(symbols, interval_seconds=300)],
        [walk.history(pair) for pair in range(pairs)],
        costs=Costs(fee=Decimal("0.001"), fee_in_quote=True),
        strategies={"rsi_macd": FromTheFirstValue},
        engine=engine,
        changed=lambda bot: with_sizing(bot, mode=SizingMode.FIXED, amount=Decimal("100.1")),
    )
    closed = {int(moment): place for place, moment in enumerate(walk.opened_ms + 300_000)}
    for pair, symbol in enumerate(symbols):
        trades = [trade for trade in result.trades if trade.symbol == symbol]
        expected = plain_loop(walk.close[pair])
        places = [
            (closed[int(trade.opened_at.timestamp() * 1_000)], closed[int(trade.closed_at.timestamp() * 1_000)])
            for trade in trades
        ]
        assert places == [(one.bought, one.sold) for one in expected]
        assert [float(trade.profit) for trade in trades] == pytest.approx([one.profit for one in expected], abs=2e-3)
    return len(result.trades), sum((trade.profit for trade in result.trades), Decimal(0))


@pytest.mark.parametrize("engine", [EngineKind.DIRECT, EngineKind.PROTOCOL])
def test_every_trade_of_the_reference_market_is_the_loops(engine: EngineKind) -> None:
    count, profit = assert_equal_to_the_loop(random_walk(pairs=50, candles=DAYS_30), pairs=50, engine=engine)
    assert count == 6_715
    assert float(profit) == pytest.approx(-1_364.442, abs=5e-4)
