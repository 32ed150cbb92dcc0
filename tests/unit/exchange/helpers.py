"""Building exchanges with known prices, and real ccxt clients on them."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from local.exchange.book import BookShape
from local.exchange.clock import ExchangeClock
from local.exchange.market.candles import MINUTE_MS, Candle
from local.exchange.messages import Request, read_json
from local.exchange.rules import MarketRules, rules_for
from local.exchange.security import ApiKey
from local.exchange.settings import LOCAL_KEY, AccountSettings, MarketSettings, build_exchange
from local.exchange.transport import ExchangeAdapter

if TYPE_CHECKING:
    from local.exchange.core import Exchange

# A whole minute: 2024-10-27 03:33:00 UTC.
START_MS = 1_729_999_980_000
SHARED = Path(os.environ.get("SUREFILL_SHARED", Path(__file__).resolve().parents[4] / "shared"))
RECORDINGS = SHARED / "data" / "candles"
SECOND_KEY = ApiKey(key="second-key", secret="second-secret", account="second")


def recording(name: str) -> Path:
    """A recorded file, or skip with the reason."""
    path = RECORDINGS / name
    if not path.exists():
        pytest.skip(f"no recorded candles at {path}; set SUREFILL_SHARED to the folder that has data/candles")
    return path


class ListedCandles:
    """Candles written down in a test: (open, high, low, close) per minute from START_MS; flat before and after."""

    interval_ms = MINUTE_MS
    price_step = Decimal("0.01")
    first_open_ms = None
    end_ms = None

    def __init__(self, *rows: tuple[str, str, str, str], flat: str = "100") -> None:
        self._rows = [tuple(Decimal(price) for price in row) for row in rows]
        self._flat = Decimal(flat)

    def candle(self, open_ms: int) -> Candle:
        number = (open_ms - START_MS) // MINUTE_MS
        if 0 <= number < len(self._rows):
            opened, high, low, closed = self._rows[number]
        else:
            last = self._rows[-1][3] if self._rows and number >= 0 else self._flat
            opened = high = low = closed = last
        return Candle(open_ms, opened, high, low, closed, Decimal(60), 60 * opened)


def coin_rules(**changes: Any) -> MarketRules:
    """Rules of COIN/USDT at a price of about 100: tick 0.01, step 0.001, minimum notional 5."""
    rules = rules_for(base="COIN", quote="USDT", price=Decimal(100))
    return rules.changed({"step_size": "0.001", "min_quantity": "0.001", **changes})


def coin_exchange(
    *rows: tuple[str, str, str, str],
    rules: MarketRules | None = None,
    shape: BookShape | None = None,
    balances: dict[str, str] | None = None,
    fees_in_bnb: bool = False,
    more_markets: tuple[MarketSettings, ...] = (),
    seed: int = 1,
    **options: Any,
) -> Exchange:
    """One market COIN/USDT at 100: best bid 99.99, best ask 100.01, levels of 1000 USDT every 0.02, 5 deep."""
    shape = shape or BookShape(depth=Decimal(1_000), levels=5)
    owned = {asset: Decimal(amount) for asset, amount in (balances or {"USDT": "10000", "COIN": "50"}).items()}
    market = MarketSettings(
        "COIN/USDT", source=ListedCandles(*rows), rules=rules or coin_rules(), shape=shape, start_price=Decimal(100)
    )
    return build_exchange(
        markets=[market, *more_markets],
        accounts=[AccountSettings("main", owned, fees_in_bnb=fees_in_bnb), AccountSettings("second", {})],
        api_keys=[LOCAL_KEY, SECOND_KEY],
        clock=ExchangeClock.manual(START_MS),
        seed=seed,
        **options,
    )


def client(exchange: Exchange, *, key: ApiKey = LOCAL_KEY, load: bool = True, **options: Any) -> Any:
    """A real ccxt client on the exchange, without sockets; only its time comes from the exchange."""
    made = new_client(key, **options)
    made.session.mount("https://", ExchangeAdapter(exchange))
    made.milliseconds = exchange.clock.now_ms
    if load:
        made.load_markets()
    return made


def new_client(key: ApiKey = LOCAL_KEY, **options: Any) -> Any:
    """An unmodified ccxt client for spot."""
    return ccxt.binance(
        {
            "apiKey": key.key,
            "secret": key.secret,
            "enableRateLimit": False,
            "timeout": 10_000,
            "options": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, "fetchMargins": False},
            **options,
        }
    )


def admin(exchange: Exchange, method: str, path: str, content: Any = None) -> Any:
    """An admin request that must succeed; the parsed reply."""
    response = admin_response(exchange, method, path, content)
    assert response[0] == 200, response
    return response[1]


def admin_response(exchange: Exchange, method: str, path: str, content: Any = None) -> tuple[int, Any]:
    """Status and parsed reply of an admin request."""
    import json

    body = b"" if content is None else json.dumps(content, default=str).encode()
    path, _, query = path.partition("?")
    response = exchange.handle(Request(method, path, query=query, body=body))
    return response.status, read_json(response.body)


def fault(exchange: Exchange, kind: str, **options: Any) -> None:
    """Switch a fault on."""
    admin(exchange, "POST", "/admin/faults", {"kind": kind, **options})


def jump(exchange: Exchange, price: str, *, hold: bool = True) -> None:
    """Set the price of COIN/USDT."""
    admin(exchange, "POST", "/admin/prices", {"symbol": "COINUSDT", "price": price, "hold": hold})
