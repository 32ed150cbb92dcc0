"""The schema of a dataclass is what `to_wire` makes of it, whatever is in it."""

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from surefill.api.schemas import COUNT, TEXT, Schemas, less, more, only, perhaps, thing
from surefill.domain.money import ZERO
from surefill.domain.records import Closing, PastTrade, Stop
from surefill.domain.rows import Account, Bot, Budget, Intent, JournalEntry, LedgerEntry, Slot
from surefill.domain.signals import Alert
from surefill.strategies.loading import Problem
from surefill.usecases.control.schedules import ScheduleState
from surefill.usecases.control.simulate import Simulated
from surefill.usecases.control.timeline import Timeline
from surefill.usecases.explain.model import Explanation
from surefill.usecases.explain.readiness import Readiness
from surefill.usecases.statistics import Statistics
from surefill.wire import to_wire
from tests.api.openapi import closed

ANSWERED = [
    Account, Alert, Bot, Budget, Closing, Explanation, Intent, JournalEntry, LedgerEntry, PastTrade, Problem, Readiness,
    ScheduleState, Simulated, Slot, Statistics, Stop, Timeline,
]  # fmt: skip
# An entry of the ledger conserves money; any other can't be made.
GIVEN = {LedgerEntry: dict.fromkeys(("available", "reserved", "deployed", "funded", "realised"), st.just(ZERO))}
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False)
TIMES = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  (hypothesis adds the zone)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SIMPLE = {
    Decimal: AMOUNTS, datetime: TIMES, float: FLOATS, str: st.text(max_size=5), int: st.integers(), bool: st.booleans(),
    NoneType: st.none(), Any: st.none() | st.text(max_size=5) | st.builds(str),
}  # fmt: skip


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return st.one_of(*map(values_of, arguments))
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=2).map(tuple)
    if origin is not None:
        return st.dictionaries(st.text(max_size=5), values_of(arguments[1]), max_size=2)
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        values = {item.name: values_of(hints[item.name]) for item in fields(hint)}
        return st.builds(hint, **{**values, **GIVEN.get(hint, {})})
    return st.sampled_from(hint) if isinstance(hint, type) and issubclass(hint, Enum) else SIMPLE[hint]


@pytest.mark.parametrize("kind", ANSWERED)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_dataclass_is_described_as_it_goes_over_the_wire(kind: type[Any], data: st.DataObject) -> None:
    schemas = Schemas()
    schema = schemas.fields_of(kind)
    found = Draft202012Validator(closed({**schema, "components": {"schemas": schemas.named}}), validate_formats=True)
    shown = json.loads(json.dumps(to_wire(data.draw(values_of(kind)))))
    found.validate(shown)
    assert not found.is_valid({**shown, "nobody": "described it"})
    for name in schema["properties"]:
        without = {key: value for key, value in shown.items() if key != name}
        assert found.is_valid(without) is (name not in schema["required"])
        assert not found.is_valid({**shown, name: None}), "nothing is null: what is None is left out"


@pytest.mark.parametrize("hint", [bytes, tuple[str, Decimal], set[str], list[str]])
def test_a_type_without_a_schema_is_refused(hint: Any) -> None:
    with pytest.raises(TypeError, match="JSON has a word for"):
        Schemas().of(hint)


def test_a_name_stands_for_one_schema() -> None:
    schemas = Schemas()
    assert schemas.name("One", TEXT) == schemas.name("One", TEXT) == {"$ref": "#/components/schemas/One"}
    with pytest.raises(ValueError, match="One must name one schema"):
        schemas.name("One", COUNT)


def test_objects_with_other_fields() -> None:
    base = thing({"a": TEXT, "b": COUNT}, absent=["b"])
    assert more(base, c=TEXT) == thing({"a": TEXT, "b": COUNT, "c": TEXT}, absent=["b"])
    assert perhaps(base, c=TEXT) == thing({"a": TEXT, "b": COUNT, "c": TEXT}, absent=["b", "c"])
    assert less(base, "a") == only(base, "b") == thing({"b": COUNT}, absent=["b"])
    for change in (less, only):
        with pytest.raises(KeyError, match="hidden"):
            change(base, "hidden")
