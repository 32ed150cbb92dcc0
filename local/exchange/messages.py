"""Requests and replies without a transport, and what the transport must do to a reply."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON_CONTENT = "application/json;charset=UTF-8"


class Delivery(Enum):
    """What happens to a reply on its way to the client."""

    REPLY = "reply"
    DROP = "drop"  # the connection is closed instead of replying
    TRUNCATE = "truncate"  # the announced length is whole, the body ends half way
    CONNECT_TIMEOUT = "connect_timeout"  # the client never got a connection
    REFUSE = "refuse"  # the connection was refused


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `query` is the raw text after "?", header names are lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP reply; `delay_ms` is waited between processing and replying."""

    status: int
    headers: dict[str, str]
    body: bytes
    delivery: Delivery = Delivery.REPLY
    delay_ms: int = 0


def json_response(content: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON reply; Decimals are written as plain numbers in text form."""
    text = json.dumps(content, separators=(",", ":"), default=_plain)
    return Response(status, {"content-type": JSON_CONTENT, **(headers or {})}, text.encode())


def read_json(body: bytes) -> Any:
    """Parse JSON with Decimals for fractions. Raises ValueError with one sentence."""
    try:
        return json.loads(body, parse_float=Decimal) if body else {}
    except (json.JSONDecodeError, UnicodeDecodeError) as problem:
        raise ValueError(f"body is not JSON ({problem}), expected a JSON object") from None


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Enum):
        return str(value.value)
    raise TypeError(f"{type(value).__name__} can't be written as JSON, was {value!r}")
