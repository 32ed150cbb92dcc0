"""Intervals, and recordings with gaps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from local.exchange.clock import ExchangeClock
from local.exchange.market.candles import combine, find_interval, interval_of_length, known_intervals
from local.exchange.market.recording import read_recording
from local.exchange.settings import MarketSettings, build_exchange
from tests.unit.exchange.helpers import START_MS, client

if TYPE_CHECKING:
    from pathlib import Path


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000


@pytest.mark.parametrize(
    ("name", "moment", "opened", "following"),
    [
        ("1m", "2024-10-27T03:33:20", "2024-10-27T03:33", "2024-10-27T03:34"),
        ("15m", "2024-10-27T03:33:20", "2024-10-27T03:30", "2024-10-27T03:45"),
        ("4h", "2024-10-27T03:33:20", "2024-10-27T00:00", "2024-10-27T04:00"),
        ("1d", "2024-10-27T03:33:20", "2024-10-27", "2024-10-28"),
        ("1w", "2024-10-27T03:33:20", "2024-10-21", "2024-10-28"),  # a Sunday; weeks open on Monday
        ("1M", "2024-12-27T03:33:20", "2024-12-01", "2025-01-01"),
        ("1M", "2024-02-01T00:00:00", "2024-02-01", "2024-03-01"),
    ],
)
def test_where_candles_open(name: str, moment: str, opened: str, following: str) -> None:
    interval = find_interval(name)
    assert interval is not None
    assert interval.floor(at(moment)) == at(opened)
    assert interval.next(at(opened)) == at(following)
    assert interval.previous(at(following)) == at(opened)


def test_names_and_lengths() -> None:
    assert len(known_intervals()) == 15
    assert find_interval("7m") is None
    assert interval_of_length(300_000) == find_interval("5m")
    assert interval_of_length(1) is None
    with pytest.raises(ValueError, match="expected at least one"):
        combine(0, [])


def test_in_a_gap_the_last_price_stands_and_nothing_fills(tmp_path: Path) -> None:
    rows = [(0, "100,101,99,100.5"), (1, "100.5,101,99,100"), (7, "100,100,90,95"), (8, "95,95,95,95")]
    path = tmp_path / "gap.csv"
    lines = [f"{START_MS + minute * 60_000},{prices},5" for minute, prices in rows]
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *lines]) + "\n")
    source = read_recording(path, allow_gaps=True)
    exchange = build_exchange(
        markets=[MarketSettings("COIN/USDT", source=source)], clock=ExchangeClock.manual(START_MS + 120_000)
    )
    binance = client(exchange)
    assert binance.fetch_ticker("COIN/USDT")["last"] == 100
    assert len(binance.fetch_ohlcv("COIN/USDT", "1m", limit=10)) == 2
    order = binance.create_order("COIN/USDT", "limit", "buy", 1, 99)
    exchange.clock.set(START_MS + 419_999)
    assert binance.fetch_ticker("COIN/USDT")["last"] == 100
    assert binance.fetch_order(order["id"], "COIN/USDT")["status"] == "open"
    exchange.clock.set(START_MS + 480_000)
    assert binance.fetch_order(order["id"], "COIN/USDT")["status"] == "closed"
