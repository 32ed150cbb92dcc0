"""API keys, signatures and the time window of signed requests.

Source: Binance spot REST docs, "Endpoint security type", "SIGNED endpoint security" and "Timing security".
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.exchange import errors
from local.exchange.errors import BinanceError

if TYPE_CHECKING:
    from local.exchange.messages import Request
    from local.exchange.parameters import Parameters

DEFAULT_WINDOW_MS = 5_000
LARGEST_WINDOW_MS = 60_000
_AHEAD_MS = 1_000
_key_format = re.compile(r"^[A-Za-z0-9_-]{1,128}$")
_signature_pair = re.compile(r"(^|&)signature=[^&]*")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of an account; `can_trade` False is a read-only key."""

    key: str
    secret: str = field(repr=False)
    account: str = "main"
    can_trade: bool = True

    def __post_init__(self) -> None:
        if not _key_format.match(self.key):
            raise ValueError(f"API key must be 1 to 128 letters, digits, '-' or '_', was {self.key!r}")


class KeyRing:
    """All API keys of the exchange."""

    def __init__(self, keys: tuple[ApiKey, ...]) -> None:
        self._keys = {key.key: key for key in keys}
        if len(self._keys) != len(keys):
            raise ValueError(f"API keys must be different, was {[key.key for key in keys]}")

    def find(self, request: Request) -> ApiKey | None:
        """The key a request names, without any check."""
        return self._keys.get(request.headers.get("x-mbx-apikey", ""))

    def check_key(self, request: Request, *, trading: bool) -> ApiKey:
        """The key of the request. Raises -2014 on a malformed key, -2015 on an unknown or insufficient one."""
        named = request.headers.get("x-mbx-apikey", "")
        if not _key_format.match(named):
            raise BinanceError(-2014, "API-key format invalid.")
        key = self._keys.get(named)
        if key is None or (trading and not key.can_trade):
            raise rejected_key()
        return key


def rejected_key() -> BinanceError:
    """The key is unknown, revoked or may not do this."""
    return BinanceError(-2015, "Invalid API-key, IP, or permissions for action.")


def check_signed(request: Request, parameters: Parameters, key: ApiKey, *, now_ms: int) -> None:
    """Time window, then signature (-1102, -1131, -1021, -1022).

    Rule: processed when `timestamp < server time + 1000` and `server time - timestamp <= recvWindow`.
    """
    parameters.required("timestamp")
    timestamp = parameters.integer("timestamp")
    window = parameters.integer("recvWindow")
    if timestamp is None:
        raise errors.mandatory("timestamp")
    if window is None:
        window = DEFAULT_WINDOW_MS
    if window > LARGEST_WINDOW_MS:
        raise BinanceError(-1131, "recvWindow must be less than 60000.")
    if timestamp >= now_ms + _AHEAD_MS:
        raise errors.ahead_of_server()
    if now_ms - timestamp > window:
        raise errors.outside_window()
    sent = parameters.required("signature").lower()
    payload = _unsigned(request.query) + _unsigned(request.body.decode("utf-8", "replace"))
    expected = hmac.digest(key.secret.encode(), payload.encode(), "sha256").hex()
    if not hmac.compare_digest(sent.encode(), expected.encode()):
        raise errors.bad_signature()


def _unsigned(text: str) -> str:
    """The exact text that was signed: everything but the signature itself."""
    if "signature=" not in text:
        return text
    return _signature_pair.sub("", text).removeprefix("&")
