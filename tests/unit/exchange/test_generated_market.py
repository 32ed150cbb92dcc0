"""The generated market: same everywhere, connected, alive."""

from __future__ import annotations

import itertools
from decimal import Decimal
from math import log

import pytest

from local.exchange.market.candles import DAY_MS, MINUTE_MS, Candle
from local.exchange.market.generator import GeneratedCandles, Liveliness
from tests.unit.exchange.helpers import START_MS


def market(
    seed: int = 7, symbol: str = "BTCUSDT", price: str = "60000", step: str = "0.01", **options: int
) -> GeneratedCandles:
    lively = Liveliness(**options) if options else None
    return GeneratedCandles(
        seed=seed, symbol=symbol, start_price=Decimal(price), price_step=Decimal(step), liveliness=lively
    )


def day(source: GeneratedCandles, minutes: int = 1_440, start_ms: int = START_MS) -> list[Candle]:
    candles = [source.candle(start_ms + number * MINUTE_MS) for number in range(minutes)]
    return [candle for candle in candles if candle is not None]


def test_a_minute_is_the_same_whoever_asks_first() -> None:
    forwards, backwards = market(), market()
    late = [backwards.candle(START_MS + number * MINUTE_MS) for number in reversed(range(0, 3_000, 7))]
    assert [forwards.candle(START_MS + number * MINUTE_MS) for number in range(0, 3_000, 7)] == late[::-1]


PINNED = ["58849.99", "58860.49", "58712.16", "58754.79", "9.33332"]


def test_a_known_minute_never_changes() -> None:
    candle = market().candle(START_MS)
    assert candle is not None
    assert [str(v) for v in (candle.open, candle.high, candle.low, candle.close, candle.volume)] == PINNED


def test_seeds_and_symbols_differ() -> None:
    assert day(market(seed=1), 10) != day(market(seed=2), 10)
    assert day(market(symbol="ETHUSDT"), 10) != day(market(), 10)


def test_candles_are_connected_and_sound_over_day_borders_and_years() -> None:
    source = market()
    for start_ms in (START_MS, START_MS + 3_650 * DAY_MS, 0):
        candles = day(source, 3_000, start_ms)
        for earlier, later in itertools.pairwise(candles):
            assert earlier.close == later.open
        for candle in candles:
            assert candle.low <= min(candle.open, candle.close) <= max(candle.open, candle.close) <= candle.high
            assert candle.volume > 0
            assert Decimal(40_000) < candle.close < Decimal(80_000)
            assert candle.close % Decimal("0.01") == 0


@pytest.mark.parametrize(("price", "step"), [("0.00004", "0.00000001"), ("0.35", "0.0001"), ("2500", "0.01")])
def test_any_price_scale(price: str, step: str) -> None:
    closes = [candle.close for candle in day(market(price=price, step=step), 500)]
    assert Decimal(price) * Decimal("0.7") < min(closes) < max(closes) < Decimal(price) * Decimal("1.4")
    assert len(set(closes)) > 50


def test_too_coarse_a_step_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1000 price steps"):
        market(price="1", step="0.01")
    with pytest.raises(ValueError, match="more than half its level"):
        Liveliness(swing_bps=6_000)


def test_it_is_lively_enough_for_one_percent_exits_several_times_an_hour() -> None:
    """A plain RSI entry with take profit and stop loss of 1 % finds trades all day, and both exits happen."""
    candles = day(market(), 2_880)
    closes = [float(candle.close) for candle in candles]
    gain = loss = 0.0
    entry: float | None = None
    exits = {"profit": 0, "loss": 0}
    for number in range(1, len(closes)):
        change = closes[number] - closes[number - 1]
        gain, loss = gain + (max(change, 0) - gain) / 14, loss + (max(-change, 0) - loss) / 14
        if entry is None:
            rsi = 100 - 100 / (1 + gain / loss) if loss else 100
            entry = closes[number] if number > 20 and rsi < 38 else None
        elif candles[number].high >= Decimal(entry) * Decimal("1.01"):
            exits["profit"], entry = exits["profit"] + 1, None
        elif candles[number].low <= Decimal(entry) * Decimal("0.99"):
            exits["loss"], entry = exits["loss"] + 1, None
    assert sum(exits.values()) / 48 > 2
    assert min(exits.values()) > 10


def test_volatility_is_configurable() -> None:
    def movement(source: GeneratedCandles) -> float:
        closes = [float(candle.close) for candle in day(source)]
        return sum(abs(log(b / a)) for a, b in itertools.pairwise(closes))

    calm = market(noise_bps=2, swing_bps=20, swing_minutes=30)
    assert movement(calm) * 5 < movement(market())
