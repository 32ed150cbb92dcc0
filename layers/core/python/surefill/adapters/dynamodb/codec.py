"""Rows to items and back, from the type hints of the row classes: a field added to a row is stored without more code.

Every field that is not None is stored under its own name; None is absent, and so are rules that are all defaults. A
field absent from an item has its default.
"""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from pynamodb.attributes import Attribute

from surefill.adapters.dynamodb.attributes import (
    AmountAttribute,
    CountAttribute,
    FillsAttribute,
    FlagAttribute,
    MappingAttribute,
    RulesAttribute,
    TextAttribute,
    TextsAttribute,
    TimeAttribute,
    WordAttribute,
)
from surefill.adapters.dynamodb.schema import ROWS, TABLES
from surefill.adapters.writes import default_of, is_required
from surefill.domain.rows import Fill, Row

Item = Mapping[str, dict[str, Any]]
AnyRow = TypeVar("AnyRow", bound=Row)


def _attributes(row: type[Row]) -> Mapping[str, Attribute[Any]]:
    hints = get_type_hints(row)
    schema = TABLES[row.TABLE]
    attributes: dict[str, Attribute[Any]] = {}
    for field in fields(row):
        is_key = field.name in schema.key_names
        attribute = _attribute(_without_none(hints[field.name]), is_key=is_key, where=f"{row.__name__}.{field.name}")
        attribute.is_hash_key = field.name == schema.partition_key
        attribute.is_range_key = field.name == schema.sort_key
        attribute.null = field.name not in row.KEY
        attribute.attr_name = field.name
        if is_key and attribute.attr_type != "S":
            raise TypeError(f"{row.__name__}.{field.name} must be stored as text, because it is a key")
        attributes[field.name] = attribute
    return attributes


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        rest = [part for part in get_args(hint) if part is not type(None)]
        return rest[0] if len(rest) == 1 else hint
    return hint


def _attribute(hint: Any, *, is_key: bool, where: str) -> Attribute[Any]:
    simple: dict[Any, type[Attribute[Any]]] = {
        Decimal: AmountAttribute,
        int: CountAttribute,
        bool: FlagAttribute,
        str: TextAttribute,
        tuple[str, ...]: TextsAttribute,
        tuple[Fill, ...]: FillsAttribute,
    }
    if hint in simple:
        return simple[hint]()
    if hint is datetime:
        return TimeAttribute(is_key=is_key)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return WordAttribute(hint)
    if get_origin(hint) is Mapping:
        return MappingAttribute()
    if isinstance(hint, type) and is_dataclass(hint):
        return RulesAttribute(hint)
    raise TypeError(f"{where} must have a type that can be stored, was {hint!r}")


def _defaults(row: type[Row]) -> Mapping[str, Any]:
    values = {field.name: default_of(row, field.name) for field in fields(row) if not is_required(row, field.name)}
    return {name: value for name, value in values.items() if value is not None}


_ATTRIBUTES = {row.TABLE: _attributes(row) for row in ROWS}
_DEFAULTS = {row.TABLE: _defaults(row) for row in ROWS}


def attributes_of(row: type[Row]) -> Mapping[str, Attribute[Any]]:
    """The attribute of each field of a row class, by name."""
    return _ATTRIBUTES[row.TABLE]


def defaults_of(row: type[Row]) -> Mapping[str, Any]:
    """The default of each field that has one; None is left out: it means absent."""
    return _DEFAULTS[row.TABLE]


def attribute_of(row: type[Row], name: str) -> Attribute[Any]:
    """The attribute of one field; AttributeError when the row has no such field."""
    attribute = attributes_of(row).get(name)
    if attribute is None:
        raise AttributeError(f"{row.__name__} must have a field {name!r} to store, guard or add to, had none")
    return attribute


def encoded(row: type[Row], name: str, value: Any) -> dict[str, Any]:
    """One value as it is stored in field `name`; AttributeError when the row has no such field."""
    attribute = attribute_of(row, name)
    return {attribute.attr_type: attribute.serialize(value)}


def encode(row: Row) -> dict[str, dict[str, Any]]:
    """A row as an item. Raises AmountError, TypeError or ValueError for a value that would not come back the same."""
    item: dict[str, dict[str, Any]] = {}
    for name, attribute in attributes_of(type(row)).items():
        value = getattr(row, name)
        # Rules that nobody changed take no room: every bot is read at every tick.
        plain_rules = isinstance(attribute, RulesAttribute) and value == default_of(type(row), name)
        if value is not None and not plain_rules:
            item[name] = {attribute.attr_type: attribute.serialize(value)}
    return item


def decode(row: type[AnyRow], item: Item) -> AnyRow:
    """The row stored in an item (also in a stream's image). Attributes the row has no field for are left alone.

    Raises ValueError when a field that must have a value is absent.
    """
    kind = cast("type[Row]", row)
    values = {
        name: attribute.deserialize(attribute.get_value(item[name])) if name in item else default_of(kind, name)
        for name, attribute in attributes_of(kind).items()
    }
    return row(**values)
