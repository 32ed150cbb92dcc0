"""The exchange under a `requests` session, without sockets.

`ccxt_exchange.session.mount("https://", ExchangeAdapter(exchange))` is all an unmodified ccxt client needs. Lost
replies, timeouts and refused connections raise what real sockets would raise through requests and urllib3.
"""

from __future__ import annotations

import io
import time
from http.client import responses
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import IncompleteRead, MaxRetryError, NewConnectionError, ProtocolError
from urllib3.response import HTTPResponse

from local.exchange.effects import never_arrives
from local.exchange.messages import Delivery, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.exchange.core import Exchange


class ExchangeAdapter(BaseAdapter):
    """Hands every request of a session to the exchange in this process.

    `sleep` passes seconds; by default it advances a frozen exchange clock and really waits on a moving one. A
    request that a fault delays beyond the client's timeout is processed later, as it would be at a real exchange.
    """

    def __init__(self, exchange: Exchange, *, sleep: Callable[[float], None] | None = None) -> None:
        super().__init__()
        self._exchange = exchange
        self._sleep = sleep or self._pass_time

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One request, one reply, or the exception a socket would have raised."""
        del stream, verify, cert, proxies
        connect_seconds, read_seconds = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        admission = self._exchange.admit(_read(request))
        if not never_arrives(admission.faults) and admission.delay_ms:
            waited = admission.delay_ms / 1_000
            if read_seconds is not None and waited > read_seconds:
                self._exchange.defer(admission)
                raise self._read_timeout(request, read_seconds, still_to_wait=read_seconds)
            self._sleep(waited)
        response = self._exchange.complete(admission)
        if response.delay_ms:
            waited = response.delay_ms / 1_000
            left = None if read_seconds is None else read_seconds - admission.delay_ms / 1_000
            if read_seconds is not None and left is not None and waited > left:
                raise self._read_timeout(request, read_seconds, still_to_wait=left)
            self._sleep(waited)
        if response.delivery is Delivery.CONNECT_TIMEOUT:
            self._sleep(connect_seconds or 0)
            raise _connect_timeout(request, connect_seconds)
        return _deliver(response, request)

    def close(self) -> None:
        """Nothing is held open."""

    def _pass_time(self, seconds: float) -> None:
        if self._exchange.clock.frozen:
            self._exchange.clock.advance(round(seconds * 1_000))
        else:
            time.sleep(seconds)

    def _read_timeout(
        self, request: requests.PreparedRequest, seconds: float, *, still_to_wait: float
    ) -> requests.exceptions.ReadTimeout:
        self._sleep(still_to_wait)
        text = f"{_pool(request)}: Read timed out. (read timeout={seconds})"
        return requests.exceptions.ReadTimeout(text, request=request)


class LocalServerAdapter(HTTPAdapter):
    """Sends every request of a session to a local server instead of its own host.

    With it ccxt keeps its real URLs (by which it chooses the error classes of spot) and still never leaves this
    machine: `session.mount("https://", LocalServerAdapter("http://127.0.0.1:9100"))`.
    """

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base_url = base_url.rstrip("/")

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """Replace scheme and host, nothing else: path, query and body are what was signed."""
        parts = urlsplit(request.url or "")
        request.url = f"{self._base_url}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        return super().send(request, *arguments, **options)


def _read(request: requests.PreparedRequest) -> Request:
    url = request.url or ""
    parts = urlsplit(url)
    body = request.body or b""
    if not isinstance(body, bytes):
        body = str(body).encode()
    return Request(
        method=request.method or "GET",
        path=parts.path,
        query=parts.query,
        headers={name.lower(): str(value) for name, value in request.headers.items()},
        body=body,
    )


def _deliver(response: Response, request: requests.PreparedRequest) -> requests.Response:
    if response.delivery is Delivery.REFUSE:
        raise _refused(request)
    if response.delivery is Delivery.DROP:
        closed = ConnectionResetError("Remote end closed connection without response")
        raise requests.exceptions.ConnectionError(ProtocolError("Connection aborted.", closed), request=request)
    if response.delivery is Delivery.TRUNCATE:
        half = len(response.body) // 2
        broken = IncompleteRead(half, len(response.body) - half)
        raise requests.exceptions.ChunkedEncodingError(
            ProtocolError(f"Connection broken: {broken!r}", broken), request=request
        )
    reply = requests.Response()
    reply.status_code = response.status
    reply.reason = responses.get(response.status, "")
    reply.headers = CaseInsensitiveDict(response.headers)
    reply.url = request.url or ""
    reply.request = request
    reply.encoding = "utf-8"
    if "content-encoding" in response.headers:  # only urllib3's own reader fails on a bad gzip body as it should
        reply.raw = HTTPResponse(body=io.BytesIO(response.body), headers=response.headers, preload_content=False)
    else:
        reply.raw = io.BytesIO(response.body)
    return reply


def _pool(request: requests.PreparedRequest) -> HTTPSConnectionPool:
    return HTTPSConnectionPool(urlsplit(request.url or "").hostname or "localhost", 443)


def _refused(request: requests.PreparedRequest) -> requests.exceptions.ConnectionError:
    pool = _pool(request)
    reason = "Failed to establish a new connection: [Errno 111] Connection refused"
    cause = NewConnectionError(HTTPSConnection(pool.host, 443), reason)
    return requests.exceptions.ConnectionError(MaxRetryError(pool, request.url or "", cause), request=request)


def _connect_timeout(request: requests.PreparedRequest, seconds: float | None) -> requests.exceptions.ConnectTimeout:
    text = f"Connection to {_pool(request).host} timed out. (connect timeout={seconds})"
    return requests.exceptions.ConnectTimeout(text, request=request)
