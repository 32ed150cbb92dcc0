"""Rows as JSON and back: for messages, workflow input and API answers. Amounts and times are text, exact both ways."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from surefill.domain.money import to_decimal
from surefill.domain.times import format_time, parse_time

Item = TypeVar("Item")
Reader = Callable[[Any], Any]
_PLAIN = frozenset({str, int, bool})


class WireError(ValueError):
    """A JSON body that does not describe the row it should."""


def to_wire(item: Any) -> dict[str, Any]:
    """The dataclass as a JSON-able mapping; fields that are None are left out."""
    values = ((entry.name, getattr(item, entry.name)) for entry in fields(item))
    return {name: _out(value) for name, value in values if value is not None}


def _out(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Decimal):
        return f"{value:f}"  # never "0E-8", which readers of amounts do not expect
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
    readers, absent = _shape(cast("type", kind))
    unknown = sorted(set(body) - set(readers))
    if unknown:
        raise WireError(f"{kind.__name__} has no field {unknown[0]!r}")
    values = dict(absent)
    for name, value in body.items():
        try:
            values[name] = readers[name](value)
        except (TypeError, ValueError, AttributeError) as error:
            raise WireError(f"{kind.__name__}.{name}: {error}") from error
    try:
        return kind(**values)
    except TypeError as error:
        raise WireError(f"{kind.__name__}: {error}") from error


@cache
def _shape(kind: type) -> tuple[Mapping[str, Reader], Mapping[str, None]]:
    """How to read each field, and what `to_wire` left out: a field that may be None has no other default anywhere."""
    hints = get_type_hints(kind)
    readers = {entry.name: _reader(hints[entry.name]) for entry in fields(kind)}
    return readers, {name: None for name in readers if type(None) in get_args(hints[name])}


def _reader(hint: Any) -> Reader:
    """What makes a value of this type from its JSON form; raises TypeError, ValueError or AttributeError."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        options = [option for option in get_args(hint) if option is not type(None)]
        return _optional(_reader(options[0])) if len(options) == 1 else _as_is
    if hint is Decimal:
        return to_decimal
    if hint is datetime:
        return parse_time
    if origin is tuple:
        return _each(_reader(get_args(hint)[0]))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if is_dataclass(hint):
        return partial(from_wire, cast("type[Any]", hint))
    if origin is not None:
        return dict
    return _exactly(hint) if hint in _PLAIN else _as_is


def _optional(read: Reader) -> Reader:
    return lambda value: None if value is None else read(value)


def _each(read: Reader) -> Reader:
    return lambda value: tuple(read(entry) for entry in value)


def _exactly(kind: type) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"must be {kind.__name__}, was {value!r}")
        return value

    return read


def _as_is(value: Any) -> Any:
    return value
