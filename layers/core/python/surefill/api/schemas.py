"""JSON Schemas of what `wire.to_wire` makes of dataclasses: a field added to one is described without further code.

Not loaded when the function runs: only the API's description is made from them.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
AMOUNT: Schema = {"$ref": "#/components/schemas/Amount"}
TIME: Schema = {"$ref": "#/components/schemas/Time"}
_PLAIN: Mapping[Any, Schema] = {str: TEXT, int: COUNT, bool: FLAG, float: {"type": "number"}}
_BASIC: Mapping[str, Schema] = {
    "Amount": {
        "type": "string",
        "description": "A decimal number, exact, without an exponent.",
        "pattern": r"^-?\d+(\.\d+)?$",
        "examples": ["12.5"],
    },
    "Time": {
        "type": "string",
        "format": "date-time",
        "description": "ISO 8601 in UTC; milliseconds only when there are any.",
        "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$",
        "examples": ["2026-01-31T00:00:00Z"],
    },
}


@dataclass(frozen=True, slots=True)
class Schemas:
    """Schemas under their names. To name a dataclass is to name everything in it."""

    named: dict[str, Schema] = field(default_factory=lambda: dict(_BASIC))

    def name(self, name: str, schema: Schema) -> Schema:
        """A reference to the schema, known by this name from now on; ValueError when another one has the name."""
        known = self.named.setdefault(name, schema)
        if known != schema:
            raise ValueError(f"{name} must name one schema, was {known} and {schema}")
        return {"$ref": f"#/components/schemas/{name}"}

    def of(self, hint: Any) -> Schema:
        """The schema of a value of this type; TypeError for a type that no answer has."""
        origin, arguments = get_origin(hint), get_args(hint)
        if origin in (Union, UnionType):
            options = [self.of(option) for option in arguments if option is not NoneType]
            return options[0] if len(options) == 1 else {"anyOf": options}
        if origin is tuple and arguments[1:] == (...,):
            return listed(self.of(arguments[0]))
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return by_name(self.of(arguments[1]))
        if is_dataclass(hint):
            kind = cast("type[Any]", hint)
            return self.name(kind.__name__, self.fields_of(kind))
        if isinstance(hint, type) and issubclass(hint, Enum):
            return self.name(hint.__name__, _words(hint))
        simple = {**_PLAIN, Decimal: AMOUNT, datetime: TIME, Any: {}}
        if hint not in simple:
            raise TypeError(f"a field of an answer must have a type that JSON has a word for, was {hint!r}")
        return simple[hint]

    def fields_of(self, kind: type[Any]) -> Schema:
        """The object that a dataclass becomes: a field that may be None is absent then, all others are there."""
        hints = get_type_hints(kind)
        shown = {item.name: hints[item.name] for item in fields(kind)}
        made = thing(
            {name: self.of(hint) for name, hint in shown.items()},
            absent=[name for name, hint in shown.items() if NoneType in get_args(hint)],
        )
        return {"description": " ".join(inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0].split()), **made}


def thing(properties: Mapping[str, Schema], *, absent: list[str] | None = None) -> Schema:
    """An object with these fields; those of `absent` may be left out."""
    required = [name for name in properties if name not in (absent or [])]
    return {"type": "object", "properties": dict(properties), "required": required}


def listed(item: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": item}


def by_name(value: Schema) -> Schema:
    """Such values under names that are not known beforehand."""
    return {"type": "object", "additionalProperties": value}


def or_null(schema: Schema) -> Schema:
    """This, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def always(value: bool) -> Schema:
    """A flag that has one value only."""
    return {"type": "boolean", "const": value}


def more(base: Schema, **added: Schema) -> Schema:
    """An object with fields that are always there."""
    return {**base, "properties": {**base["properties"], **added}, "required": [*base["required"], *added]}


def perhaps(base: Schema, **added: Schema) -> Schema:
    """An object with fields that may be absent."""
    return {**base, "properties": {**base["properties"], **added}}


def less(base: Schema, *hidden: str) -> Schema:
    """An object without some fields. KeyError names one it never had."""
    unknown = [name for name in hidden if name not in base["properties"]]
    if unknown:
        raise KeyError(unknown[0])
    return only(base, *(name for name in base["properties"] if name not in hidden))


def only(base: Schema, *kept: str) -> Schema:
    """An object with some of its fields. KeyError names one it never had."""
    properties = {name: base["properties"][name] for name in kept}
    return {**base, "properties": properties, "required": [name for name in kept if name in base["required"]]}


def _words(kind: type[Enum]) -> Schema:
    values = [word.value for word in kind]
    described = inspect.cleandoc(kind.__doc__ or "")
    return {"type": "string", "title": kind.__name__, "description": described, "enum": values}
