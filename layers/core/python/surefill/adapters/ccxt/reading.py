"""Taking values out of a venue's JSON without believing it: wrong types raise instead of becoming a number."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from surefill.adapters.ccxt.profile import UnreadableError
from surefill.domain.money import AmountError, to_decimal


def mapping(said: object, *, what: str) -> Mapping[str, Any]:
    """`said` when it is a JSON object."""
    if not isinstance(said, dict):
        raise UnreadableError(f"{what} must be a JSON object, was {type(said).__name__}")
    return said


def sequence(said: object, *, what: str) -> Sequence[Any]:
    """`said` when it is a JSON array. A text or an object is no empty list: absence needs a real answer."""
    if not isinstance(said, list):
        raise UnreadableError(f"{what} must be a JSON array, was {type(said).__name__}")
    return said


def name(said: Mapping[str, Any], key: str, *, what: str) -> str:
    """A non-empty text or whole number, as text."""
    value = said.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise UnreadableError(f"{what} must have {key}, was {value!r}")
    return str(value)


def whole(said: Mapping[str, Any], key: str, *, what: str) -> int:
    """A whole number (a time in ms)."""
    value = said.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnreadableError(f"{what} must have a whole number {key}, was {value!r}")
    return value


def amount(said: Mapping[str, Any], key: str, *, what: str) -> Decimal:
    """A decimal number of 0 or more, given as text: a float has already lost digits and is refused."""
    value = said.get(key)
    if not isinstance(value, str):
        raise UnreadableError(f"{what} must have {key} as text, was {value!r}")
    # Venues pad with zeros, which would only use up the digits of exact products.
    padded = "." in value and "e" not in value.lower()
    try:
        number = to_decimal(value.rstrip("0").rstrip(".") if padded else value, name=key)
    except AmountError as error:
        raise UnreadableError(f"{what}: {error}") from None
    if number < 0:
        raise UnreadableError(f"{what} must have {key} of 0 or more, was {number}")
    return number
