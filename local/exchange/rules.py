"""Trading rules of a symbol and how exchangeInfo shows them.

Source: Binance spot REST docs, "Filters" and "Exchange information".
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from local.exchange.money import ZERO, finite, text

TRADING = "TRADING"
BREAK = "BREAK"
_STATUSES = (TRADING, BREAK, "HALT", "PRE_TRADING", "POST_TRADING", "END_OF_DAY", "AUCTION_MATCH")
ORDER_TYPES = (
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
)
# Price and quantity steps at Binance for the symbols people try first.
_KNOWN_STEPS = {
    "BTCUSDT": ("0.01", "0.00001"),
    "ETHUSDT": ("0.01", "0.0001"),
    "BNBUSDT": ("0.01", "0.001"),
    "SOLUSDT": ("0.01", "0.001"),
    "XRPUSDT": ("0.0001", "0.1"),
    "ADAUSDT": ("0.0001", "0.1"),
    "DOGEUSDT": ("0.00001", "1"),
    "LTCUSDT": ("0.01", "0.001"),
    "ETHBTC": ("0.00001", "0.0001"),
}
_MINIMUM_NOTIONAL = {"BTC": "0.0001", "ETH": "0.001", "BNB": "0.01"}


@dataclass(frozen=True, slots=True)
class MarketRules:
    """Filters of one symbol: prices and notionals in quote, quantities in base.

    A step of 0 and a highest price of 0 switch that rule off.
    """

    base: str
    quote: str
    tick_size: Decimal
    step_size: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    max_quantity: Decimal = Decimal(9_000_000)
    market_max_quantity: Decimal = Decimal(9_000_000)
    market_min_quantity: Decimal = ZERO
    market_step_size: Decimal = ZERO
    min_price: Decimal = ZERO
    max_price: Decimal = Decimal(10_000_000)
    max_notional: Decimal = Decimal(9_000_000)
    apply_min_to_market: bool = True
    apply_max_to_market: bool = False
    average_price_minutes: int = 5
    bid_multiplier_up: Decimal = Decimal(5)
    bid_multiplier_down: Decimal = Decimal("0.2")
    ask_multiplier_up: Decimal = Decimal(5)
    ask_multiplier_down: Decimal = Decimal("0.2")
    max_open_orders: int = 200
    max_stop_orders: int = 5
    status: str = TRADING

    def __post_init__(self) -> None:
        if self.status not in _STATUSES:
            raise ValueError(f"status of {self.symbol} must be one of {', '.join(_STATUSES)}, was {self.status!r}")
        for name in _AMOUNTS:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} of {self.symbol} must be at least 0, was {getattr(self, name)}")

    @property
    def symbol(self) -> str:
        """Binance's name of the symbol, base and quote in one word."""
        return self.base + self.quote

    def changed(self, changes: dict[str, Any]) -> MarketRules:
        """The same rules with some fields replaced. Raises ValueError on unknown fields and wrong values."""
        known = {field.name for field in fields(self)} - {"base", "quote"}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise ValueError(f"unknown market rules {', '.join(unknown)}, expected some of {', '.join(sorted(known))}")
        return replace(self, **{name: _typed(name, value) for name, value in changes.items()})


_AMOUNTS = tuple(field.name for field in fields(MarketRules) if field.type == "Decimal")
_WHOLE = tuple(field.name for field in fields(MarketRules) if field.type == "int")
_FLAGS = tuple(field.name for field in fields(MarketRules) if field.type == "bool")


def rules_for(*, base: str, quote: str, price: Decimal, price_step: Decimal | None = None) -> MarketRules:
    """Rules like Binance's for a symbol that costs about `price`.

    `price_step` is the finest step seen in recorded prices; the tick is never coarser than that.
    """
    minimum = Decimal(_MINIMUM_NOTIONAL.get(quote, "5"))
    known = _KNOWN_STEPS.get(base + quote)
    tick = Decimal(known[0]) if known else Decimal(1).scaleb(max(-8, min(-2, price.adjusted() - 4)))
    step = Decimal(known[1]) if known else Decimal(1).scaleb(max(-8, min(0, (minimum / price).adjusted() - 1)))
    if price_step is not None:
        tick = min(tick, price_step)
    return MarketRules(
        base=base, quote=quote, tick_size=tick, step_size=step, min_quantity=step, min_price=tick, min_notional=minimum
    )


def symbol_info(rules: MarketRules) -> dict[str, Any]:
    """One entry of exchangeInfo's `symbols`."""
    return {
        "symbol": rules.symbol,
        "status": rules.status,
        "baseAsset": rules.base,
        "baseAssetPrecision": 8,
        "quoteAsset": rules.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(ORDER_TYPES),
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(rules),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }


def _filters(rules: MarketRules) -> list[dict[str, Any]]:
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": text(rules.min_price),
            "maxPrice": text(rules.max_price),
            "tickSize": text(rules.tick_size),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": text(rules.min_quantity),
            "maxQty": text(rules.max_quantity),
            "stepSize": text(rules.step_size),
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": text(rules.market_min_quantity),
            "maxQty": text(rules.market_max_quantity),
            "stepSize": text(rules.market_step_size),
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": str(rules.bid_multiplier_up),
            "bidMultiplierDown": str(rules.bid_multiplier_down),
            "askMultiplierUp": str(rules.ask_multiplier_up),
            "askMultiplierDown": str(rules.ask_multiplier_down),
            "avgPriceMins": rules.average_price_minutes,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": text(rules.min_notional),
            "applyMinToMarket": rules.apply_min_to_market,
            "maxNotional": text(rules.max_notional),
            "applyMaxToMarket": rules.apply_max_to_market,
            "avgPriceMins": rules.average_price_minutes,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": rules.max_open_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": rules.max_stop_orders},
    ]


def _typed(name: str, value: Any) -> Any:
    if name in _AMOUNTS:
        return finite(name, value)
    wanted: type = int if name in _WHOLE else bool if name in _FLAGS else str
    if type(value) is not wanted:
        raise ValueError(f"{name} must be of type {wanted.__name__}, was {value!r}")
    return value
