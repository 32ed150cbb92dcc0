"""General and wallet endpoints: ping, time, exchangeInfo, system status, coins, trading fees.

Source: Binance spot REST docs, "General endpoints"; Binance wallet docs, "System status", "All coins' information",
"Trade fee". The margin lists are empty, because only spot exists here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.exchange.faults import FaultKind
from local.exchange.money import text
from local.exchange.rules import symbol_info

if TYPE_CHECKING:
    from local.exchange.markets import Market
    from local.exchange.state import Call


def ping(call: Call) -> dict[str, Any]:
    """GET /api/v3/ping."""
    del call
    return {}


def server_time(call: Call) -> dict[str, Any]:
    """GET /api/v3/time."""
    return {"serverTime": call.now_ms}


def exchange_info(call: Call) -> dict[str, Any]:
    """GET /api/v3/exchangeInfo, for all symbols, one `symbol` or several `symbols`."""
    for ignored in ("permissions", "showPermissionSets", "symbolStatus"):
        call.parameters.text(ignored)
    return {
        "timezone": "UTC",
        "serverTime": call.now_ms,
        "rateLimits": call.state.limits.info(),
        "exchangeFilters": [],
        "symbols": [symbol_info(market.rules) for market in chosen_markets(call)[0]],
    }


def chosen_markets(call: Call) -> tuple[list[Market], bool]:
    """The markets of `symbol`, `symbols` or all, and whether the reply is a list. Raises -1121."""
    symbol, symbols = call.parameters.text("symbol"), call.parameters.names("symbols")
    if symbol is not None:
        return [call.state.market(symbol)], False
    if symbols is not None:
        return [call.state.market(name) for name in symbols], True
    return list(call.state.markets.values()), True


def system_status(call: Call) -> dict[str, Any]:
    """GET /sapi/v1/system/status: 0 normal, 1 maintenance."""
    if FaultKind.MAINTENANCE in call.faults:
        return {"status": 1, "msg": "system_maintenance"}
    return {"status": 0, "msg": "normal"}


def coins(call: Call) -> list[dict[str, Any]]:
    """GET /sapi/v1/capital/config/getall."""
    assets = {asset for market in call.state.markets.values() for asset in (market.rules.base, market.rules.quote)}
    assets.update(call.owner.balances)
    return [
        {
            "coin": asset,
            "name": asset,
            "depositAllEnable": True,
            "withdrawAllEnable": True,
            "free": text(call.owner.balance(asset).free),
            "locked": text(call.owner.balance(asset).locked),
            "freeze": "0",
            "withdrawing": "0",
            "ipoing": "0",
            "ipoable": "0",
            "storage": "0",
            "isLegalMoney": False,
            "trading": True,
            "networkList": [],
        }
        for asset in sorted(assets)
    ]


def trade_fees(call: Call) -> list[dict[str, Any]]:
    """GET /sapi/v1/asset/tradeFee."""
    fees = call.state.engine.fees
    return [
        {"symbol": market.symbol, "makerCommission": str(fees.maker), "takerCommission": str(fees.taker)}
        for market in chosen_markets(call)[0]
    ]


def nothing(call: Call) -> list[Any]:
    """Lists of margin pairs and assets: none."""
    del call
    return []
