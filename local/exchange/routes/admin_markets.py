"""Admin endpoints for what happens to a market: price jumps, new filters, a thinner book, delisting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.exchange.routes.admin_fields import amount_of, market_of, read_fields
from local.exchange.rules import symbol_info

if TYPE_CHECKING:
    from decimal import Decimal

    from local.exchange.markets import Market
    from local.exchange.messages import Request
    from local.exchange.state import ExchangeState


def show_prices(state: ExchangeState, request: Request) -> dict[str, Any]:
    """GET /admin/prices: the last price by symbol."""
    del request
    return {market.symbol: market.feed.price(state.now_ms) for market in state.markets.values()}


def set_price(state: ExchangeState, request: Request) -> dict[str, Any]:
    """POST /admin/prices: jump to `price` or by `percent`; with `hold` it stands still, else it moves on."""
    fields = read_fields(request, "symbol", "price", "percent", "hold")
    market = market_of(state, fields)
    price = _wanted_price(state, market, fields)
    if price <= 0:
        raise ValueError(f"price of {market.symbol} must be above 0, was {price}")
    market.feed.jump(now_ms=state.now_ms, price=price, hold=fields.get("hold") is True)
    return _changed(state, market)


def restore_price(state: ExchangeState, request: Request) -> dict[str, Any]:
    """DELETE /admin/prices: back to the candles' own price."""
    market = market_of(state, read_fields(request, "symbol"))
    market.feed.restore(now_ms=state.now_ms)
    return _changed(state, market)


def show_markets(state: ExchangeState, request: Request) -> list[dict[str, Any]]:
    """GET /admin/markets: as exchangeInfo shows them, with the shape of their books."""
    del request
    return [_shown(market) for market in state.markets.values()]


def change_market(state: ExchangeState, request: Request) -> dict[str, Any]:
    """POST /admin/markets: new filter values in `rules`, a new `book`, a new `status` (BREAK delists)."""
    fields = read_fields(request, "symbol", "rules", "book", "status")
    market = market_of(state, fields)
    changes, book = fields.get("rules") or {}, fields.get("book") or {}
    if not isinstance(changes, dict) or not isinstance(book, dict):
        raise ValueError(f"rules and book must be JSON objects, was {changes!r} and {book!r}")
    if "status" in fields:
        changes = {**changes, "status": fields["status"]}
    rules, shape = market.rules.changed(changes), market.shape.changed(book)
    market.rules, market.shape = rules, shape
    market.forget_average()
    return _shown(market)


def _wanted_price(state: ExchangeState, market: Market, fields: dict[str, Any]) -> Decimal:
    price, percent = amount_of(fields, "price"), amount_of(fields, "percent")
    if price is not None and percent is None:
        return price
    last = market.feed.price(state.now_ms)
    if percent is None or price is not None or last is None:
        raise ValueError(f"expected a symbol that has a price, and either price or percent, was {sorted(fields)}")
    return (last * (100 + percent) / 100).quantize(market.rules.tick_size)


def _changed(state: ExchangeState, market: Market) -> dict[str, Any]:
    market.forget_average()
    state.engine.match_now(market.symbol, now_ms=state.now_ms, share_of=state.resting_share)
    return {market.symbol: market.feed.price(state.now_ms)}


def _shown(market: Market) -> dict[str, Any]:
    shape = market.shape
    book = {"spread_bps": shape.spread_bps, "level_bps": shape.level_bps, "levels": shape.levels, "depth": shape.depth}
    return {**symbol_info(market.rules), "book": book}
