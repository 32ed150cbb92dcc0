"""How to make an exchange: its markets, accounts, keys, clock and seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from local.exchange.accounts import Ledger
from local.exchange.book import BookShape, default_shape
from local.exchange.clock import ExchangeClock
from local.exchange.core import Exchange
from local.exchange.faults import Faults
from local.exchange.fees import FeeRates
from local.exchange.limits import LimitSettings, RateLimits
from local.exchange.market.feed import PriceFeed
from local.exchange.market.generator import GeneratedCandles, Liveliness
from local.exchange.markets import Market
from local.exchange.matching import MatchingEngine
from local.exchange.rules import MarketRules, rules_for
from local.exchange.security import ApiKey, KeyRing
from local.exchange.state import ExchangeState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.exchange.market.source import CandleSource

# Not a secret: it only opens the exchange on this machine.
LOCAL_KEY = ApiKey(key="local-key", secret="local-secret")  # noqa: S106
DEFAULT_PRICES = {"BTC/USDT": Decimal(60_000), "ETH/USDT": Decimal(2_500), "SOL/USDT": Decimal(150)}


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """One market: generated around `start_price` (quote per base), or taken from `source`."""

    symbol: str
    start_price: Decimal | None = None
    source: CandleSource | None = None
    rules: MarketRules | None = None
    shape: BookShape | None = None
    liveliness: Liveliness | None = None

    def __post_init__(self) -> None:
        base, slash, quote = self.symbol.partition("/")
        if not slash or not base.isalnum() or not quote.isalnum():
            raise ValueError(f"symbol must be base/quote such as BTC/USDT, was {self.symbol!r}")
        if self.start_price is None and self.source is None:
            raise ValueError(f"market {self.symbol} needs a start price or a source of candles, had neither")


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One account with what it owns at the start, by asset."""

    name: str = "main"
    balances: Mapping[str, Decimal] = field(default_factory=lambda: {"USDT": Decimal(10_000)})
    fees_in_bnb: bool = False


def build_exchange(
    *,
    markets: Sequence[MarketSettings] | None = None,
    accounts: Sequence[AccountSettings] = (AccountSettings(),),
    api_keys: Sequence[ApiKey] = (LOCAL_KEY,),
    clock: ExchangeClock | None = None,
    seed: int = 1,
    fees: FeeRates | None = None,
    limits: LimitSettings | None = None,
) -> Exchange:
    """A new exchange. Without arguments: BTC, ETH and SOL against USDT, one account with 10,000 USDT, wall clock."""
    if markets is None:
        markets = [MarketSettings(symbol, start_price=price) for symbol, price in DEFAULT_PRICES.items()]
    ledger = Ledger()
    for wanted in accounts:
        account = ledger.open_account(wanted.name, fees_in_bnb=wanted.fees_in_bnb)
        for asset, amount in wanted.balances.items():
            ledger.deposit(account, asset, amount)
    for key in api_keys:
        if key.account not in ledger.accounts:
            names = ", ".join(ledger.accounts)
            raise ValueError(f"API key {key.key} belongs to account {key.account!r}, expected one of {names}")
    built = [_market(wanted, seed) for wanted in markets]
    by_symbol = {market.symbol: market for market in built}
    if len(by_symbol) != len(built):
        raise ValueError(f"each symbol may be there once, was {[market.symbol for market in built]}")
    random = Random(seed)  # noqa: S311 - reproducible on purpose
    return Exchange(
        ExchangeState(
            seed=seed,
            clock=clock or ExchangeClock.wall(),
            random=random,
            ledger=ledger,
            markets=by_symbol,
            engine=MatchingEngine(ledger=ledger, markets=by_symbol, fees=fees or FeeRates()),
            keys=KeyRing(tuple(api_keys)),
            limits=RateLimits(limits or LimitSettings()),
            faults=Faults(random=random),
        )
    )


def _market(wanted: MarketSettings, seed: int) -> Market:
    base, _, quote = wanted.symbol.partition("/")
    price = wanted.start_price or _first_price(wanted)
    step = wanted.source.price_step if wanted.source else None
    rules = wanted.rules or rules_for(base=base, quote=quote, price=price, price_step=step)
    source = wanted.source or GeneratedCandles(
        seed=seed,
        symbol=base + quote,
        start_price=price,
        price_step=rules.tick_size,
        liveliness=wanted.liveliness,
    )
    return Market(rules=rules, feed=PriceFeed(source=source), shape=wanted.shape or default_shape(quote))


def _first_price(wanted: MarketSettings) -> Decimal:
    source = wanted.source
    first = None if source is None or source.first_open_ms is None else source.candle(source.first_open_ms)
    if first is None:
        raise ValueError(f"market {wanted.symbol} has no first candle, expected a start price then")
    return first.open
