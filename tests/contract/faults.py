"""Faults between us and DynamoDB, put in at botocore's last step: what no local engine ever does by itself."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, cast

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from surefill.adapters.dynamodb import SharedConnection

Fault = Callable[[AWSPreparedRequest], AWSResponse]
Send = Callable[[AWSPreparedRequest], AWSResponse]


class _Body(BytesIO):
    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """What botocore reads the body with."""
        yield self.read()


@dataclass
class Wire:
    """The requests that were sent, and the faults the next ones meet; without a fault a request goes through."""

    send: Send
    faults: list[Callable[["Wire", AWSPreparedRequest], AWSResponse]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)

    def before_send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        """Botocore's hook: an answer instead of the request's own, or None to let it go."""
        self.requests.append(json.loads(cast("bytes", request.body)))
        return self.faults.pop(0)(self, request) if self.faults else None


@contextmanager
def wire_of(connection: SharedConnection) -> Iterator[Wire]:
    """Watch the requests of a connection, and disturb them."""
    client: Any = connection.client
    wire = Wire(send=client._endpoint.http_session.send)
    client.meta.events.register("before-send.dynamodb", wire.before_send)
    try:
        yield wire
    finally:
        client.meta.events.unregister("before-send.dynamodb", wire.before_send)


def answer(status: int, body: dict[str, Any]) -> Callable[[Wire, AWSPreparedRequest], AWSResponse]:
    """An answer the engine did not give."""

    def fault(_: Wire, request: AWSPreparedRequest) -> AWSResponse:
        raw = _Body(json.dumps(body).encode())
        headers: Any = {"content-type": "application/x-amz-json-1.0"}
        return AWSResponse(request.url, status, headers, raw)

    return fault


def error(code: str, *, status: int = 400, **more: Any) -> Callable[[Wire, AWSPreparedRequest], AWSResponse]:
    """An error of DynamoDB."""
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    return answer(status, {"__type": kind, "message": f"{code} (made up)", "Message": f"{code} (made up)", **more})


def cancelled(*reasons: dict[str, Any]) -> Callable[[Wire, AWSPreparedRequest], AWSResponse]:
    """A cancelled transaction with a reason per write."""
    return error("TransactionCanceledException", CancellationReasons=list(reasons))


def lost_reply(wire: Wire, request: AWSPreparedRequest) -> AWSResponse:
    """The engine did what was asked, and its answer never arrived."""
    wire.send(request)
    raise ReadTimeoutError(endpoint_url=request.url)


def never_sent(_: Wire, request: AWSPreparedRequest) -> AWSResponse:
    """No connection was made."""
    raise ConnectTimeoutError(endpoint_url=request.url)
