"""The operator's rules of a bot as request bodies, made from the domain's own dataclasses: a field is told once."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from decimal import Decimal
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel, create_model

from surefill.api.amounts import Amount, Body
from surefill.domain.rules import ExitRules, GateRules, SizingRules
from surefill.usecases.control.errors import RequestRefusedError
from surefill.wire import WireError, from_wire

Rules = TypeVar("Rules", SizingRules, GateRules, ExitRules)


def _body_of(kind: type[Any], made: dict[type[Any], type[BaseModel]]) -> type[BaseModel]:
    if kind not in made:
        hints = get_type_hints(kind)
        shapes: dict[str, Any] = {item.name: (_shape(hints[item.name], made), _default(item)) for item in fields(kind)}
        made[kind] = create_model(f"{kind.__name__}Body", __base__=Body, __doc__=kind.__doc__, **shapes)
    return made[kind]


def _shape(hint: Any, made: dict[type[Any], type[BaseModel]]) -> Any:
    if hint is Decimal:
        return Amount
    if is_dataclass(hint):
        return _body_of(cast("type[Any]", hint), made)
    if get_origin(hint) is tuple:
        return list[_shape(get_args(hint)[0], made)]  # type: ignore[misc]
    if type(None) in get_args(hint):
        return _shape(get_args(hint)[0], made) | None
    return hint


def _default(item: "Field[Any]") -> Any:
    if item.default is MISSING:
        return ...
    return list(item.default) if isinstance(item.default, tuple) else item.default


_MADE: dict[type[Any], type[BaseModel]] = {}
SizingBody = _body_of(SizingRules, _MADE)
GatesBody = _body_of(GateRules, _MADE)
ExitsBody = _body_of(ExitRules, _MADE)


def rules_from(kind: type[Rules], body: Mapping[str, Any], *, field: str) -> Rules:
    """The rules that a body describes."""
    try:
        return from_wire(kind, body)
    except WireError as error:
        raise RequestRefusedError(field, str(error)) from None
