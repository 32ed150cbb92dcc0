"""Live candles, with a stand-in for the real exchange's client."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from local.exchange.clock import ExchangeClock
from local.exchange.market.live import LiveCandles, LiveMarketUnavailableError, connect_live
from local.exchange.settings import MarketSettings, build_exchange
from tests.unit.exchange.helpers import START_MS, client


class PublicClient:
    """Has a candle for every finished or running minute up to `now_ms`; can be cut off."""

    def __init__(self, clock: ExchangeClock) -> None:
        self.clock = clock
        self.calls = 0
        self.online = True

    def fetch_ohlcv(self, symbol: str, timeframe: str, since: int | None, limit: int | None) -> list[list[Any]]:
        assert (symbol, timeframe) == ("COIN/USDT", "1m")
        assert since is not None
        assert limit is not None
        if not self.online:
            raise OSError("network is unreachable")
        self.calls += 1
        opens = range(since, self.clock.now_ms() + 1, 60_000)
        return [[at, 100.0, 101.5, 99.0, 100.5, 7.25] for at in opens][:limit]


def test_live_candles_come_late_but_finished() -> None:
    clock = ExchangeClock.manual(START_MS)
    public = PublicClient(clock)
    source = LiveCandles(client=public, symbol="COIN/USDT", first_open_ms=START_MS, now_ms=clock.now_ms)
    exchange = build_exchange(markets=[MarketSettings("COIN/USDT", source=source)], clock=clock)
    binance = client(exchange)
    assert binance.fetch_ticker("COIN/USDT")["last"] == 100
    clock.advance(40_000)
    assert binance.fetch_ticker("COIN/USDT")["last"] == 101.5
    clock.advance(20_000)
    assert binance.fetch_ohlcv("COIN/USDT", "1m", limit=5)[0] == [START_MS, 100, 101.5, 99, 100.5, 7.25]
    assert public.calls <= 3
    order = binance.create_order("COIN/USDT", "market", "buy", 1)
    assert order["status"] == "closed"


def test_without_a_network_there_is_no_live_market() -> None:
    clock = ExchangeClock.manual(START_MS)
    public = PublicClient(clock)
    public.online = False
    with pytest.raises(
        LiveMarketUnavailableError, match=r"live candles of COIN/USDT can't be fetched .*use a generated"
    ):
        LiveCandles(client=public, symbol="COIN/USDT", first_open_ms=START_MS, now_ms=clock.now_ms)
    with pytest.raises(LiveMarketUnavailableError, match="does not know the exchange 'nowhere'"):
        connect_live(venue="nowhere", symbol="COIN/USDT", first_open_ms=START_MS, now_ms=clock.now_ms)
    with pytest.raises(ValueError, match="whole minutes"):
        LiveCandles(client=public, symbol="X", first_open_ms=0, now_ms=clock.now_ms, lag_ms=1)


def test_a_network_that_goes_away_is_an_internal_error_not_a_price() -> None:
    import ccxt

    clock = ExchangeClock.manual(START_MS)
    public = PublicClient(clock)
    source = LiveCandles(client=public, symbol="COIN/USDT", first_open_ms=START_MS, now_ms=clock.now_ms)
    exchange = build_exchange(
        markets=[MarketSettings("COIN/USDT", source=source, start_price=Decimal(100))], clock=clock
    )
    binance = client(exchange)
    public.online = False
    clock.advance(600_000)
    with pytest.raises(ccxt.OperationFailed, match="-1001"):
        binance.fetch_ticker("COIN/USDT")
