"""The same account at the simulated exchange without sockets, at the same behind HTTP, and on paper."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from local.exchange.clock import ExchangeClock
from local.exchange.messages import Request
from local.exchange.server import serve
from local.exchange.settings import LOCAL_KEY, build_exchange
from local.exchange.transport import ExchangeAdapter
from surefill.adapters.credentials import Credentials
from surefill.adapters.memory import MemoryStore
from surefill.adapters.venues import RealVenues
from surefill.domain.kinds import Mode, OrderKind, Side
from surefill.domain.orders import Accepted, OrderRequest, VenueOrder
from surefill.domain.rows import Account
from surefill.domain.times import from_milliseconds
from surefill.settings import VenueHosts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from requests.adapters import BaseAdapter

    from local.exchange.core import Exchange
    from surefill.ports import MarketData, Store, Venue

START_MS = 1_729_999_980_000
SYMBOL = "BTC/USDT"
OPENING = Decimal(10_000)


class LocalKey:
    """The key of the simulated exchange."""

    def credentials(self, secret_name: str) -> Credentials:
        return Credentials(api_key=LOCAL_KEY.key, secret=LOCAL_KEY.secret)


@dataclass
class ExchangeTime:
    """The exchange's clock as a port."""

    clock: ExchangeClock

    def now(self) -> datetime:
        return from_milliseconds(self.clock.now_ms())


@dataclass
class World:
    """One account of 10,000 USDT, its venue, and the hand on the market."""

    mode: Mode
    exchange: Exchange
    hosts: VenueHosts
    transport: Callable[[str], BaseAdapter] | None
    store: Store = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.time = ExchangeTime(self.exchange.clock)
        self.venues = RealVenues(
            hosts={"binance": self.hosts},
            secrets=LocalKey(),
            secret_prefix="surefill/test/",
            store=self.store,
            clock=self.time,
            transport=self.transport,
        )
        self.account = Account(
            account_id=f"{self.mode}-binance-main",
            venue="binance",
            mode=self.mode,
            currency="USDT",
            paper_balance=OPENING,
        )
        self.set_price("60000")

    @property
    def venue(self) -> Venue:
        return self.venues.of_account(self.account)

    @property
    def market_data(self) -> MarketData:
        return self.venues.market_data("binance")

    def set_price(self, price: str) -> None:
        self.admin("POST", "/admin/prices", symbol="BTCUSDT", price=price, hold=True)

    def admin(self, method: str, path: str, /, **fields: Any) -> Any:
        """One admin request; a refusal is a mistake of the test."""
        answer = self.exchange.handle(Request(method, path, body=json.dumps(fields).encode()))
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def fault(self, kind: str, **options: Any) -> None:
        self.admin("POST", "/admin/faults", kind=kind, **options)

    def pass_time(self, **span: float) -> None:
        self.exchange.clock.advance(int(timedelta(**span) / timedelta(milliseconds=1)))

    def order(self, name: str = "a", **changes: Any) -> OrderRequest:
        """A limit IOC buy of 0.01 BTC well above the market."""
        fields: dict[str, Any] = {
            "client_order_id": name * 32,
            "symbol": SYMBOL,
            "side": Side.BUY,
            "kind": OrderKind.LIMIT_IOC,
            "quantity": Decimal("0.01"),
            "limit_price": Decimal(60_600),
            "signed_at": self.time.now(),
            "window_ms": 10_000,
        }
        return OrderRequest(**{**fields, **changes})

    def accepted(self, order: OrderRequest) -> VenueOrder:
        outcome = self.venue.post(order)
        assert isinstance(outcome, Accepted), outcome
        return outcome.order

    def find(self, name: str = "a") -> VenueOrder | None:
        return self.venue.find(symbol=SYMBOL, client_order_id=name * 32)

    def held(self) -> dict[str, tuple[Decimal, Decimal]]:
        return {asset: (balance.free, balance.locked) for asset, balance in self.venue.balances().items()}


def _exchange() -> Exchange:
    return build_exchange(clock=ExchangeClock.manual(START_MS))


@contextmanager
def in_process() -> Iterator[World]:
    """Real ccxt on the simulated exchange, without sockets."""
    exchange = _exchange()
    yield World(Mode.LIVE, exchange, VenueHosts(endpoint=None, hosts=("api.binance.com",)), _adapter(exchange))


@contextmanager
def over_http() -> Iterator[World]:
    """Real ccxt on the simulated exchange behind a real server."""
    exchange = _exchange()
    server = serve(exchange)
    try:
        yield World(Mode.LIVE, exchange, VenueHosts(endpoint=server.url, hosts=("127.0.0.1",)), None)
    finally:
        server.close()


@contextmanager
def on_paper(store: Store | None = None) -> Iterator[World]:
    """A paper account on the prices of the simulated exchange."""
    exchange = _exchange()
    hosts = VenueHosts(endpoint=None, hosts=("api.binance.com",))
    yield World(Mode.PAPER, exchange, hosts, _adapter(exchange), store or MemoryStore())


def _adapter(exchange: Exchange) -> Callable[[str], BaseAdapter]:
    return lambda venue: ExchangeAdapter(exchange)
