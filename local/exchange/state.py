"""Everything the exchange knows, in one place for its endpoints."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.exchange import errors
from local.exchange.faults import Fault, FaultKind, Faults

if TYPE_CHECKING:
    from decimal import Decimal
    from random import Random

    from local.exchange.accounts import Account, Ledger
    from local.exchange.clock import ExchangeClock
    from local.exchange.limits import RateLimits
    from local.exchange.markets import Market
    from local.exchange.matching import MatchingEngine
    from local.exchange.orders import Order
    from local.exchange.parameters import Parameters
    from local.exchange.security import KeyRing

_REQUESTS_KEPT = 10_000
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(slots=True)
class ExchangeState:
    """Accounts, markets, orders, faults and counters. `now_ms` is the moment processed up to."""

    seed: int
    clock: ExchangeClock
    random: Random
    ledger: Ledger
    markets: dict[str, Market]
    engine: MatchingEngine
    keys: KeyRing
    limits: RateLimits
    faults: Faults
    now_ms: int = 0
    endpoint_counts: Counter[str] = field(default_factory=Counter)
    order_posts: Counter[str] = field(default_factory=Counter)
    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_REQUESTS_KEPT))

    def market(self, symbol: str) -> Market:
        """The market of a symbol. Raises -1121."""
        found = self.markets.get(symbol)
        if found is None:
            raise errors.invalid_symbol()
        return found

    def new_client_id(self) -> str:
        """A client id such as Binance makes when none is sent: 22 letters and digits."""
        return "".join(self.random.choice(_LETTERS) for _ in range(22))

    def resting_share(self, order: Order, now_ms: int) -> Decimal | None:
        """Up to which share a resting order may fill at that moment; None for all of it."""

        def concerns(fault: Fault) -> bool:
            named = {
                "symbol": order.request.symbol,
                "account": order.account,
                "client_order_id": order.request.client_order_id,
            }
            return all(fault.scope.get(name, value) == value for name, value in named.items())

        fault = self.faults.standing(FaultKind.PARTIAL_FILL, concerns, now_ms=now_ms)
        return fault.options["ratio"] if fault else None

    def move_to(self, now_ms: int) -> None:
        """Let the market go on to a moment."""
        self.engine.sweep(now_ms=now_ms, share_of=self.resting_share)
        self.now_ms = now_ms


@dataclass(slots=True)
class Call:
    """One request at an endpoint. `as_of_ms` is the moment of its market data; `headers` go into the reply."""

    state: ExchangeState
    parameters: Parameters
    now_ms: int
    as_of_ms: int
    faults: dict[FaultKind, Fault]
    account: Account | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def owner(self) -> Account:
        """The account of a signed request."""
        if self.account is None:
            raise RuntimeError("a public endpoint asked for its account, expected a signed one")
        return self.account
