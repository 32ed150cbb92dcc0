"""How each kind of field is stored: pynamodb attributes that are exact both ways and refuse what would not be.

pynamodb's own NumberAttribute goes through float and its maps guess types, so money would lose digits; these do not.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal, Inexact
from enum import StrEnum
from typing import Any, TypeVar

from pynamodb.attributes import Attribute
from pynamodb.constants import BOOLEAN, LIST, NUMBER, STRING

from surefill.domain.money import EXACT, ZERO, AmountError, plain, to_decimal
from surefill.domain.rows import Fill
from surefill.domain.times import parse_time, require_utc
from surefill.wire import from_wire, to_wire

Word = TypeVar("Word", bound=StrEnum)
# DynamoDB's range of numbers, as powers of ten.
_SMALLEST, _LARGEST = -130, 125


class AmountAttribute(Attribute[Decimal]):
    """A Decimal as N, digit for digit. Raises AmountError for floats and for more than 28 significant digits."""

    attr_type = NUMBER

    def serialize(self, value: Any) -> str:
        """The number as DynamoDB takes it, without exponent."""
        amount = to_decimal(value, name=self.attr_name)
        if amount == ZERO:
            return "0"
        if not _SMALLEST <= amount.adjusted() <= _LARGEST:
            raise AmountError(f"{self.attr_name} must be between 1E-130 and 1E+126 in size, was {amount}")
        try:
            return plain(EXACT.create_decimal(amount))
        except Inexact:
            raise AmountError(f"{self.attr_name} must have at most 28 significant digits, was {amount}") from None

    def deserialize(self, value: str) -> Decimal:
        """All digits that are stored."""
        return Decimal(value)


class CountAttribute(Attribute[int]):
    """An int as N. Raises AmountError for anything else, whole Decimals and floats included."""

    attr_type = NUMBER

    def serialize(self, value: Any) -> str:
        """The number in digits."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise AmountError(f"{self.attr_name} must be an int, was {value!r}")
        return str(value)

    def deserialize(self, value: str) -> int:
        """The stored number; AmountError when it is not whole."""
        amount = Decimal(value)
        if amount != int(amount):
            raise AmountError(f"{self.attr_name} must be stored as a whole number, was {value}")
        return int(amount)


class FlagAttribute(Attribute[bool]):
    """A bool as BOOL."""

    attr_type = BOOLEAN

    def serialize(self, value: Any) -> bool:
        """The flag itself; TypeError for anything that is only truthy."""
        if not isinstance(value, bool):
            raise TypeError(f"{self.attr_name} must be True or False, was {value!r}")
        return value


class TextAttribute(Attribute[str]):
    """A str as S."""

    attr_type = STRING

    def serialize(self, value: Any) -> str:
        """The text itself; TypeError for anything else."""
        if not isinstance(value, str):
            raise TypeError(f"{self.attr_name} must be text, was {value!r}")
        return str(value)


class WordAttribute(Attribute[Word]):
    """A word of an enum as S. A stored word the enum does not have raises ValueError."""

    attr_type = STRING

    def __init__(self, words: type[Word], **options: Any) -> None:
        super().__init__(**options)
        self.words = words

    def serialize(self, value: Any) -> str:
        """The value of the word; also takes the plain value itself."""
        return self.words(value).value

    def deserialize(self, value: str) -> Word:
        """The word of the enum."""
        return self.words(value)


class TimeAttribute(Attribute[datetime]):
    """An aware time as S, ISO 8601 in UTC, to the microsecond.

    A time that is a key is always written with six digits, so that text order is time order; others are written short.
    """

    attr_type = STRING

    def __init__(self, *, is_key: bool, **options: Any) -> None:
        super().__init__(**options)
        self.is_key = is_key

    def serialize(self, value: Any) -> str:
        """The time as text; ValueError for a naive one."""
        moment = require_utc(value, name=self.attr_name)
        if self.is_key or moment.microsecond % 1_000:
            precision = "microseconds"
        else:
            precision = "milliseconds" if moment.microsecond else "seconds"
        return moment.isoformat(timespec=precision).replace("+00:00", "Z")

    def deserialize(self, value: str) -> datetime:
        """The aware time in UTC."""
        return parse_time(value)


class TextsAttribute(Attribute[tuple[str, ...]]):
    """A tuple of str as L."""

    attr_type = LIST

    def serialize(self, value: Any) -> list[dict[str, str]]:
        """The texts, typed one by one."""
        return [{STRING: text} for text in value]

    def deserialize(self, value: list[dict[str, str]]) -> tuple[str, ...]:
        """The texts in their order."""
        return tuple(text[STRING] for text in value)


class FillsAttribute(Attribute[tuple[Fill, ...]]):
    """Fills as one S: a JSON list of [trade id, quantity, price, cost, fee, fee asset], about 60 bytes a fill.

    A write unit is 1,024 bytes of the whole item, so the names of the fields are not repeated for each fill.
    """

    attr_type = STRING

    def serialize(self, value: Any) -> str:
        """The fills as compact JSON; amounts are text in it, so that no digit is lost."""
        rows = [
            [
                fill.trade_id,
                *(_digits(getattr(fill, name), name=name) for name in ("quantity", "price", "cost", "fee")),
                fill.fee_asset,
            ]
            for fill in value
        ]
        return json.dumps(rows, separators=(",", ":"), ensure_ascii=False)

    def deserialize(self, value: str) -> tuple[Fill, ...]:
        """The fills in their order."""
        return tuple(
            Fill(
                trade_id=trade_id,
                quantity=Decimal(quantity),
                price=Decimal(price),
                cost=Decimal(cost),
                fee=Decimal(fee),
                fee_asset=fee_asset,
            )
            for trade_id, quantity, price, cost, fee, fee_asset in json.loads(value)
        )


def _digits(amount: Decimal, *, name: str) -> str:
    return plain(to_decimal(amount, name=name))


class MappingAttribute(Attribute[Mapping[str, Any]]):
    """A mapping of plain values as S (JSON): parameters, numbers for people. Money in it must be text.

    JSON and not M, because pynamodb takes a one-entry map such as {"S": ...} (an asset's name) for an encoded value.
    """

    attr_type = STRING

    def serialize(self, value: Any) -> str:
        """JSON with sorted keys; TypeError for what JSON has no word for (Decimal), ValueError for NaN."""
        return json.dumps(dict(value), separators=(",", ":"), ensure_ascii=False, sort_keys=True, allow_nan=False)

    def deserialize(self, value: str) -> Mapping[str, Any]:
        """The mapping as a dict."""
        loaded: dict[str, Any] = json.loads(value)
        return loaded


class RulesAttribute(Attribute[Any]):
    """A dataclass of plain values as S (JSON): an operator's rules. Amounts are text, what has its default is left out.

    Every bot is read at every tick: a byte saved here is a byte less of each read.
    """

    attr_type = STRING

    def __init__(self, kind: type[Any]) -> None:
        super().__init__()
        self.kind = kind

    def serialize(self, value: Any) -> str:
        """JSON with sorted keys; TypeError for another class."""
        if not isinstance(value, self.kind):
            raise TypeError(f"must be {self.kind.__name__}, was {type(value).__name__}")
        defaults = {field.name: field.default for field in fields(self.kind)}
        kept = {name: told for name, told in to_wire(value).items() if getattr(value, name) != defaults[name]}
        return json.dumps(kept, separators=(",", ":"), ensure_ascii=False, sort_keys=True)

    def deserialize(self, value: str) -> Any:
        """The dataclass."""
        return from_wire(self.kind, json.loads(value))
