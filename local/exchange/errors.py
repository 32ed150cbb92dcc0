"""Binance's errors: codes and messages.

Source: Binance spot REST docs, "Error codes" (errors.md) and "HTTP return codes"; the texts are compared literally
by ccxt, so they are kept to the letter.
"""

from __future__ import annotations

# HTTP status by error code where it is not 400.
_STATUS = {
    -1000: 500,
    -1001: 500,
    -1002: 401,
    -1003: 429,
    -1006: 500,
    -1007: 408,
    -1008: 503,
    -1015: 429,
    -2014: 401,
    -2015: 401,
}


class BinanceError(Exception):
    """An error reply: Binance's code and message, and the HTTP status and headers it comes with."""

    def __init__(
        self, code: int, message: str, *, status: int | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status if status is not None else status_of(code)
        self.headers = headers or {}


def status_of(code: int) -> int:
    """The HTTP status Binance sends with an error code."""
    return _STATUS.get(code, 400)


def internal_error() -> BinanceError:
    """The exchange could not do its work; the client can't know whether the request had an effect."""
    return BinanceError(-1001, "Internal error; unable to process your request. Please try again.")


def too_many_requests(*, limit: int, retry_after_seconds: int) -> BinanceError:
    """HTTP 429: too much request weight in this minute."""
    return BinanceError(
        -1003,
        f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API.",
        headers={"Retry-After": str(retry_after_seconds)},
    )


def banned(*, until_ms: int, retry_after_seconds: int) -> BinanceError:
    """HTTP 418: the address is banned for going on after 429."""
    return BinanceError(
        -1003,
        f"Way too much request weight used; IP banned until {until_ms}. "
        "Please use WebSocket Streams for live updates to avoid bans.",
        status=418,
        headers={"Retry-After": str(retry_after_seconds)},
    )


def too_many_orders(*, limit: int, interval: str) -> BinanceError:
    """HTTP 429 without Retry-After: too many new orders."""
    return BinanceError(-1015, f"Too many new orders; current limit is {limit} orders per {interval}.")


def not_served(*, method: str, path: str) -> BinanceError:
    """An endpoint this exchange does not have."""
    return BinanceError(
        -1020, f"This operation is not supported: the simulated exchange does not serve {method} {path}.", status=404
    )


def outside_window() -> BinanceError:
    """The request is older than its receive window."""
    return BinanceError(-1021, "Timestamp for this request is outside of the recvWindow.")


def ahead_of_server() -> BinanceError:
    """The request comes from the future."""
    return BinanceError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")


def bad_signature() -> BinanceError:
    """The HMAC does not fit the parameters and the secret."""
    return BinanceError(-1022, "Signature for this request is not valid.")


def illegal_characters(name: str, legal: str) -> BinanceError:
    """A parameter does not have its form."""
    return BinanceError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def duplicate_parameter() -> BinanceError:
    """The same parameter twice."""
    return BinanceError(-1101, "Duplicate values for a parameter detected.")


def mandatory(name: str) -> BinanceError:
    """A parameter that must be sent is not there."""
    return BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def one_of_mandatory(first: str, second: str) -> BinanceError:
    """One of two parameters must be sent."""
    return BinanceError(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def unread(*, read: int, sent: int) -> BinanceError:
    """Parameters this endpoint does not know."""
    return BinanceError(-1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.")


def empty(name: str) -> BinanceError:
    """A parameter without a value."""
    return BinanceError(-1105, f"Parameter '{name}' was empty.")


def not_required(name: str) -> BinanceError:
    """A parameter that this kind of order does not take."""
    return BinanceError(-1106, f"Parameter '{name}' sent when not required.")


def too_precise(name: str) -> BinanceError:
    """More decimals than the asset has."""
    return BinanceError(-1111, f"Parameter '{name}' has too much precision.")


def invalid_symbol() -> BinanceError:
    """No such symbol."""
    return BinanceError(-1121, "Invalid symbol.")


def invalid_value(name: str) -> BinanceError:
    """A value outside its allowed set."""
    return BinanceError(-1130, f"Data sent for parameter '{name}' is not valid.")


def filter_failure(name: str) -> BinanceError:
    """A symbol filter refuses the order before it reaches the matching engine."""
    return BinanceError(-1013, f"Filter failure: {name}")


def order_rejected(message: str) -> BinanceError:
    """The matching engine refuses a new order."""
    return BinanceError(-2010, message)


def cancel_rejected(message: str = "Unknown order sent.") -> BinanceError:
    """The matching engine refuses a cancel."""
    return BinanceError(-2011, message)


def insufficient_balance() -> BinanceError:
    """Not enough free balance."""
    return order_rejected("Account has insufficient balance for requested action.")


def no_such_order() -> BinanceError:
    """A look-up found nothing."""
    return BinanceError(-2013, "Order does not exist.")
