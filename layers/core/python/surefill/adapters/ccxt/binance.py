"""Binance spot as data: order forms, the complete list of definite refusals, and where its hosts are.

Sources: Binance spot REST documentation ("Error codes", "New order", "Timing security", "Account trade list").
A code that is not listed here proves nothing about a posted order. 5xx, 418, 429 and -1003, -1006, -1007, -1008,
-1015 are missing on purpose: the venue says itself that the execution status is unknown, or does not say.
"""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from surefill.adapters.ccxt.binance_account import BinanceAccount
from surefill.adapters.ccxt.binance_public import BinancePublic
from surefill.adapters.ccxt.profile import CodeRule, OrderForm, VenueProfile
from surefill.domain.kinds import OrderKind
from surefill.domain.reasons import Reason

_MATCHING_ENGINE = ("-2010", "-1010")
_CREDENTIALS = ("-1002", "-1022", "-2008", "-2014", "-2015")
# A parameter that is missing, too many, empty, out of range, or does not go with another one.
_MALFORMED = tuple(
    f"-{code}"
    for code in (1014, 1100, 1101, 1102, 1103, 1104, 1105, 1106, 1108, 1114, 1115, 1116, 1117, 1118, 1128, 1130)
)


def _rules(codes: Iterable[str], reason: Reason, *messages: str) -> tuple[CodeRule, ...]:
    return tuple(CodeRule(code=code, reason=reason, message=text) for code in codes for text in messages or ("",))


_REFUSED_BY_ENGINE = (
    *_rules(_MATCHING_ENGINE, Reason.BALANCE_SHORT, "Account has insufficient balance for requested action."),
    *_rules(
        _MATCHING_ENGINE,
        Reason.MARKET_CLOSED,
        "Market is closed.",
        "This symbol is not permitted for this account.",
        "This symbol is restricted for this account.",
    ),
    *_rules(
        _MATCHING_ENGINE,
        Reason.ACCOUNT_BLOCKED,
        "This action is disabled on this account.",
        "This account may not place or cancel orders.",
        "Rest API trading is not enabled.",
    ),
    *_rules(
        _MATCHING_ENGINE,
        Reason.REJECTED,
        "Market orders are not supported for this symbol.",
        "Price * QTY is zero or less.",
        "Unsupported order combination",
        "Order would trigger immediately.",
        "Order would immediately match and take.",
        "Order book liquidity is less than",
    ),
)
# -1013: "The request is rejected by the API (i.e. the request didn't reach the Matching Engine)", whatever the text.
_REFUSED_BY_FILTERS = (
    *_rules(("-1013",), Reason.MARKET_CLOSED, "Market is closed."),
    *_rules(("-1013",), Reason.BELOW_MINIMUM, "Filter failure: NOTIONAL", "Filter failure: MIN_NOTIONAL"),
    *_rules(
        ("-1013",),
        Reason.MARKET_STALE,
        "Filter failure: LOT_SIZE",
        "Filter failure: MARKET_LOT_SIZE",
        "Filter failure: PRICE_FILTER",
    ),
    *_rules(("-1013",), Reason.REJECTED),
)
_REFUSED_BEFORE = (
    *_rules(_CREDENTIALS, Reason.CREDENTIALS_REJECTED),
    # Outside the receive window: definite for this request, checked again right before the matching engine.
    *_rules(("-1021", "-1131"), Reason.REJECTED),
    *_rules(("-1111",), Reason.MARKET_STALE),
    *_rules(("-1121",), Reason.MARKET_UNKNOWN),
    *_rules(_MALFORMED, Reason.REJECTED),
)

BINANCE = VenueProfile(
    name="binance",
    ccxt_class="binance",
    origin="https://api.binance.com",
    api={"public": "/api/v3", "private": "/api/v3"},
    options={"defaultType": "spot", "fetchCurrencies": False, "fetchMargins": False, "recvWindow": 60_000},
    market_info={"orderTypes": ["LIMIT", "MARKET"]},
    forms={
        OrderKind.LIMIT_IOC: OrderForm(type="limit", priced=True, params={"timeInForce": "IOC"}),
        OrderKind.LIMIT: OrderForm(type="limit", priced=True, params={"timeInForce": "GTC"}),
        OrderKind.MARKET: OrderForm(type="market", priced=False, params={}),
    },
    client_order_id_param="newClientOrderId",
    window_param="recvWindow",
    max_window_ms=60_000,
    decimals=8,
    page=1_000,
    # More names would make the address too long, and cost 80 instead of 40 units of the address' request weight.
    named=100,
    history_window=timedelta(hours=24),
    taker_fee=Decimal("0.001"),
    rejects=(*_REFUSED_BY_ENGINE, *_REFUSED_BY_FILTERS, *_REFUSED_BEFORE),
    duplicates=_rules(_MATCHING_ENGINE, Reason.ACCEPTED, "Duplicate order sent."),
    not_found=frozenset({"-2013"}),
    nothing_to_cancel=frozenset({"-2011", "-2013"}),
    unknown_symbol=frozenset({"-1121"}),
    look_failures=(
        *_rules(_CREDENTIALS, Reason.CREDENTIALS_REJECTED),
        *_rules(("-1003",), Reason.RATE_LIMITED),
        *_rules(("-1016",), Reason.MAINTENANCE),
        *_rules(("-1121", "-1120", "-2013", "-2026"), Reason.NO_DATA),
    ),
    dialect=BinanceAccount(),
    public=BinancePublic(),
)
