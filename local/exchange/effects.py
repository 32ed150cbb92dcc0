"""What faults do to a reply after (or instead of) processing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from local.exchange import errors
from local.exchange.errors import BinanceError
from local.exchange.faults import Fault, FaultKind, milliseconds
from local.exchange.messages import Delivery, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

_HTML = b"<html><head><title>Error</title></head><body>The request could not be satisfied.</body></html>"
_UNPROCESSED = {
    FaultKind.CONNECT_TIMEOUT: Delivery.CONNECT_TIMEOUT,
    FaultKind.CONNECTION_REFUSED: Delivery.REFUSE,
    FaultKind.DROP_REQUEST: Delivery.DROP,
}
_REPLACING = (FaultKind.STATUS, FaultKind.GARBAGE, FaultKind.BAD_GZIP)
_STATUS_PATH = "/sapi/v1/system/status"


def never_arrives(faults: Mapping[FaultKind, Fault]) -> bool:
    """True when the client does not even get a connection."""
    return FaultKind.CONNECT_TIMEOUT in faults or FaultKind.CONNECTION_REFUSED in faults


def unprocessed_reply(faults: Mapping[FaultKind, Fault]) -> Response | None:
    """The reply when a fault keeps the request from being processed, otherwise None."""
    for kind, delivery in _UNPROCESSED.items():
        if kind in faults:
            return Response(0, {}, b"", delivery)
    for kind in _REPLACING:
        if kind in faults and not faults[kind].options["execute"]:
            return json_response({})
    return None


def refuse_if_down(faults: Mapping[FaultKind, Fault], *, path: str, now_ms: int) -> None:
    """Maintenance and rate limits come before anything else. Raises BinanceError."""
    maintenance = faults.get(FaultKind.MAINTENANCE)
    if maintenance is not None and path != _STATUS_PATH:
        raise BinanceError(1, "System is under maintenance.", status=maintenance.options["status"])
    limited = faults.get(FaultKind.RATE_LIMIT)
    if limited is not None:
        seconds = int(limited.options["retry_after_seconds"])
        if limited.options["ban"]:
            raise errors.banned(until_ms=now_ms + seconds * 1_000, retry_after_seconds=seconds)
        raise errors.too_many_requests(limit=6_000, retry_after_seconds=seconds)


def reject_if_told(faults: Mapping[FaultKind, Fault]) -> None:
    """The `reject` fault. Raises BinanceError with its code and message."""
    fault = faults.get(FaultKind.REJECT)
    if fault is not None:
        raise BinanceError(int(fault.options["code"]), str(fault.options["msg"]), status=fault.options["status"])


def spoil(response: Response, faults: Mapping[FaultKind, Fault]) -> Response:
    """Apply the faults that change or lose the reply."""
    status, garbage = faults.get(FaultKind.STATUS), faults.get(FaultKind.GARBAGE)
    if status is not None:
        body = str(status.options["body"]).encode() or _HTML
        response = Response(status.options["status"], {"content-type": "text/html"}, body)
    if garbage is not None:
        response = _garbage(response, str(garbage.options["body"]))
    if FaultKind.BAD_GZIP in faults:
        response = replace(response, headers={**response.headers, "content-encoding": "gzip"})
    delay = faults.get(FaultKind.DELAY)
    if delay is not None:
        response = replace(response, delay_ms=milliseconds(delay.options["after_seconds"]))
    if FaultKind.TRUNCATED_REPLY in faults:
        response = replace(response, delivery=Delivery.TRUNCATE)
    if FaultKind.ACCEPT_THEN_DROP in faults:
        response = replace(response, delivery=Delivery.DROP)
    return response


def _garbage(response: Response, kind: str) -> Response:
    bodies = {"empty": b"", "html": _HTML, "object": b"{}", "truncated": response.body[: len(response.body) // 2]}
    content = "text/html" if kind == "html" else "application/json"
    return Response(200, {"content-type": content}, bodies[kind])
