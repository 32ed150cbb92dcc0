"""The gate: which requests leave, on which connection, and what a transport error proves."""

from __future__ import annotations

from time import sleep

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
)

from surefill.adapters.ccxt.transport import ForbiddenRequestError, GuardedAdapter, never_left
from tests.unit.adapters.venues.helpers import RawServer, Reply, Scripted, SetClock, order_row, request, said, venue

POOL = HTTPConnectionPool("127.0.0.1", 9)
NEW = NewConnectionError(HTTPConnection("127.0.0.1", 9), "refused")


def prepared(url: str, method: str = "GET") -> requests.PreparedRequest:
    return requests.Request(method, url).prepare()


@pytest.mark.parametrize(
    "url",
    [
        "https://api.binance.com.evil.example/api/v3/order",
        "https://evil.example/?x=api.binance.com",
        "https://api.binance.com@evil.example/",
        "https://fapi.binance.com/fapi/v1/order",
        "https://binance.com/",
        "http://api.binance.com/api/v3/order",
        "http://127.0.0.1:9101/api/v3/order",
        "http://localhost:9100/",
        "ftp://api.binance.com/",
    ],
)
def test_other_hosts_and_plain_http_never_get_anything(url: str) -> None:
    inner = Scripted(lambda seen: said({}))
    gate = GuardedAdapter(
        hosts=frozenset({"api.binance.com", "127.0.0.1:9100"}), plain_origin="http://127.0.0.1:9100", inner=inner
    )
    with gate.call(posts=1) as log, pytest.raises(ForbiddenRequestError):
        gate.send(prepared(url))
    assert inner.requests == [] and not log.left


@pytest.mark.parametrize(
    "url",
    [
        "https://api.binance.com/x",
        "https://API.BINANCE.COM/x",
        "http://127.0.0.1:9100/x",
        "https://api.binance.com:443/x",
    ],
)
def test_listed_hosts_get_theirs(url: str) -> None:
    gate = GuardedAdapter(
        hosts=frozenset({"api.binance.com", "127.0.0.1:9100"}),
        plain_origin="http://127.0.0.1:9100",
        inner=Scripted(lambda seen: said({})),
    )
    with gate.call() as log:
        gate.send(prepared(url))
    assert log.left and log.answer is not None and log.answer.json() == {}


def test_without_hosts_nothing_leaves() -> None:
    inner = Scripted(lambda seen: said({}))
    with pytest.raises(ForbiddenRequestError, match="no host"):
        GuardedAdapter(hosts=frozenset(), inner=inner).send(prepared("https://api.binance.com/"))
    assert inner.requests == []


def test_a_post_outside_of_any_call_does_not_leave() -> None:
    inner = Scripted(lambda seen: said({}))
    gate = GuardedAdapter(hosts=frozenset({"api.binance.com"}), inner=inner)
    with pytest.raises(ForbiddenRequestError):
        gate.send(prepared("https://api.binance.com/", "POST"))
    assert inner.requests == []


def test_a_post_after_a_pause_goes_over_a_new_connection() -> None:
    # A pooled connection may have been dropped while the function was frozen: the post would time out, unknown.
    clock = SetClock()
    wire = Scripted(lambda seen: said(order_row()))
    account = venue(wire, clock=clock)
    account.post(request())
    clock.pass_time(seconds=5)
    account.post(request())
    assert wire.closed == 0
    clock.pass_time(seconds=11)
    account.post(request())
    assert wire.closed == 1


def test_connections_are_kept_between_requests_and_renewed_when_the_venue_closed_them() -> None:
    server = RawServer(said(order_row()))
    try:
        account = venue(hosts=server.hosts)
        account.post(request())
        server.reply = Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")  # and closes
        account.post(request())
        # The end of the connection must have arrived; a post into one that is just closing is an unknown outcome.
        assert server.closed_one.wait(30)
        sleep(0.1)
        server.reply = said(order_row())
        account.post(request())
        assert [seen.method for seen in server.requests] == ["POST"] * 3
    finally:
        server.close()


def test_the_real_adapter_repeats_nothing() -> None:
    gate = GuardedAdapter(hosts=frozenset())
    inner = gate._inner
    assert isinstance(inner, HTTPAdapter)
    assert inner.max_retries.total == 0 and inner.max_retries.read is False


@pytest.mark.parametrize(
    ("error", "proof"),
    [
        (requests.ConnectTimeout("slow"), True),
        (requests.ConnectionError(MaxRetryError(POOL, "/", NEW)), True),
        (requests.ConnectionError(MaxRetryError(POOL, "/", ConnectTimeoutError("slow"))), True),
        (
            requests.ConnectionError(
                MaxRetryError(POOL, "/", NameResolutionError("x", HTTPConnection("x"), OSError("no name")))  # type: ignore[arg-type]
            ),
            True,
        ),
        (requests.ReadTimeout("slow"), False),
        (requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError())), False),
        (requests.ConnectionError("aborted"), False),
        (requests.ConnectionError(), False),
        (requests.exceptions.ProxyError(MaxRetryError(POOL, "/", ProtocolError("proxy"))), False),
        (requests.exceptions.SSLError(MaxRetryError(POOL, "/", ProtocolError("tls"))), False),
        (requests.exceptions.ChunkedEncodingError(NEW), False),
        (requests.TooManyRedirects(), False),
        (OSError("broken"), False),
        (ValueError("odd"), False),
    ],
)
def test_only_a_connection_that_was_never_made_proves_that_nothing_left(error: Exception, proof: bool) -> None:
    assert never_left(error) is proof


def test_an_error_after_an_answer_proves_nothing() -> None:
    answers: list[Reply | Exception] = [said({}), requests.ConnectTimeout("slow")]
    gate = GuardedAdapter(hosts=frozenset({"api.binance.com"}), inner=Scripted(lambda seen: answers.pop(0)))
    with gate.call(posts=2) as log:
        gate.send(prepared("https://api.binance.com/", "POST"))
        with pytest.raises(requests.ConnectTimeout):
            gate.send(prepared("https://api.binance.com/", "POST"))
    assert log.left
