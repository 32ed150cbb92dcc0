"""Market data endpoints: klines, tickers, depth, average price.

Source: Binance spot REST docs, "Market Data endpoints".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.exchange.errors import BinanceError
from local.exchange.faults import FaultKind
from local.exchange.market.candles import DAY_MS, Candle, Interval, find_interval
from local.exchange.money import ZERO, text
from local.exchange.routes.general import chosen_markets

if TYPE_CHECKING:
    from decimal import Decimal

    from local.exchange.book import Level
    from local.exchange.markets import Market
    from local.exchange.state import Call

_DEPTH_MOST = 5_000
# The number of trades in a candle is not recorded; one per this much quote looks alive.
_QUOTE_PER_TRADE = 250


def klines(call: Call) -> list[list[Any]]:
    """GET /api/v3/klines: oldest first, the last candle is the one still open. Raises -1120, -1121."""
    parameters = call.parameters
    market = call.state.market(parameters.required("symbol"))
    interval = find_interval(parameters.required("interval"))
    if interval is None:
        raise BinanceError(-1120, "Invalid interval.")
    start_ms, end_ms = parameters.integer("startTime"), parameters.integer("endTime")
    limit = parameters.limit(default=500, most=1000)
    parameters.text("timeZone")
    if FaultKind.NO_DATA in call.faults:
        return []
    candles = market.feed.klines(interval=interval, now_ms=call.as_of_ms, start_ms=start_ms, end_ms=end_ms, limit=limit)
    return [_kline(candle, interval) for candle in candles]


def ticker_24hr(call: Call) -> Any:
    """GET /api/v3/ticker/24hr."""
    call.parameters.text("type")
    return _for_markets(call, _day_statistics)


def ticker_price(call: Call) -> Any:
    """GET /api/v3/ticker/price."""
    return _for_markets(
        call, lambda market, at: {"symbol": market.symbol, "price": text(market.feed.price(at) or ZERO)}
    )


def book_ticker(call: Call) -> Any:
    """GET /api/v3/ticker/bookTicker."""
    return _for_markets(call, lambda market, at: {"symbol": market.symbol, **_best(market, at)})


def depth(call: Call) -> dict[str, Any]:
    """GET /api/v3/depth."""
    market = call.state.market(call.parameters.required("symbol"))
    limit = call.parameters.limit(default=100, most=_DEPTH_MOST)
    return {
        "lastUpdateId": call.as_of_ms // 1_000,
        "bids": _levels(market, call.as_of_ms, asks=False, limit=limit),
        "asks": _levels(market, call.as_of_ms, asks=True, limit=limit),
    }


def average_price(call: Call) -> dict[str, Any]:
    """GET /api/v3/avgPrice."""
    market = call.state.market(call.parameters.required("symbol"))
    return {
        "mins": market.rules.average_price_minutes,
        "price": text(market.average_price(call.as_of_ms) or ZERO),
        "closeTime": call.as_of_ms,
    }


def _for_markets(call: Call, show: Any) -> Any:
    markets, many = chosen_markets(call)
    shown = [show(market, call.as_of_ms) for market in markets]
    return shown if many else shown[0]


def _kline(candle: Candle, interval: Interval) -> list[Any]:
    return [
        candle.open_ms,
        text(candle.open),
        text(candle.high),
        text(candle.low),
        text(candle.close),
        text(candle.volume),
        interval.next(candle.open_ms) - 1,
        text(candle.quote_volume),
        _trades(candle),
        text(candle.volume / 2),
        text(candle.quote_volume / 2),
        "0",
    ]


def _trades(candle: Candle) -> int:
    return int(candle.quote_volume // _QUOTE_PER_TRADE) + 1 if candle.volume else 0


def _day_statistics(market: Market, now_ms: int) -> dict[str, Any]:
    start_ms = now_ms - DAY_MS
    day = market.feed.window(start_ms=start_ms, now_ms=now_ms)
    last = market.feed.price(now_ms) or ZERO
    if day is None:
        day = Candle(start_ms, last, last, last, last, ZERO, ZERO)
    change = last - day.open
    return {
        "symbol": market.symbol,
        "priceChange": text(change),
        "priceChangePercent": f"{_share(change * 100, day.open):.3f}",
        "weightedAvgPrice": text(_share(day.quote_volume, day.volume)),
        "prevClosePrice": text(day.open),
        "lastPrice": text(last),
        "lastQty": text(market.rules.step_size),
        **_best(market, now_ms),
        "openPrice": text(day.open),
        "highPrice": text(day.high),
        "lowPrice": text(day.low),
        "volume": text(day.volume),
        "quoteVolume": text(day.quote_volume),
        "openTime": start_ms,
        "closeTime": now_ms,
        "firstId": 0,
        "lastId": _trades(day),
        "count": _trades(day),
    }


def _share(part: Decimal, whole: Decimal) -> Decimal:
    return part / whole if whole else ZERO


def _best(market: Market, now_ms: int) -> dict[str, str]:
    bid, ask = (next(market.side(now_ms=now_ms, asks=asks), None) for asks in (False, True))
    return {
        "bidPrice": _price(bid),
        "bidQty": text(bid.quantity if bid else ZERO),
        "askPrice": _price(ask),
        "askQty": text(ask.quantity if ask else ZERO),
    }


def _price(level: Level | None) -> str:
    return text(level.price if level else ZERO)


def _levels(market: Market, now_ms: int, *, asks: bool, limit: int) -> list[list[str]]:
    found: list[list[str]] = []
    for level in market.side(now_ms=now_ms, asks=asks):
        if len(found) == limit:
            break
        found.append([text(level.price), text(level.quantity)])
    return found
