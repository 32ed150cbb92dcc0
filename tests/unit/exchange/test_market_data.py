"""Market data through real ccxt: markets, candles, tickers, books."""

from __future__ import annotations

import csv
import gzip
from decimal import Decimal

import ccxt
import pytest

from local.exchange.clock import ExchangeClock
from local.exchange.market.recording import read_recording
from local.exchange.settings import MarketSettings, build_exchange
from tests.unit.exchange.helpers import START_MS, admin, client, coin_exchange, new_client, recording

ROWS = (("100", "103", "99", "102"), ("102", "102.50", "98", "99"), ("99", "101", "99", "100"))


def test_load_markets_shows_an_active_spot_market_with_its_filters() -> None:
    binance = client(coin_exchange())
    market = binance.markets["COIN/USDT"]
    assert (market["spot"], market["active"], market["id"]) == (True, True, "COINUSDT")
    assert market["precision"] == {"amount": 0.001, "price": 0.01, "base": 1e-08, "quote": 1e-08}
    assert market["limits"]["cost"]["min"] == 5.0
    kinds = {entry["filterType"] for entry in market["info"]["filters"]}
    assert kinds >= {
        "PRICE_FILTER",
        "LOT_SIZE",
        "MARKET_LOT_SIZE",
        "NOTIONAL",
        "PERCENT_PRICE_BY_SIDE",
        "MAX_NUM_ORDERS",
    }


def test_default_options_of_ccxt_for_currencies_and_margins_work() -> None:
    exchange = coin_exchange()
    binance = client(exchange, load=False, options={"fetchMarkets": {"types": ["spot"]}})
    binance.load_markets()
    assert {"COIN", "USDT"} <= set(binance.currencies)


def test_time_status_and_fees() -> None:
    binance = client(coin_exchange())
    assert binance.fetch_time() == START_MS
    assert binance.fetch_status()["status"] == "ok"
    assert binance.fetch_trading_fee("COIN/USDT")["taker"] == 0.001
    assert set(binance.fetch_trading_fees()) == {"COIN/USDT"}


def test_unknown_symbol_and_interval() -> None:
    binance = client(coin_exchange())
    with pytest.raises(ccxt.BadSymbol):
        binance.public_get_klines({"symbol": "NOPE", "interval": "1m"})
    with pytest.raises(ccxt.BadRequest, match="-1120"):
        binance.public_get_klines({"symbol": "COINUSDT", "interval": "7m"})


def test_open_candle_grows_along_the_path() -> None:
    exchange = coin_exchange(*ROWS)
    binance = client(exchange)

    def last_candle() -> list[float]:
        candle: list[float] = binance.fetch_ohlcv("COIN/USDT", "1m", limit=1)[0]
        return candle

    assert last_candle() == [START_MS, 100, 100, 100, 100, 0]  # at the open time: only the open
    exchange.clock.advance(20_000)  # a rising candle falls first
    assert last_candle() == [START_MS, 100, 100, 99, 99, 20]
    exchange.clock.advance(20_000)
    assert last_candle() == [START_MS, 100, 103, 99, 103, 40]
    exchange.clock.advance(10_000)
    assert last_candle() == [START_MS, 100, 103, 99, 102.5, 50]
    exchange.clock.advance(10_000)
    assert binance.fetch_ohlcv("COIN/USDT", "1m", limit=2) == [
        [START_MS, 100, 103, 99, 102, 60],
        [START_MS + 60_000, 102, 102, 102, 102, 0],
    ]
    assert binance.fetch_ticker("COIN/USDT")["last"] == 102


def test_price_is_the_open_at_the_open_time_and_moves_with_whole_seconds() -> None:
    exchange = coin_exchange(*ROWS)
    prices = []
    for milliseconds in (0, 999, 1, 59_000):
        exchange.clock.advance(milliseconds)
        prices.append(admin(exchange, "GET", "/admin/prices")["COINUSDT"])
    assert [Decimal(price) for price in prices] == [Decimal(p) for p in ("100", "100", "99.95", "102")]


