"""Binance spot's public endpoints and how their answers are read.

Source: Binance spot REST documentation, "Kline/Candlestick data", "24hr ticker price change statistics",
"Exchange information", "Filters", "Check server time".
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from surefill.adapters.ccxt import reading
from surefill.adapters.ccxt.binance_account import market_id
from surefill.adapters.ccxt.profile import UnreadableError
from surefill.domain import identity
from surefill.domain.candles import Quote
from surefill.domain.money import ZERO
from surefill.domain.records import MarketRules
from surefill.domain.times import from_milliseconds


class BinancePublic:
    """The open endpoints. See `profile.PublicDialect`."""

    def ask_candles(self, exchange: Any, *, symbol: str, timeframe: str, until: int, limit: int) -> object:
        """GET /klines. endTime is compared with the open time and is inclusive, hence the millisecond."""
        span = {"endTime": until - 1, "limit": limit}
        return exchange.public_get_klines({"symbol": market_id(symbol), "interval": timeframe, **span})

    def read_candle(self, said: object) -> tuple[int, float, float, float, float, float]:
        """[1499040000000, "0.0163", "0.8", "0.0157", "0.0157", "148976.1", ...]"""
        row = reading.sequence(said, what="candle")
        try:
            return int(row[0]), float(row[1]), float(row[2]), float(row[3]), float(row[4]), float(row[5])
        except (IndexError, TypeError, ValueError) as error:
            raise UnreadableError(f"candle must start with six numbers: {error}") from None

    def ask_quotes(self, exchange: Any, *, symbols: Sequence[str]) -> object:
        """GET /ticker/24hr: unlike /ticker/bookTicker it says as of when its best bid and ask are (closeTime).

        closeTime is the end of the rolling statistics. Should it stand still on a market where nothing happens, the
        quote looks stale and is not traded on: the safe way to be wrong.
        """
        return exchange.public_get_ticker_24hr({"symbols": _listed(symbols)})

    def read_quotes(self, said: object, *, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Symbols with an empty side of the book (price 0) are left out."""
        names = {market_id(symbol): symbol for symbol in symbols}
        quotes: dict[str, Quote] = {}
        for row in reading.sequence(said, what="quotes"):
            entry = reading.mapping(row, what="quote")
            symbol = names.get(reading.name(entry, "symbol", what="quote"))
            if symbol is None:
                continue
            bid, ask = (reading.amount(entry, key, what="quote") for key in ("bidPrice", "askPrice"))
            if bid and ask:
                at = from_milliseconds(reading.whole(entry, "closeTime", what="quote"))
                quotes[symbol] = Quote(symbol=symbol, bid=bid, ask=ask, at=at)
        return quotes

    def ask_rules(self, exchange: Any, *, symbols: Sequence[str] | None) -> object:
        """GET /exchangeInfo of these symbols only; all of them is some megabytes, without their permissions."""
        named = {} if symbols is None else {"symbols": _listed(symbols)}
        return exchange.public_get_exchangeinfo({**named, "showPermissionSets": "false"})

    def read_rules(self, said: object, *, taker_fee: Decimal, now: datetime) -> Sequence[MarketRules]:
        """A symbol with incomplete rules is left out, unless all are. `taker_fee` stands in: fees are not public."""
        rows = reading.sequence(reading.mapping(said, what="exchange info").get("symbols"), what="symbols")
        rules: list[MarketRules] = []
        problem: UnreadableError | None = None
        for row in rows:
            try:
                rules.append(_rules(reading.mapping(row, what="symbol"), taker_fee=taker_fee, now=now))
            except UnreadableError as error:
                problem = error
        if problem is not None and not rules:
            raise problem
        return rules

    def ask_time(self, exchange: Any) -> object:
        """GET /time."""
        return exchange.public_get_time()

    def read_time(self, said: object) -> datetime:
        """{"serverTime": 1499827319559}"""
        return from_milliseconds(reading.whole(reading.mapping(said, what="time"), "serverTime", what="time"))


def _listed(symbols: Sequence[str]) -> str:
    return json.dumps([market_id(symbol) for symbol in symbols], separators=(",", ":"))


def _rules(row: Mapping[str, Any], *, taker_fee: Decimal, now: datetime) -> MarketRules:
    base, quote = (reading.name(row, key, what="symbol") for key in ("baseAsset", "quoteAsset"))
    symbol = f"{base}/{quote}"
    what = f"rules of {symbol}"
    filters = {
        reading.name(entry, "filterType", what=what): entry
        for entry in (reading.mapping(item, what=what) for item in reading.sequence(row.get("filters"), what=what))
    }
    lot, price = _filter(filters, "LOT_SIZE", what=what), _filter(filters, "PRICE_FILTER", what=what)
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL")
    kinds = row.get("orderTypes") or ()
    trading = row.get("status") == "TRADING" and row.get("isSpotTradingAllowed", True) is True
    # Market orders have a lot size of their own; its step is 0 where the general one holds.
    market_lot = filters.get("MARKET_LOT_SIZE", lot)
    return MarketRules(
        market_key=identity.market_key(venue="binance", symbol=symbol),
        symbol=symbol,
        base=base,
        quote=quote,
        quantity_step=max(reading.amount(item, "stepSize", what=what) for item in (lot, market_lot)),
        price_step=reading.amount(price, "tickSize", what=what),
        min_quantity=max(reading.amount(item, "minQty", what=what) for item in (lot, market_lot)),
        min_notional=ZERO if notional is None else reading.amount(notional, "minNotional", what=what),
        taker_fee=taker_fee,
        active=trading and "LIMIT" in kinds and "MARKET" in kinds,
        fetched_at=now,
    )


def _filter(filters: Mapping[str, Mapping[str, Any]], name: str, *, what: str) -> Mapping[str, Any]:
    if name not in filters:
        raise UnreadableError(f"{what} must have the filter {name}, had {', '.join(sorted(filters)) or 'none'}")
    return filters[name]
