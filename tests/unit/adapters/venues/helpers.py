"""A real HTTP server that answers as told, an in-process stand-in for it, and the adapters on both."""

from __future__ import annotations

import io
import json
import socket
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter

from surefill.adapters.ccxt.binance import BINANCE
from surefill.adapters.ccxt.connection import Connection
from surefill.adapters.ccxt.market_data import CcxtMarketData
from surefill.adapters.ccxt.venue import CcxtVenue
from surefill.adapters.credentials import Credentials
from surefill.domain.kinds import OrderKind, Side
from surefill.domain.orders import OrderRequest
from surefill.settings import VenueHosts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from surefill.adapters.ccxt.profile import VenueProfile

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CLIENT_ID = "0123456789abcdef0123456789abcdef"
KEY = Credentials(api_key="the-api-key-of-the-account", secret="the-secret-of-the-account")
REAL_HOSTS = VenueHosts(endpoint=None, hosts=("api.binance.com",))


@dataclass
class SetClock:
    """A clock that stands until set."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def pass_time(self, **span: float) -> None:
        self.at += timedelta(**span)


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    parameters: Mapping[str, str]
    pairs: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]


def seen(method: str, target: str, body: str, headers: Mapping[str, str]) -> Seen:
    """The request with its parameters, wherever they were."""
    parts = urlsplit(target)
    pairs = tuple(parse_qsl(parts.query) + parse_qsl(body))
    return Seen(method, parts.path, dict(pairs), pairs, {name.lower(): value for name, value in headers.items()})


@dataclass(frozen=True)
class Reply:
    """What is answered; `raw` replaces the whole HTTP message, None in it closes without a word."""

    status: int = 200
    body: str = "{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    closes: bool = False
    hangs: bool = False


def said(content: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON answer."""
    return Reply(status=status, body=json.dumps(content), headers=headers or {})


def error(code: int, message: str, *, status: int = 400, headers: Mapping[str, str] | None = None) -> Reply:
    """An error in Binance's form."""
    return said({"code": code, "msg": message}, status=status, headers=headers)


class Scripted(BaseAdapter):
    """Stands in for the network: answers each request by a function, and remembers it."""

    def __init__(self, answer: Callable[[Seen], Reply | Exception]) -> None:
        super().__init__()
        self.answer = answer
        self.requests: list[Seen] = []
        self.timeouts: list[object] = []
        self.closed = 0

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
        self.requests.append(seen(request.method or "", request.url or "", body, request.headers))
        self.timeouts.append(kwargs.get("timeout"))
        reply = self.answer(self.requests[-1])
        if isinstance(reply, Exception):
            raise reply
        response = requests.Response()
        response.status_code = reply.status
        response.headers.update(reply.headers)
        response.raw = io.BytesIO(reply.body.encode())
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        self.closed += 1


class RawServer:
    """A TCP server on 127.0.0.1 that reads HTTP requests and answers them to the byte."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.requests: list[Seen] = []
        self.closed_one = threading.Event()
        self._free = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def hosts(self) -> VenueHosts:
        return VenueHosts(endpoint=f"http://127.0.0.1:{self.port}", hosts=("127.0.0.1",))

    def close(self) -> None:
        self._free.set()
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_and_close, args=(connection,), daemon=True).start()

    def _serve_and_close(self, connection: socket.socket) -> None:
        self._serve(connection)
        self.closed_one.set()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while line := stream.readline().decode():
                method, target, _ = line.split(" ", 2)
                headers: dict[str, str] = {}
                while (header := stream.readline().decode().strip()) != "":
                    name, _, value = header.partition(":")
                    headers[name.strip()] = value.strip()
                body = stream.read(int(headers.get("Content-Length", "0"))).decode()
                # The reply as it is now: a test may set the next one while this one is still on its way.
                reply = self.reply
                self.requests.append(seen(method, target, body, headers))
                if reply.hangs:
                    self._free.wait(10)
                    return
                if reply.closes:
                    return
                connection.sendall(reply.raw if reply.raw is not None else _http(reply))
                if reply.raw is not None:
                    return


def _http(reply: Reply) -> bytes:
    headers = {"Content-Type": "application/json", **reply.headers, "Content-Length": str(len(reply.body.encode()))}
    lines = [f"HTTP/1.1 {reply.status} Told", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + reply.body.encode()


def connection(
    inner: BaseAdapter | None = None,
    *,
    hosts: VenueHosts = REAL_HOSTS,
    clock: SetClock | None = None,
    credentials: Credentials | None = KEY,
    profile: VenueProfile = BINANCE,
) -> Connection:
    """A Binance connection with the account's key."""
    return Connection(profile=profile, address=hosts, clock=clock or SetClock(), credentials=credentials, inner=inner)


def venue(
    inner: BaseAdapter | None = None,
    *,
    hosts: VenueHosts = REAL_HOSTS,
    clock: SetClock | None = None,
    profile: VenueProfile = BINANCE,
) -> CcxtVenue:
    """The account at Binance."""
    return CcxtVenue(connection=connection(inner, hosts=hosts, clock=clock, profile=profile))


def market_data(inner: BaseAdapter | None = None, *, hosts: VenueHosts = REAL_HOSTS) -> CcxtMarketData:
    """Binance's public data."""
    return CcxtMarketData(connection=connection(inner, hosts=hosts, credentials=None))


def request(**changes: Any) -> OrderRequest:
    """A limit IOC buy of 0.00123 BTC at 65000.1 USDT."""
    fields: dict[str, Any] = {
        "client_order_id": CLIENT_ID,
        "symbol": "BTC/USDT",
        "side": Side.BUY,
        "kind": OrderKind.LIMIT_IOC,
        "quantity": Decimal("0.00123"),
        "limit_price": Decimal("65000.1"),
        "signed_at": NOW,
        "window_ms": 10_000,
    }
    return OrderRequest(**{**fields, **changes})


def order_row(**changes: Any) -> dict[str, Any]:
    """A filled order as GET /order shows it."""
    row: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "orderId": 28,
        "orderListId": -1,
        "clientOrderId": CLIENT_ID,
        "price": "65000.10000000",
        "origQty": "0.00123000",
        "executedQty": "0.00123000",
        "cummulativeQuoteQty": "79.95000000",
        "status": "FILLED",
        "timeInForce": "IOC",
        "type": "LIMIT",
        "side": "BUY",
        "time": 1_795_165_200_000,
        "updateTime": 1_795_165_200_000,
    }
    return {**row, **changes}


def fill_row(**changes: Any) -> dict[str, Any]:
    """A fill inside the answer to a new order."""
    row = {
        "price": "65000.00000000",
        "qty": "0.00123000",
        "commission": "0.00000123",
        "commissionAsset": "BTC",
        "tradeId": 900,
    }
    return {**row, **changes}


def trade_row(**changes: Any) -> dict[str, Any]:
    """A row of the account's trade list."""
    row = {
        "symbol": "BTCUSDT",
        "id": 900,
        "orderId": 28,
        "orderListId": -1,
        "price": "65000.00000000",
        "qty": "0.00123000",
        "quoteQty": "79.95000000",
        "commission": "0.00000123",
        "commissionAsset": "BTC",
        "time": 1_795_165_200_000,
        "isBuyer": True,
    }
    return {**row, **changes}
