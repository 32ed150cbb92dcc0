"""Series and market view: what can be reached, and what is shared."""

import numpy
import pytest

from local.strategies.markets import SYMBOLS, generated
from surefill.strategies import indicators
from surefill.strategies.base import Needs, Other
from surefill.strategies.composite import Composite
from surefill.strategies.market import MarketView, Series

SYMBOL = SYMBOLS[0]
CANDLES = generated(seed=7, count=600, timeframe="5m").candles[SYMBOL]


def test_a_market_ends_at_its_newest_candle() -> None:
    view = MarketView(Series(CANDLES), index=10)
    assert view.close() == CANDLES.close[10]
    assert view.close(ago=10) == CANDLES.close[0]
    for ago in (-1, 11):
        with pytest.raises(IndexError, match=f"ago must be 0 to 10, was {ago}"):
            view.close(ago)
        with pytest.raises(IndexError):
            view.rsi(3, ago=ago)
        with pytest.raises(IndexError):
            view.opened_at(ago)
    with pytest.raises(IndexError):
        view.window("close", 12)
    assert view.window("close", 3).tolist() == list(CANDLES.close[8:11])


def test_columns_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        MarketView(Series(CANDLES)).window("close", 3)[0] = 1.0


def test_times() -> None:
    view = MarketView(Series(CANDLES), index=10)
    assert (view.closed_at - view.opened_at()).total_seconds() == 300
    assert (view.opened_at() - view.opened_at(ago=2)).total_seconds() == 600


def test_a_series_is_as_long_as_asked() -> None:
    series = Series(CANDLES, length=100)
    assert (len(series), series.column("open")[0], series.opened_ms(0)) == (
        100,
        CANDLES.open[-100],
        CANDLES.opened_ms[-100],
    )
    with pytest.raises(ValueError, match="a series needs 601 candles, had 600"):
        Series(CANDLES, length=601)


def test_a_longer_download_changes_nothing() -> None:
    strategy = Composite({})
    needed = strategy.needs((SYMBOL,), SYMBOL).candles
    tail = generated(seed=7, count=600, timeframe="5m").exact_view(SYMBOL, index=599, needs=Needs(candles=needed))
    whole = MarketView(Series(CANDLES, length=needed))
    assert strategy.decide(tail, None) == strategy.decide(whole, None)


def test_all_bots_of_a_market_share_one_computation() -> None:
    calls = []

    def counted(series: Series, period: int) -> object:
        calls.append(period)
        return indicators.sma(series, period)

    series = Series(CANDLES)
    assert MarketView(series).value(counted, 5) == MarketView(series, index=599).value(counted, 5)
    assert MarketView(series).value(counted, 6) != MarketView(series).value(counted, 5)
    assert calls == [5, 6]


def test_two_indicators_of_one_name_are_two() -> None:
    def sma(series: Series, period: int) -> object:
        return series.column("close") * 0 - period

    view = MarketView(Series(CANDLES))
    assert view.sma(5) > 0
    assert view.value(sma, 5) == -5


def test_others_are_named() -> None:
    market = generated(seed=7, count=600, timeframe="5m")
    needs = Needs(candles=1, others=(Other(candles=2, symbol=SYMBOLS[1]), Other(candles=2, timeframe="1h")))
    view = market.view(SYMBOL, index=500, needs=needs)
    assert view.other_symbols == (SYMBOLS[1],)
    assert view.other(symbol=SYMBOLS[1]).closed_at == view.closed_at
    hour = view.other(timeframe="1h")
    assert 0 <= (view.closed_at - hour.closed_at).total_seconds() < 3_600
    with pytest.raises(KeyError):
        view.other(timeframe="1d")


def test_earlier_moves_a_column() -> None:
    moved = indicators.earlier(numpy.array([1.0, 2.0, 3.0]), by=2)
    assert numpy.isnan(moved[:2]).all()
    assert moved[2] == 1.0
