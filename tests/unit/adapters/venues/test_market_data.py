"""Public data: candles never from the future, quotes with the venue's time, rules in exact steps."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from surefill.domain.candles import Quote
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.times import from_milliseconds, to_milliseconds
from tests.unit.adapters.venues.helpers import NOW, Reply, Scripted, Seen, error, market_data, said

MINUTE = 60_000
END = to_milliseconds(NOW)
UNKNOWN_SYMBOL = error(-1121, "Invalid symbol.")


def candle(open_ms: int) -> list[Any]:
    return [open_ms, "100.1", "101.5", "99.5", "100.9", "12.5", open_ms + MINUTE - 1, "1250.0", 7, "6", "600", "0"]


def klines(seen: Seen) -> Reply:
    """Endless one-minute candles, the newest opened exactly at END."""
    newest = min(int(seen.parameters["endTime"]), END) // MINUTE * MINUTE
    limit = int(seen.parameters["limit"])
    return said([candle(newest - MINUTE * back) for back in reversed(range(limit))])


def rows(answer: Any, *, limit: int = 5) -> Any:
    return market_data(Scripted(answer)).candle_rows(symbol="BTC/USDT", timeframe="1m", until=NOW, limit=limit)


def test_candles_were_opened_before_until_oldest_first() -> None:
    got = rows(klines)
    assert [row[0] for row in got] == [END - MINUTE * back for back in (5, 4, 3, 2, 1)]
    assert list(got[0][1:]) == [100.1, 101.5, 99.5, 100.9, 12.5]


def test_a_candle_of_the_future_is_left_out_even_if_the_venue_sends_it() -> None:
    assert [row[0] for row in rows(lambda seen: said([candle(END - MINUTE), candle(END)]), limit=2)] == [END - MINUTE]


def test_more_candles_than_fit_one_answer_are_joined_without_gap() -> None:
    got = rows(klines, limit=2_500)
    assert len(got) == 2_500
    assert [row[0] for row in got] == [END - MINUTE * back for back in range(2_500, 0, -1)]


def test_a_young_market_has_fewer_candles() -> None:
    assert len(rows(lambda seen: said([candle(END - MINUTE)]), limit=500)) == 1
    assert rows(lambda seen: said([]), limit=500) == []


@pytest.mark.parametrize("reply", [Reply(body="<html>"), Reply(body="{}"), said([[1]]), said(["x"]), UNKNOWN_SYMBOL])
def test_unreadable_candles_are_an_error(reply: Reply) -> None:
    with pytest.raises(VenueError):
        rows(lambda seen: reply)


def ticker(symbol: str, *, bid: str = "65000.10", ask: str = "65000.20", at: int = END - 250) -> dict[str, Any]:
    return {"symbol": symbol, "bidPrice": bid, "askPrice": ask, "closeTime": at, "lastPrice": "1"}


def test_quotes_carry_the_time_of_the_venue() -> None:
    wire = Scripted(lambda seen: said([ticker("BTCUSDT"), ticker("ETHUSDT", bid="0.00000000")]))
    assert market_data(wire).quotes(["BTC/USDT", "ETH/USDT"]) == {
        "BTC/USDT": Quote(
            symbol="BTC/USDT",
            bid=Decimal("65000.10"),
            ask=Decimal("65000.20"),
            at=from_milliseconds(END - 250),
        )
    }
    assert len(wire.requests) == 1


@pytest.mark.parametrize("changes", [{"closeTime": None}, {"closeTime": "1"}, {"bidPrice": 1.5}, {"askPrice": "NaN"}])
def test_a_quote_without_time_or_exact_price_is_an_error(changes: dict[str, Any]) -> None:
    with pytest.raises(VenueError):
        market_data(Scripted(lambda seen: said([{**ticker("BTCUSDT"), **changes}]))).quotes(["BTC/USDT"])


def knowing(*known: str) -> Any:
    """A venue that refuses a whole request for one unknown name, as Binance does."""

    def answer(seen: Seen) -> Reply:
        names = seen.parameters["symbols"].strip('[]"').split('","')
        return said([ticker(name) for name in names]) if set(names) <= set(known) else UNKNOWN_SYMBOL

    return answer


def test_a_delisted_symbol_does_not_blind_the_others() -> None:
    wire = Scripted(knowing("AUSDT", "BUSDT", "CUSDT", "EUSDT"))
    quotes = market_data(wire).quotes([f"{name}/USDT" for name in "ABCDE"])
    assert set(quotes) == {"A/USDT", "B/USDT", "C/USDT", "E/USDT"}
    assert market_data(wire).quotes(["X/USDT"]) == {}


def test_many_symbols_are_asked_for_by_the_hundred_and_none_not_at_all() -> None:
    wire = Scripted(lambda seen: said([]))
    data = market_data(wire)
    data.quotes([f"C{number}/USDT" for number in range(250)] + ["C1/USDT"])
    assert [len(seen.parameters["symbols"].split(",")) for seen in wire.requests] == [100, 100, 50]
    wire.requests.clear()
    assert data.quotes([]) == {}
    assert wire.requests == []


def info(symbol: str = "BTCUSDT", **changes: Any) -> dict[str, Any]:
    row = {
        "symbol": symbol,
        "status": "TRADING",
        "baseAsset": symbol.removesuffix("USDT"),
        "quoteAsset": "USDT",
        "isSpotTradingAllowed": True,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01000000"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000", "stepSize": "0.00001000"},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "100", "stepSize": "0.00000000"},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True},
        ],
    }
    return {**row, **changes}


def rules(*symbols: dict[str, Any], asked: list[str] | None = None) -> Any:
    wire = Scripted(lambda seen: said({"symbols": list(symbols)}))
    return market_data(wire).market_rules(asked, now=NOW)


def test_rules_are_the_filters_of_the_venue() -> None:
    (row,) = rules(info())
    assert (row.market_key, row.symbol, row.base, row.quote) == ("binance|BTC/USDT", "BTC/USDT", "BTC", "USDT")
    assert (row.quantity_step, row.price_step) == (Decimal("0.00001"), Decimal("0.01"))
    assert (row.min_quantity, row.min_notional) == (Decimal("0.00001"), Decimal(5))
    assert (row.taker_fee, row.active, row.fetched_at) == (Decimal("0.001"), True, NOW)


def test_a_coarser_step_for_market_orders_holds_for_all() -> None:
    filters = [
        {**entry, "stepSize": "0.001", "minQty": "0.01"} if entry["filterType"] == "MARKET_LOT_SIZE" else entry
        for entry in info()["filters"]
    ]
    (row,) = rules(info(filters=filters))
    assert (row.quantity_step, row.min_quantity) == (Decimal("0.001"), Decimal("0.01"))


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "BREAK"},
        {"status": "HALT"},
        {"isSpotTradingAllowed": False},
        {"orderTypes": ["LIMIT"]},
        {"orderTypes": []},
    ],
)
def test_a_market_that_does_not_take_our_orders_is_not_active(changes: dict[str, Any]) -> None:
    (row,) = rules(info(**changes))
    assert row.active is False


def test_one_odd_symbol_does_not_cost_the_others_but_only_odd_ones_are_an_error() -> None:
    assert [row.symbol for row in rules(info(), info("ODDUSDT", filters=[]))] == ["BTC/USDT"]
    with pytest.raises(VenueError) as caught:
        rules(info(filters=[]))
    assert caught.value.reason is Reason.VENUE_DOWN


def test_unknown_symbols_are_left_out_of_the_rules() -> None:
    def answer(seen: Seen) -> Reply:
        names = seen.parameters["symbols"].strip('[]"').split('","')
        return UNKNOWN_SYMBOL if "GONEUSDT" in names else said({"symbols": [info(name) for name in names]})

    got = market_data(Scripted(answer)).market_rules(["BTC/USDT", "GONE/USDT", "ETH/USDT"], now=NOW)
    assert [row.symbol for row in got] == ["BTC/USDT", "ETH/USDT"]


def test_the_venue_tells_its_time() -> None:
    assert market_data(Scripted(lambda seen: said({"serverTime": END}))).server_time() == NOW
    with pytest.raises(VenueError):
        market_data(Scripted(lambda seen: said({"serverTime": "soon"}))).server_time()


def test_a_venue_that_does_not_answer_is_down() -> None:
    with pytest.raises(VenueError) as caught:
        market_data(Scripted(lambda seen: ConnectionResetError("gone"))).server_time()
    assert caught.value.reason is Reason.VENUE_DOWN
    assert caught.value.retry_at is None
