"""The parameters of a strategy: every number limited and described, and usable at its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from local.strategies.deciding import DecisionError, decided, positions_at
from local.strategies.markets import SYMBOLS, first_index, generated
from local.strategies.targets import with_examples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from surefill.strategies.base import Strategy

_NUMBERS = ("integer", "number")
_LOWER = ("minimum", "exclusiveMinimum")
_UPPER = ("maximum", "exclusiveMaximum")
_MOST_CANDLES = 5_000


def problem_of(kind: type[Strategy], params: Mapping[str, Any]) -> str | None:
    """What is wrong with the parameters of a strategy, or None."""
    given = with_examples(kind, params)
    if _accepted(kind, {**given, "not_a_parameter": 1}) is not None:
        return "an unknown parameter must be refused: Params must derive from surefill.strategies.base.Params"
    for name, schema in kind.Params.model_json_schema().get("properties", {}).items():
        if not schema.get("description"):
            return f"parameter {name} must have a description with its unit"
        number = number_schema(schema)
        if number is None:
            continue
        for ends in (_LOWER, _UPPER):
            if not any(end in number for end in ends):
                return f"parameter {name} must have a lower and an upper limit"
        for value in _at_limits(number):
            problem = _works(kind, {**given, name: value})
            if problem:
                return f"with {name} at its limit {value}: {problem}"
    return None


def number_schema(schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The part of a field's JSON Schema that says it is a number, or None."""
    options = [schema, *schema.get("anyOf", ())]
    return next((option for option in options if option.get("type") in _NUMBERS), None)


def _at_limits(schema: Mapping[str, Any]) -> Iterator[float]:
    if "minimum" in schema:
        yield schema["minimum"]
    if "maximum" in schema:
        yield schema["maximum"]


def _works(kind: type[Strategy], params: Mapping[str, Any]) -> str | None:
    """None also where the limit does not go with the other parameters: then it is refused, which is right."""
    strategy = _accepted(kind, params)
    if strategy is None:
        return None
    try:
        needs = strategy.needs(SYMBOLS, SYMBOLS[0])
    except Exception as error:
        return f"needs raised {type(error).__name__}: {error}"
    most = max([needs.candles, *(other.candles for other in needs.others)])
    if most > _MOST_CANDLES:
        return f"it needs {most} candles, more than the {_MOST_CANDLES} that are reasonable"
    count = first_index(needs, kind.default_timeframe) + 1
    market = generated(seed=1, count=count, timeframe=kind.default_timeframe)
    for position in positions_at(market, SYMBOLS[0], index=count - 1, needs=needs).values():
        try:
            decided(strategy, market.view(SYMBOLS[0], index=count - 1, needs=needs), position)
        except DecisionError as error:
            return str(error)
    return None


def _accepted(kind: type[Strategy], params: Mapping[str, Any]) -> Strategy | None:
    try:
        return kind(params)
    except ValidationError:
        return None
