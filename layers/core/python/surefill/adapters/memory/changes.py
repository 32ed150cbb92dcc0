"""What a write makes of a row in memory: checked as every store checks it, with the work per class done once."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from itertools import repeat
from operator import attrgetter, call
from typing import Any, TypeVar, cast, get_args, get_type_hints

from surefill.adapters.writes import default_of, is_required, key_values, require_sense
from surefill.domain.money import EXACT, ZERO, AmountError
from surefill.domain.rows import Row
from surefill.protocol.transaction import Check, FieldOf, Put, Update, Write

AnyRow = TypeVar("AnyRow", bound=Row)
_EXACT_TYPES = frozenset({Decimal, type(None)})


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is known of a row class: how to read all its fields at once, and how to write each into a new row."""

    row: type[Row]
    values: Callable[[Row], tuple[Any, ...]]
    setters: Mapping[str, Callable[[Any, Any], None]]
    amounts: Callable[[Row], tuple[Any, ...]] | None
    amount_names: tuple[str, ...]
    settable: frozenset[str]
    required: frozenset[str]


def _shape(row: type[Row]) -> _Shape:
    hints = get_type_hints(row)
    names = tuple(field.name for field in fields(row))
    amounts = tuple(name for name in names if hints[name] in (Decimal, Decimal | None))
    return _Shape(
        row=row,
        values=attrgetter(*names),
        setters={name: getattr(row, name).__set__ for name in names},
        amounts=attrgetter(*amounts, amounts[0]) if amounts else None,
        amount_names=amounts,
        settable=frozenset(names) - frozenset(row.KEY),
        required=frozenset(name for name in names if is_required(row, name)),
    )


_SHAPES: Mapping[str, _Shape] = {row.TABLE: _shape(row) for row in get_args(Row)}


def exact(row: AnyRow) -> AnyRow:
    """The row, when its amounts are amounts: a float has lost digits before it is stored."""
    shape = _SHAPES[row.TABLE]
    if shape.amounts is not None and not _EXACT_TYPES.issuperset(map(type, shape.amounts(row))):
        for name in shape.amount_names:
            _exact_amount(name, getattr(row, name))
    return row


def _exact_amount(name: str, value: Any) -> None:
    if isinstance(value, float):
        raise AmountError(f"{name} must be a decimal number given as text, was {value!r}")


def check(write: Write) -> None:
    """What `require_sense` demands, found out at a glance; only a write that fails the glance is taken apart."""
    if not _sensible(write):
        require_sense(write)


def _sensible(write: Write) -> bool:
    if isinstance(write, Put):
        return True  # its key is checked with the row
    shape, guards = _SHAPES[write.key.row.TABLE], write.guards
    setters = shape.setters
    for guard in guards:
        if guard.field not in setters or (type(guard.value) is FieldOf and guard.value.name not in setters):
            return False
    if isinstance(write, Check):
        return bool(guards)
    for name, value in write.set.items():
        if name not in shape.settable or (value is None and name in shape.required):
            return False
    for name in write.add:
        if name not in shape.settable or name in write.set:
            return False
    return bool(write.set or write.add)


def changed(update: Update, row: Row | None) -> Row:
    """The row after the update; a missing one is made from its key and the defaults first."""
    key = update.key
    if row is None:
        key_values(key)
        made: Any = key.row
        row = cast("Row", made(**key.as_fields()))
    shape = _SHAPES[key.row.TABLE]
    setters = shape.setters
    after: Any = object.__new__(cast("type[Any]", shape.row))
    deque(map(call, setters.values(), repeat(after), shape.values(row)), maxlen=0)
    for name, value in update.set.items():
        if isinstance(value, float) and name in shape.amount_names:
            _exact_amount(name, value)
        setters[name](after, default_of(shape.row, name) if value is None else value)
    for name, amount in update.add.items():
        setters[name](after, _sum(getattr(row, name), amount, name=name))
    return cast("Row", after)


def _sum(current: Any, amount: Any, *, name: str) -> Any:
    if isinstance(amount, Decimal) and isinstance(current, Decimal | None):
        return EXACT.add(current or ZERO, amount)
    if isinstance(current, int | None) and isinstance(amount, int):
        return (current or 0) + amount
    raise AmountError(f"{name} must be added to in its own kind of number, was {current!r} plus {amount!r}")
