"""Request parameters, read with Binance's complaints.

Source: Binance spot REST docs, "General information on endpoints": parameters come in the query string, the form
body, or both; the query string wins. Errors -1100 to -1111 are named after what is wrong with them.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from local.exchange import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.exchange.messages import Request

_DECIMAL = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
_INTEGER = r"^[0-9]{1,20}$"
_decimal = re.compile(_DECIMAL)
_integer = re.compile(_INTEGER)
# Read by the security check, not by the endpoint.
_SECURITY = frozenset({"timestamp", "recvWindow", "signature"})


class Parameters:
    """The parameters of one request; remembers which ones were read."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._read: set[str] = set()

    @classmethod
    def of(cls, request: Request) -> Parameters:
        """Read query and form body. Raises -1101 when one of them has a name twice."""
        values = _pairs(request.body.decode("utf-8", "replace")) if request.body else {}
        if request.query:
            values.update(_pairs(request.query))
        return cls(values)

    def peek(self, name: str) -> str | None:
        """A raw value, without counting it as read."""
        return self._values.get(name)

    def text(self, name: str) -> str | None:
        """A value, or None when not sent. Raises -1105 when sent empty."""
        self._read.add(name)
        value = self._values.get(name)
        if value == "":
            raise errors.empty(name)
        return value

    def required(self, name: str) -> str:
        """A value that must be sent (-1102)."""
        value = self.text(name) if self._values.get(name) else None
        if value is None:
            raise errors.mandatory(name)
        return value

    def matching(self, name: str, pattern: re.Pattern[str]) -> str | None:
        """A value of that form (-1100)."""
        value = self.text(name)
        if value is not None and not pattern.match(value):
            raise errors.illegal_characters(name, pattern.pattern)
        return value

    def decimal(self, name: str) -> Decimal | None:
        """A plain positive decimal with at most eight places (-1100, -1111)."""
        value = self.matching(name, _decimal)
        if value is None:
            return None
        if len(value.partition(".")[2].rstrip("0")) > 8:
            raise errors.too_precise(name)
        return Decimal(value)

    def integer(self, name: str) -> int | None:
        """A whole number (-1100)."""
        value = self.matching(name, _integer)
        return None if value is None else int(value)

    def limit(self, *, default: int, most: int) -> int:
        """The `limit` of a list; more than the most allowed means the most."""
        value = self.integer("limit")
        if value is None:
            return default
        if value < 1:
            raise errors.invalid_value("limit")
        return min(value, most)

    def names(self, name: str) -> list[str] | None:
        """A JSON list of texts, such as `symbols`."""
        value = self.text(name)
        if value is None:
            return None
        try:
            found = json.loads(value)
        except json.JSONDecodeError:
            found = None
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise errors.illegal_characters(name, r'^\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\]$')
        return found

    def finish(self) -> None:
        """Raises -1104 when the endpoint left a parameter unread."""
        read = self._read | _SECURITY
        if not read.issuperset(self._values):
            raise errors.unread(read=len(read & self._values.keys()), sent=len(self._values))


def _pairs(text: str) -> dict[str, str]:
    pairs = parse_qsl(text, keep_blank_values=True)
    values = dict(pairs)
    if len(values) != len(pairs):
        raise errors.duplicate_parameter()
    return values
