"""Every row of the outcome table, on a real HTTP server under real ccxt: what arrives there, and what is concluded."""

from __future__ import annotations

import gzip
import json
import socket
from typing import TYPE_CHECKING

import pytest

from surefill.adapters.ccxt import connection as connection_module
from surefill.domain.orders import Accepted, AlreadyExists, NotSent, PostOutcome, Rejected, UnknownOutcome
from surefill.domain.reasons import Reason
from surefill.settings import VenueHosts
from tests.unit.adapters.venues.helpers import (
    RawServer,
    Reply,
    error,
    fill_row,
    order_row,
    request,
    said,
    venue,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHORT = "Account has insufficient balance for requested action."
FULL = order_row(fills=[fill_row()], transactTime=1)
BODY = json.dumps(FULL)
HTML = "<html><body>The request could not be satisfied.</body></html>"


@pytest.fixture
def serve() -> Iterator[Callable[[Reply], RawServer]]:
    """Start servers, and close them afterwards."""
    servers: list[RawServer] = []

    def start(reply: Reply) -> RawServer:
        servers.append(RawServer(reply))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def truncated() -> Reply:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(BODY) * 2}\r\n\r\n"
    return Reply(raw=head.encode() + BODY.encode())


def undecodable() -> Reply:
    body = gzip.compress(BODY.encode())[:20] + b"not gzip at all"
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    return Reply(raw=head.encode() + body)


