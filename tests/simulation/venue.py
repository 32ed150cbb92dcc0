"""The way from a process to the simulated exchange: real ccxt, real adapters, no sockets, every request a boundary.

Building a ccxt exchange takes milliseconds, so the adapters are kept by the worker and handed from process to process,
as an environment would keep them; what they remember of accounts is forgotten in between.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3.exceptions import ProtocolError

from local.exchange.market.candles import MINUTE_MS, Candle
from local.exchange.messages import Request
from local.exchange.settings import LOCAL_KEY, AccountSettings, MarketSettings, build_exchange
from local.exchange.transport import ExchangeAdapter
from surefill.adapters.credentials import Credentials
from surefill.adapters.venues import RealVenues
from surefill.settings import VenueHosts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.exchange.clock import ExchangeClock
    from local.exchange.core import Exchange
    from tests.simulation.boundary import Process
    from tests.simulation.store import FaultyStore

PRICES = {"BTC/USDT": Decimal(60_000), "ETH/USDT": Decimal(2_500)}
_CENT = Decimal("0.01")


@dataclass(slots=True)
class WavyCandles:
    """Five-minute candles as a plain function of time: cheap to make, a short past, endless future."""

    name: str
    start_price: Decimal
    first_open_ms: int | None
    interval_ms: int = 5 * MINUTE_MS
    price_step: Decimal = _CENT
    end_ms: int | None = None
    _made: dict[int, Candle] = field(default_factory=dict)

    def candle(self, open_ms: int) -> Candle | None:
        """The candle of those minutes."""
        known = self._made.get(open_ms)
        if known is not None or (self.first_open_ms is not None and open_ms < self.first_open_ms):
            return known
        opened, closed = self._price(open_ms), self._price(open_ms + self.interval_ms)
        reach = (opened / 2_000).quantize(_CENT)
        high, low = max(opened, closed) + reach, min(opened, closed) - reach
        volume = Decimal(5)
        quote_volume = (volume * (high + low) / 2).quantize(_CENT)
        made = self._made[open_ms] = Candle(open_ms, opened, high, low, closed, volume, quote_volume)
        return made

    def _price(self, at_ms: int) -> Decimal:
        minute = at_ms // MINUTE_MS
        noise = int.from_bytes(blake2b(f"{self.name}{minute}".encode(), digest_size=2).digest(), "big") / 65_536 - 0.5
        move = 0.012 * math.sin(minute / 11) + 0.004 * noise
        return (self.start_price * (1 + Decimal(round(move * 1_000_000)) / 1_000_000)).quantize(_CENT)


def make_exchange(*, seed: int, clock: ExchangeClock, balances: Mapping[str, Decimal], fees_in_bnb: bool) -> Exchange:
    """Two markets (and BNB, for fees) and one account."""
    first = (clock.now_ms() // (5 * MINUTE_MS) - 1) * 5 * MINUTE_MS
    prices = {**PRICES, "BNB/USDT": Decimal(600)} if fees_in_bnb else PRICES
    return build_exchange(
        markets=[
            MarketSettings(symbol, source=WavyCandles(f"{seed}{symbol}", price, first))
            for symbol, price in prices.items()
        ],
        accounts=[AccountSettings("main", balances=balances, fees_in_bnb=fees_in_bnb)],
        clock=clock,
        seed=seed,
    )


def admin(exchange: Exchange, method: str, path: str, /, **fields: Any) -> Any:
    """An admin request; None when the exchange refuses it (a person may ask for the impossible)."""
    answer = exchange.handle(Request(method, path, body=json.dumps(fields, default=str).encode()))
    return json.loads(answer.body) if answer.status == 200 else None


@dataclass(slots=True)
class Wire:
    """What left for the venue during a run: posts by client id, with the time they were signed with."""

    exchange: Exchange
    latency: Callable[[], float]
    posted: Callable[..., None]
    posts: dict[str, list[int]] = field(default_factory=dict)


class Line(BaseAdapter):
    """Every request of a kit, as a side effect of the process that holds it."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Take some time on the way, then let the exchange answer."""
        process, wire = self._kit.process, self._kit.wire
        assert process is not None and wire is not None
        address = urlsplit(request.url or "")
        posted = _fields(request, address.query) if request.method == "POST" else {}
        client_id = posted.get("newClientOrderId", "")
        inner = ExchangeAdapter(wire.exchange, sleep=self._sleep)

        def send() -> requests.Response:
            if request.method == "POST":
                wire.posts.setdefault(client_id, []).append(int(posted["timestamp"]))
                wire.posted(client_id, by_process_since_ms=process.started_ms)
            self._sleep(wire.latency())
            return inner.send(request, *args, **kwargs)

        what = f"venue.{request.method} {address.path}"
        return process.effect(what, client_id, send, lost=lambda: _reset(request))

    def close(self) -> None:
        """Nothing is held open."""

    def _sleep(self, seconds: float) -> None:
        """Others run meanwhile when this process can be paused; otherwise time just passes."""
        process = self._kit.process
        assert process is not None
        until = process.kernel.now_ms + round(seconds * 1_000)
        if process.kernel.current is not None and seconds > 0.5:
            process.kernel.pause(seconds)
        if process.kernel.now_ms < until:
            process.kernel.clock.set(until)
        process.require_time()


def _fields(request: requests.PreparedRequest, query: str) -> dict[str, str]:
    body = request.body or b""
    text = f"{query}&{body.decode() if isinstance(body, bytes) else body}"
    return {name: values[0] for name, values in parse_qs(text).items()}


def _reset(request: requests.PreparedRequest) -> Exception:
    closed = ConnectionResetError("Remote end closed connection without response")
    return requests.exceptions.ConnectionError(ProtocolError("Connection aborted.", closed), request=request)


class _WarmVenues(RealVenues):
    """Keeps its connections when it is lent on, and nothing it remembers of paper accounts."""

    def forget(self) -> None:
        """As in a new environment."""
        self._paper.clear()


class Kit:
    """The product's venue adapters, lent to one process at a time; it is their store, clock, secrets and network."""

    def __init__(self) -> None:
        self.process: Process | None = None
        self.store: FaultyStore | None = None
        self.wire: Wire | None = None
        self.venues = _WarmVenues(
            hosts={"binance": VenueHosts(endpoint=None, hosts=("api.binance.com",))},
            secrets=self,
            secret_prefix="surefill/sim/",
            store=_Lent(self, "store"),
            clock=_Lent(self, "process"),
            transport=lambda _: Line(self),
        )

    def credentials(self, secret_name: str) -> Credentials:
        """The one key there is."""
        return Credentials(api_key=LOCAL_KEY.key, secret=LOCAL_KEY.secret)


class _Lent:
    """Stands for whatever the kit is lent to at the moment."""

    def __init__(self, kit: Kit, name: str) -> None:
        self._kit = kit
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(self._kit, self._name), name)


_idle: list[Kit] = []


def lend() -> Kit:
    """A kit nobody holds."""
    return _idle.pop() if _idle else Kit()


def give_back(kit: Kit) -> None:
    """The kit may be lent again."""
    kit.process = kit.store = kit.wire = None
    kit.venues.forget()
    _idle.append(kit)
