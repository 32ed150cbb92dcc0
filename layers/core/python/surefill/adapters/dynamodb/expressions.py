"""Guards and changes as DynamoDB expressions that mean exactly what `holds` and the in-memory store mean.

A field absent from a stored item stands for its default (see codec), so a condition on such a field must say so: a slot
written before a field existed, or by an update that did not name it, is judged as the row it is read back as.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.expressions.update import Action, AddAction, RemoveAction, SetAction

from surefill.adapters.dynamodb.attributes import AmountAttribute, CountAttribute, TextAttribute, TimeAttribute
from surefill.adapters.dynamodb.codec import attribute_of, defaults_of, encoded
from surefill.adapters.writes import needs_row
from surefill.domain.rows import Row
from surefill.protocol.transaction import FieldOf, Guard, Op, Put, Update, Write, holds

# A condition that is already known to hold or not to hold is True or False.
_Term = Condition | bool
_COMPARISONS: Mapping[Op, Callable[[Path | Value, Path | Value], Condition]] = {
    Op.EQUAL: operator.eq,
    Op.LESS: operator.lt,
    Op.AT_MOST: operator.le,
    Op.AT_LEAST: operator.ge,
}


def condition_of(write: Write) -> Condition | None:
    """The condition under which `write` may happen; None when there is none."""
    row = write.key.row
    if isinstance(write, Put):
        return _absent(row)
    terms = [_guard(row, guard) for guard in write.guards]
    if isinstance(write, Update) and needs_row(row) and not any(_finds_row(guard) for guard in write.guards):
        terms.append(_present(row))
    term = _all(*terms)
    if isinstance(term, bool):
        return None if term else cast("Condition", _present(row) & _absent(row))
    return term


def actions_of(update: Update) -> list[Action]:
    """What an update changes."""
    row = update.key.row
    changes = [_set(row, name, value) for name, value in update.set.items()]
    return changes + [AddAction(_path(row, name), _value(row, name, amount)) for name, amount in update.add.items()]


def _set(row: type[Row], name: str, value: Any) -> Action:
    return RemoveAction(_path(row, name)) if value is None else SetAction(_path(row, name), _value(row, name, value))


def _guard(row: type[Row], guard: Guard) -> _Term:
    """The guard as a condition; `row` tells types and defaults."""
    if guard.op in (Op.MISSING, Op.PRESENT):
        # A field with a default is missing only where the whole row is.
        subject = row.KEY[0] if guard.field in defaults_of(row) else guard.field
        return _without(row, subject) if guard.op is Op.MISSING else _with(row, subject)
    _require_order(row, guard)
    if isinstance(guard.value, FieldOf):
        return _any(_against_field(row, guard, other=guard.value.name))
    if guard.value is None:
        return guard.or_missing
    return _any(_against_value(row, guard))


def _against_value(row: type[Row], guard: Guard) -> Iterator[_Term]:
    yield _compared(row, guard, guard.value)
    has_default, defaulted = guard.field in defaults_of(row), _holds_by_default(row, guard)
    if guard.or_missing and (defaulted or not has_default):
        yield _without(row, guard.field)
    elif guard.or_missing:
        yield _absent(row)
    elif defaulted:
        yield _all(_without(row, guard.field), _present(row))


def _against_field(row: type[Row], guard: Guard, *, other: str) -> Iterator[_Term]:
    """Both sides are fields: each may be stored, stand for its default, or be missing."""
    left, right, defaults = _path(row, guard.field), _path(row, other), defaults_of(row)
    # Engines differ on whether nothing equals nothing.
    yield _all(_with(row, guard.field) if guard.op is Op.EQUAL else True, _COMPARISONS[guard.op](left, right))
    if guard.field in defaults:
        stood_for = _value(row, guard.field, defaults[guard.field])
        yield _all(_without(row, guard.field), _COMPARISONS[guard.op](stood_for, right))
    if other in defaults:
        yield _all(_compared(row, guard, defaults[other]), _without(row, other))
    if _holds_by_default(row, guard):
        yield _all(_without(row, guard.field), _without(row, other), _present(row))
    if guard.or_missing:
        without = [name for name in (guard.field, other) if name not in defaults]
        yield from (_without(row, name) for name in without or [row.KEY[0]])


def _compared(row: type[Row], guard: Guard, value: Any) -> _Term:
    path = _path(row, guard.field)
    if guard.op is Op.ONE_OF:
        return path.is_in(*(_value(row, guard.field, one) for one in value)) if value else False
    return _COMPARISONS[guard.op](path, _value(row, guard.field, value))


def _holds_by_default(row: type[Row], guard: Guard) -> bool:
    """Whether the guard holds where its fields are absent from a stored item, asked of the one judge of guards."""
    return holds(replace(guard, or_missing=False), cast("Row", SimpleNamespace(**defaults_of(row))))


def _require_order(row: type[Row], guard: Guard) -> None:
    """Refuse an order that the stored form does not have: times are written short unless they are keys."""
    attribute = attribute_of(row, guard.field)
    ordered = isinstance(attribute, AmountAttribute | CountAttribute | TextAttribute) or (
        isinstance(attribute, TimeAttribute) and attribute.is_key
    )
    if guard.op in (Op.LESS, Op.AT_MOST, Op.AT_LEAST) and not ordered:
        raise ValueError(f"guard {guard.name} must order a number or a text, was {row.__name__}.{guard.field}")


def _finds_row(guard: Guard) -> bool:
    """Whether the guard fails by itself when there is no row."""
    return guard.op is not Op.MISSING and not guard.or_missing


def _present(row: type[Row]) -> Condition:
    return _with(row, row.KEY[0])


def _absent(row: type[Row]) -> Condition:
    return _without(row, row.KEY[0])


def _with(row: type[Row], name: str) -> Condition:
    return _path(row, name).exists()


def _without(row: type[Row], name: str) -> Condition:
    return _path(row, name).does_not_exist()


def _path(row: type[Row], name: str) -> Path:
    return Path(attribute_of(row, name))


def _value(row: type[Row], name: str, value: Any) -> Value:
    # Always handed over encoded: pynamodb guesses the type of a bare value, and takes {"S": ...} for an encoded one.
    return Value(encoded(row, name, value))


def _all(*terms: _Term) -> _Term:
    joined: _Term = True
    for term in terms:
        if term is False or joined is False:
            return False
        if not isinstance(term, bool):
            joined = term if isinstance(joined, bool) else cast("Condition", joined & term)
    return joined


def _any(terms: Iterator[_Term]) -> _Term:
    joined: _Term = False
    for term in terms:
        if term is True:
            return True
        if not isinstance(term, bool):
            joined = term if isinstance(joined, bool) else cast("Condition", joined | term)
    return joined