UNKNOWN = {
    "peer closes after the request": Reply(closes=True),
    "truncated body": truncated(),
    "undecodable gzip": undecodable(),
    "not HTTP": Reply(raw=b"\x00\x01\x02\r\n\r\n"),
    "200 empty": Reply(body=""),
    "200 html": Reply(body=HTML),
    "200 half JSON": Reply(body=BODY[: len(BODY) // 2]),
    "200 {}": Reply(body="{}"),
    "200 []": Reply(body="[]"),
    "200 null": Reply(body="null"),
    "200 without order id": said({key: value for key, value in FULL.items() if key != "orderId"}),
    "200 with null order id": said({**FULL, "orderId": None}),
    "200 with empty order id": said({**FULL, "orderId": ""}),
    "200 with another client id": said({**FULL, "clientOrderId": "ffffffffffffffffffffffffffffffff"}),
    "200 of another symbol": said({**FULL, "symbol": "ETHUSDT"}),
    "200 of the other side": said({**FULL, "side": "SELL"}),
    "200 with numbers that lost digits": said({**FULL, "executedQty": 0.00123}),
    "200 with fills that are none": said({**FULL, "fills": 7}),
    "200 with a negative quantity": said({**FULL, "executedQty": "-1"}),
    "200 with an infinite quantity": said({**FULL, "executedQty": "Infinity"}),
    "200 with an error": error(-2010, SHORT, status=200),
    "302 elsewhere": Reply(status=302, headers={"Location": "https://api.binance.com/api/v3/order"}),
    "307 to itself": Reply(status=307, headers={"Location": "/api/v3/order"}),
    "308 to itself": Reply(status=308, headers={"Location": "/api/v3/order"}),
    **{f"{status} html": Reply(status=status, body=HTML) for status in (400, 401, 403, 404, 405, 408, 409, 418, 429)},
    **{f"{status} html": Reply(status=status, body=HTML) for status in (500, 502, 503, 504, 520, 524, 527)},
    "400 JSON without code": said({"error": "no"}, status=400),
    "400 code as text": said({"code": "-2010", "msg": "Market is closed."}, status=400),
    "400 positive code": error(2010, "Market is closed."),
    "500 -1000": error(-1000, "An unknown error occurred while processing the request.", status=500),
    "500 -1001": error(-1001, "Internal error; unable to process your request. Please try again.", status=500),
    "400 -1001": error(-1001, "Internal error; unable to process your request. Please try again."),
    "400 -1006": error(-1006, "An unexpected response was received from the message bus. Execution status unknown."),
    "408 -1007": error(-1007, "Timeout waiting for response from backend server. Send status unknown.", status=408),
    "400 -1007": error(-1007, "Timeout waiting for response from backend server. Send status unknown."),
    "503 -1008": error(-1008, "Server is currently overloaded with other requests.", status=503),
    "400 -1008": error(-1008, "Server is currently overloaded with other requests."),
    "429 -1003": error(-1003, "Too much request weight used.", status=429),
    "418 -1003": error(-1003, "Way too much request weight used; IP banned until 1795165999999.", status=418),
    "429 -1015": error(-1015, "Too many new orders; current limit is 50 orders per TEN_SECONDS.", status=429),
    "400 -1015": error(-1015, "Too many new orders."),
    "429 with a definite code": error(-1013, "Filter failure: LOT_SIZE", status=429),
    "500 with a definite code": error(-1013, "Filter failure: LOT_SIZE", status=500),
    "400 -2010 with a text nobody knows": error(-2010, "NEW_ORDER_REJECTED"),
    "400 -9999": error(-9999, "Something new."),
    "400 -1016": error(-1016, "This service is no longer available."),
    "503 maintenance": said({"code": 1, "msg": "System is under maintenance."}, status=503),
}

REJECTED = {
    "insufficient balance": (-2010, SHORT, 400, Reason.BALANCE_SHORT),
    "insufficient balance, engine": (
        -1010, SHORT, 400, Reason.BALANCE_SHORT,
    ),
    "market closed by engine": (-2010, "Market is closed.", 400, Reason.MARKET_CLOSED),
    "market closed by API": (-1013, "Market is closed.", 400, Reason.MARKET_CLOSED),
    "symbol not permitted": (-2010, "This symbol is not permitted for this account.", 400, Reason.MARKET_CLOSED),
    "account disabled": (-2010, "This action is disabled on this account.", 400, Reason.ACCOUNT_BLOCKED),
    "no market orders": (-2010, "Market orders are not supported for this symbol.", 400, Reason.REJECTED),
    "notional": (-1013, "Filter failure: NOTIONAL", 400, Reason.BELOW_MINIMUM),
    "min notional": (-1013, "Filter failure: MIN_NOTIONAL", 400, Reason.BELOW_MINIMUM),
    "lot size": (-1013, "Filter failure: LOT_SIZE", 400, Reason.MARKET_STALE),
    "market lot size": (-1013, "Filter failure: MARKET_LOT_SIZE", 400, Reason.MARKET_STALE),
    "price filter": (-1013, "Filter failure: PRICE_FILTER", 400, Reason.MARKET_STALE),
    "percent price": (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE", 400, Reason.REJECTED),
    "invalid quantity": (-1013, "Invalid quantity.", 400, Reason.REJECTED),
    "precision": (-1111, "Parameter 'quantity' has too much precision.", 400, Reason.MARKET_STALE),
    "unknown symbol": (-1121, "Invalid symbol.", 400, Reason.MARKET_UNKNOWN),
    "missing parameter": (-1102, "Mandatory parameter 'price' was not sent.", 400, Reason.REJECTED),
    "unread parameter": (-1104, "Not all sent parameters were read.", 400, Reason.REJECTED),
    "outside of the window": (-1021, "Timestamp for this request is outside of the recvWindow.", 400, Reason.REJECTED),
    "ahead of the server": (-1021, "Timestamp for this request was 1000ms ahead.", 400, Reason.REJECTED),
    "bad signature": (-1022, "Signature for this request is not valid.", 400, Reason.CREDENTIALS_REJECTED),
    "bad key form": (-2014, "API-key format invalid.", 401, Reason.CREDENTIALS_REJECTED),
    "bad key": (-2015, "Invalid API-key, IP, or permissions for action.", 401, Reason.CREDENTIALS_REJECTED),
}  # fmt: skip


def post(server: RawServer) -> PostOutcome:
    return venue(hosts=server.hosts).post(request())


@pytest.mark.parametrize("reply", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_what_proves_nothing_is_unknown_and_is_sent_once(serve: Callable[[Reply], RawServer], reply: Reply) -> None:
    server = serve(reply)
    assert isinstance(post(server), UnknownOutcome)
    assert [seen.method for seen in server.requests] == ["POST"]


@pytest.mark.parametrize(("code", "message", "status", "reason"), REJECTED.values(), ids=REJECTED.keys())
def test_definite_refusals_are_rejected_with_their_reason(
    serve: Callable[[Reply], RawServer], code: int, message: str, status: int, reason: Reason
) -> None:
    server = serve(error(code, message, status=status))
    outcome = post(server)
    assert isinstance(outcome, Rejected), outcome
    assert (outcome.reason, outcome.code, outcome.message) == (reason, str(code), message)
    assert len(server.requests) == 1


def test_a_rejected_key_is_rejected_also_after_it_once_worked(serve: Callable[[Reply], RawServer]) -> None:
    # ccxt then calls it DDoSProtection; the venue's code says what it is.
    server = serve(said(FULL))
    at = venue(hosts=server.hosts)
    assert isinstance(at.post(request()), Accepted)
    server.reply = error(-2015, "Invalid API-key, IP, or permissions for action.", status=401)
    outcome = at.post(request())
    assert isinstance(outcome, Rejected) and outcome.reason is Reason.CREDENTIALS_REJECTED


@pytest.mark.parametrize("code", [-2010, -1010])
def test_a_duplicate_is_evidence_that_the_order_exists(serve: Callable[[Reply], RawServer], code: int) -> None:
    outcome = post(serve(error(code, "Duplicate order sent.")))
    assert isinstance(outcome, AlreadyExists)
    assert outcome.code == str(code)


def test_an_order_with_id_and_our_client_id_is_accepted(serve: Callable[[Reply], RawServer]) -> None:
    outcome = post(serve(said(FULL)))
    assert isinstance(outcome, Accepted)
    assert outcome.order.venue_order_id == "28"
    assert outcome.order.finished and outcome.order.fills is not None


def test_a_read_timeout_is_unknown(serve: Callable[[Reply], RawServer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "TIMEOUT_MS", 150)
    server = serve(Reply(hangs=True))
    assert isinstance(post(server), UnknownOutcome)
    assert len(server.requests) == 1


def test_a_refused_connection_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    hosts = VenueHosts(endpoint=f"http://127.0.0.1:{port}", hosts=("127.0.0.1",))
    outcome = venue(hosts=hosts).post(request())
    assert isinstance(outcome, NotSent)
    assert "NewConnectionError" in outcome.message or "refused" in outcome.message


def test_an_unknown_host_was_not_sent() -> None:
    hosts = VenueHosts(endpoint="http://no-such-host.invalid", hosts=("no-such-host.invalid",))
    assert isinstance(venue(hosts=hosts).post(request()), NotSent)


def test_a_connect_timeout_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "TIMEOUT_MS", 150)
    # A listener whose queue is full: further connections are neither taken nor refused.
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        hosts = VenueHosts(endpoint=f"http://127.0.0.1:{port}", hosts=("127.0.0.1",))
        outcome = venue(hosts=hosts).post(request())
        for one in waiting:
            one.close()
    assert isinstance(outcome, NotSent), outcome


def test_a_host_outside_of_the_allow_list_was_not_sent() -> None:
    outcome = venue(hosts=VenueHosts(endpoint="http://127.0.0.1:9", hosts=("api.binance.com",))).post(request())
    assert isinstance(outcome, NotSent)
    assert "api.binance.com" in outcome.message