def test_larger_candles_are_aggregated_and_the_last_one_is_open() -> None:
    exchange = coin_exchange(*ROWS)
    exchange.clock.advance(3 * 60_000)
    candles = client(exchange).fetch_ohlcv("COIN/USDT", "3m", limit=2)
    assert candles[0] == [START_MS, 100, 103, 98, 100, 180]
    assert candles[1][:2] == [START_MS + 180_000, 100]
    assert client(exchange).fetch_ohlcv("COIN/USDT", "1h", limit=1)[0][2:4] == [103, 98]


def test_start_end_and_limit_of_klines() -> None:
    exchange = coin_exchange(*ROWS)
    exchange.clock.advance(3 * 60_000)
    binance = client(exchange)

    def opens(**request: int) -> list[int]:
        rows = binance.public_get_klines({"symbol": "COINUSDT", "interval": "1m", **request})
        return [(int(row[0]) - START_MS) // 60_000 for row in rows]

    assert opens(startTime=START_MS) == [0, 1, 2, 3]
    assert opens(startTime=START_MS + 1) == [1, 2, 3]
    assert opens(startTime=START_MS, limit=2) == [0, 1]
    assert opens(endTime=START_MS + 60_000, limit=2) == [0, 1]
    assert opens(startTime=START_MS + 60_000, endTime=START_MS + 119_999) == [1]
    assert opens(limit=2) == [2, 3]
    assert len(opens()) == 500
    assert len(opens(limit=5000)) == 1000


def test_kline_row_has_twelve_fields_and_closes_a_millisecond_early() -> None:
    row = client(coin_exchange(*ROWS)).public_get_klines({"symbol": "COINUSDT", "interval": "5m", "limit": 1})[0]
    assert len(row) == 12
    assert int(row[6]) == int(row[0]) + 300_000 - 1


def test_day_statistics_and_books() -> None:
    exchange = coin_exchange(*ROWS)
    exchange.clock.advance(3 * 60_000)
    binance = client(exchange)
    ticker = binance.fetch_tickers(["COIN/USDT"])["COIN/USDT"]
    assert (ticker["high"], ticker["low"], ticker["open"], ticker["last"]) == (103, 98, 100, 100)
    assert ticker["timestamp"] == exchange.clock.now_ms()
    best = binance.fetch_bids_asks(["COIN/USDT"])["COIN/USDT"]
    assert (best["bid"], best["ask"], best["bidVolume"], best["askVolume"]) == (99.99, 100.01, 10.001, 9.999)
    assert set(binance.fetch_bids_asks()) == {"COIN/USDT"} == set(binance.fetch_last_prices())
    book = binance.fetch_order_book("COIN/USDT")
    assert [level[0] for level in book["asks"]] == [100.01, 100.03, 100.05, 100.07, 100.09]
    assert len(binance.fetch_order_book("COIN/USDT", 5)["bids"]) == 5
    assert binance.public_get_avgprice({"symbol": "COINUSDT"})["mins"] == 5


def test_a_jump_moves_the_market_from_now_on_and_can_be_taken_back() -> None:
    exchange = coin_exchange(*ROWS)
    binance = client(exchange)
    exchange.clock.advance(30_000)
    before = binance.fetch_ohlcv("COIN/USDT", "1m", limit=1)[0]
    assert before[4] == 101
    admin(exchange, "POST", "/admin/prices", {"symbol": "COIN/USDT", "percent": 10})
    assert binance.fetch_ticker("COIN/USDT")["last"] == 111.1
    exchange.clock.advance(30_000)
    assert binance.fetch_ohlcv("COIN/USDT", "1m", limit=2)[0] == [START_MS, 100, 113.3, 99, 112.2, 60]
    admin(exchange, "DELETE", "/admin/prices", {"symbol": "COINUSDT"})
    assert binance.fetch_ticker("COIN/USDT")["last"] == 102
    admin(exchange, "POST", "/admin/prices", {"symbol": "COINUSDT", "price": "50", "hold": True})
    exchange.clock.advance(10 * 60_000)
    assert binance.fetch_ticker("COIN/USDT")["last"] == 50
    assert binance.fetch_ohlcv("COIN/USDT", "5m", limit=1)[0][1:5] == [50, 50, 50, 50]


@pytest.mark.parametrize("name", ["BTC-USDT-1m-2024-10.csv.gz", "XMR-BTC-5m-2018-01.csv.gz"])
def test_closed_candles_equal_the_recording(name: str) -> None:
    path = recording(name)
    base, quote, timeframe = name.split("-")[:3]
    symbol = f"{base}/{quote}"
    source = read_recording(path, allow_gaps=True)
    with gzip.open(path, "rt") as text:
        rows = [[float(value) for value in row] for row in list(csv.reader(text))[1:701]]
    end_ms = int(rows[-1][0]) + source.interval_ms
    exchange = build_exchange(markets=[MarketSettings(symbol, source=source)], clock=ExchangeClock.manual(end_ms))
    binance = client(exchange)
    candles = binance.fetch_ohlcv(symbol, timeframe, since=int(rows[0][0]), limit=700)
    assert candles == [pytest.approx(row, abs=1e-8) for row in rows]
    # Aggregation keeps the extremes and the volume.
    hours = binance.fetch_ohlcv(symbol, "1h", since=int(rows[0][0]), limit=5)
    for hour in hours:
        inside = [row for row in rows if hour[0] <= row[0] < hour[0] + 3_600_000]
        assert hour[1:5] == pytest.approx(
            [inside[0][1], max(r[2] for r in inside), min(r[3] for r in inside), inside[-1][4]], abs=1e-8
        )
        assert hour[5] == pytest.approx(sum(r[5] for r in inside), rel=1e-9)


def test_smaller_candles_than_recorded_follow_the_path() -> None:
    path = recording("ETH-BTC-5m-2018-01.csv.gz")
    source = read_recording(path)
    exchange = build_exchange(
        markets=[MarketSettings("ETH/BTC", source=source)],
        clock=ExchangeClock.manual(source.first_open_ms + 600_000),
    )
    binance = client(exchange)
    minutes = binance.fetch_ohlcv("ETH/BTC", "1m", limit=11)[:10]
    fives = binance.fetch_ohlcv("ETH/BTC", "5m", limit=3)[:2]
    assert minutes[0][1] == fives[0][1]
    assert minutes[4][4] == fives[0][4]
    assert max(row[2] for row in minutes[:5]) == fives[0][2]
    assert min(row[3] for row in minutes[:5]) == fives[0][3]
    assert sum(row[5] for row in minutes[5:]) == pytest.approx(fives[1][5], abs=1e-6)
    three = binance.fetch_ohlcv("ETH/BTC", "3m", limit=3)[0]  # reaches over two recorded candles
    inside = [row for row in minutes if three[0] <= row[0] < three[0] + 180_000]
    assert len(inside) == 3
    assert three[2] == max(row[2] for row in inside)


def test_outside_a_recording_the_market_is_closed() -> None:
    source = read_recording(recording("ETH-BTC-5m-2018-01.csv.gz"))
    exchange = build_exchange(
        markets=[MarketSettings("ETH/BTC", source=source)], clock=ExchangeClock.manual(source.end_ms - 1)
    )
    binance = client(exchange)
    last = binance.fetch_ticker("ETH/BTC")["last"]
    exchange.clock.advance(3_600_000)
    assert binance.fetch_ticker("ETH/BTC")["last"] == pytest.approx(last, rel=0.01)
    assert binance.fetch_ohlcv("ETH/BTC", "5m", limit=1)[0][0] == source.end_ms - 300_000
    with pytest.raises(ccxt.MarketClosed):
        binance.create_order("ETH/BTC", "limit", "buy", 1, 0.09)


def test_a_futures_client_is_told_what_is_missing() -> None:
    binance = client(coin_exchange(), load=False)
    with pytest.raises(ccxt.BadRequest, match="does not serve GET /fapi/v1/exchangeInfo"):
        binance.fapiPublicGetExchangeInfo()
    assert new_client().id == "binance"
