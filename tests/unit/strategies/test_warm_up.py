"""With exactly the candles a strategy needs, its readings are those of a history ten times as long."""

from typing import Any

import pytest

from local.strategies.deciding import decided, positions_at
from local.strategies.markets import SYMBOLS, generated
from local.strategies.targets import made
from surefill.strategies import STRATEGIES, indicators
from surefill.strategies.market import MarketView, Series

SYMBOL = SYMBOLS[0]
RECURSIVE: list[tuple[Any, tuple[int, ...], int]] = [
    (indicators.rsi, (14,), indicators.memory_of_wilder(14) + 1),
    (indicators.atr, (14,), indicators.memory_of_wilder(14) + 1),
    (indicators.adx, (14,), indicators.memory_of_wilder(14) + 4 * 14 + 1),
    (indicators.ema, (20,), indicators.memory_of_ema(20) + 1),
]
# Of the reading itself: RSI 50 may be off by 0.005.
TOLERANCE = 1e-4


@pytest.mark.parametrize(("indicator", "arguments", "candles"), RECURSIVE)
@pytest.mark.parametrize("seed", range(5))
def test_recursive_indicators_forget_where_they_began(indicator: Any, arguments: Any, candles: int, seed: int) -> None:
    history = generated(seed=seed, count=10 * candles, timeframe="5m").candles[SYMBOL]
    exact = MarketView(Series(history, length=candles)).value(indicator, *arguments)
    assert exact == pytest.approx(MarketView(Series(history)).value(indicator, *arguments), rel=TOLERANCE)


@pytest.mark.parametrize("seed", range(5))
def test_macd_forgets_where_it_began(seed: int) -> None:
    candles = indicators.memory_of_ema(26 + 9) + 1
    history = generated(seed=seed, count=10 * candles, timeframe="5m").candles[SYMBOL]
    exact = MarketView(Series(history, length=candles)).macd(12, 26, 9)
    # The lines are small differences of large averages: the tolerance is a share of the price, a millionth of it.
    assert exact == pytest.approx(MarketView(Series(history)).macd(12, 26, 9), abs=1e-6 * history.close[-1])


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_exactly_the_candles_needed_are_enough(name: str) -> None:
    """No reading is missing (NaN) at the very first candle a strategy may be asked at."""
    strategy = made(STRATEGIES[name], {})
    needs = strategy.needs(SYMBOLS, SYMBOL)
    market = generated(seed=3, count=4_000, timeframe=strategy.default_timeframe)
    view = market.exact_view(SYMBOL, index=3_999, needs=needs)
    for position in positions_at(market, SYMBOL, index=3_999, needs=needs).values():
        numbers = decided(strategy, view, position).numbers
        assert numbers
        assert "nan" not in numbers.values()
