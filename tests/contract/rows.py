"""Hypothesis strategies for every row class, made from its type hints like the codec itself."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from surefill.adapters.dynamodb import TABLES
from surefill.domain.money import add, subtract
from surefill.domain.rows import Fill, LedgerEntry, Row

# Any character but lone surrogates, which no wire carries.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=24)
times = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
digits = st.integers(-(10**28) + 1, 10**28 - 1)
amounts = st.builds(lambda number, places: Decimal(number).scaleb(-places), digits, st.integers(-6, 30))
small_amounts = st.builds(lambda number: Decimal(number).scaleb(-8), st.integers(-(10**12), 10**12))
numbers = st.one_of(st.integers(-(10**15), 10**15), st.floats(allow_nan=False, allow_infinity=False))
fills = st.builds(Fill, trade_id=texts, quantity=amounts, price=amounts, cost=amounts, fee=amounts, fee_asset=texts)


def rows_of(row: type[Row]) -> st.SearchStrategy[Row]:
    """Rows of a class with any values a field may have, optional ones sometimes None."""
    if row is LedgerEntry:
        return _ledger_entries()
    return st.builds(row, **_fields(row))


def _fields(row: type[Row]) -> dict[str, st.SearchStrategy[Any]]:
    hints, keys = get_type_hints(row), TABLES[row.TABLE].key_names
    return {field.name: _values(hints[field.name], is_key=field.name in keys) for field in fields(row)}


def _rules(kind: type[Any]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: _values(hints[field.name], is_key=False) for field in fields(kind)})


def _values(hint: Any, *, is_key: bool) -> st.SearchStrategy[Any]:
    if get_origin(hint) in (Union, types.UnionType):
        inner = next(part for part in get_args(hint) if part is not type(None))
        return st.none() | _values(inner, is_key=is_key)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return st.sampled_from(hint)
    if get_origin(hint) is Mapping:
        value = texts if get_args(hint)[1] is str else st.one_of(texts, numbers, st.booleans())
        return st.dictionaries(texts, value, max_size=4)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        Decimal: amounts,
        int: st.integers(-(10**15), 10**15),
        bool: st.booleans(),
        str: texts.filter(bool) if is_key else texts,
        datetime: times,
        tuple[str, ...]: st.lists(texts, max_size=4).map(tuple),
        tuple[Fill, ...]: st.lists(fills, max_size=3).map(tuple),
    }
    if get_origin(hint) is tuple and hint not in simple:
        return st.lists(_values(get_args(hint)[0], is_key=False), max_size=3).map(tuple)
    if is_dataclass(hint):
        return _rules(hint)
    return simple[hint]


@st.composite
def _ledger_entries(draw: st.DrawFn) -> LedgerEntry:
    values = {name: draw(strategy) for name, strategy in _fields(LedgerEntry).items()}
    moved = {name: draw(small_amounts) for name in ("available", "reserved", "deployed", "funded")}
    held = add(moved["available"], moved["reserved"], moved["deployed"])
    return LedgerEntry(**{**values, **moved, "realised": subtract(held, moved["funded"])})
