"""Rows as JSON and back: for messages, workflow input and API answers. Amounts and times are text, exact both ways."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from surefill.domain.money import to_decimal
from surefill.domain.times import format_time, parse_time

Item = TypeVar("Item")


class WireError(ValueError):
    """A JSON body that does not describe the row it should."""


def to_wire(item: Any) -> dict[str, Any]:
    """The dataclass as a JSON-able mapping; fields that are None are left out."""
    return {
        entry.name: _out(getattr(item, entry.name)) for entry in fields(item) if getattr(item, entry.name) is not None
    }


def _out(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return to_wire(value)
    if isinstance(value, Mapping):
        return {key: _out(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_out(entry) for entry in value]
    return value


def from_wire(kind: type[Item], body: Mapping[str, Any]) -> Item:
    """The dataclass that `body` describes; raises WireError naming the field that does not fit."""
    hints = _hints(cast("type", kind))
    unknown = sorted(set(body) - set(hints))
    if unknown:
        raise WireError(f"{kind.__name__} has no field {unknown[0]!r}")
    # What `to_wire` left out: a field that may be None has no other default anywhere.
    values: dict[str, Any] = {name: None for name, hint in hints.items() if type(None) in get_args(hint)}
    for name, value in body.items():
        try:
            values[name] = _in(hints[name], value)
        except (TypeError, ValueError, AttributeError) as error:
            raise WireError(f"{kind.__name__}.{name}: {error}") from error
    try:
        return kind(**values)
    except TypeError as error:
        raise WireError(f"{kind.__name__}: {error}") from error


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    names = {entry.name for entry in fields(kind)}
    return {name: hint for name, hint in get_type_hints(kind).items() if name in names}


def _in(hint: Any, value: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        options = [option for option in get_args(hint) if option is not type(None)]
        return None if value is None else _in(options[0], value) if len(options) == 1 else value
    if hint is Decimal:
        return to_decimal(value)
    if hint is datetime:
        return parse_time(value)
    if get_origin(hint) is tuple:
        return tuple(_in(get_args(hint)[0], entry) for entry in value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if is_dataclass(hint):
        return from_wire(cast("type[Any]", hint), value)
    if get_origin(hint) is not None:
        return dict(value)
    if hint in (str, int, bool) and type(value) is not hint:
        raise TypeError(f"must be {hint.__name__}, was {value!r}")
    return value
