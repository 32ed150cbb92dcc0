"""What an update makes of a row in memory."""

from collections.abc import Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, TypeVar, cast, get_args, get_type_hints

from surefill.adapters.writes import default_of
from surefill.domain.money import ZERO, AmountError, add
from surefill.domain.rows import Row
from surefill.protocol.transaction import Update

AnyRow = TypeVar("AnyRow", bound=Row)


def _amount_names(row: type[Row]) -> tuple[str, ...]:
    hints = get_type_hints(row)
    return tuple(field.name for field in fields(row) if hints[field.name] in (Decimal, Decimal | None))


_AMOUNTS: Mapping[str, tuple[str, ...]] = {row.TABLE: _amount_names(row) for row in get_args(Row)}


def exact(row: AnyRow) -> AnyRow:
    """The row, when its amounts are amounts: a float has lost digits before it is stored."""
    for name in _AMOUNTS[row.TABLE]:
        if isinstance(getattr(row, name), float):
            raise AmountError(f"{name} must be a decimal number given as text, was {getattr(row, name)!r}")
    return row


def changed(update: Update, row: Row | None) -> Row:
    """The row after the update; a missing one is made from its key and the defaults first."""
    if row is None:
        made: Any = update.key.row
        row = cast("Row", made(**update.key.as_fields()))
    changes = {name: default_of(type(row), name) if value is None else value for name, value in update.set.items()}
    changes |= {name: _sum(getattr(row, name), amount, name=name) for name, amount in update.add.items()}
    return exact(replace(row, **changes))


def _sum(current: Any, amount: Any, *, name: str) -> Any:
    if isinstance(current, int | None) and isinstance(amount, int):
        return (current or 0) + amount
    if isinstance(current, Decimal | None) and isinstance(amount, Decimal):
        return add(current or ZERO, amount)
    raise AmountError(f"{name} must be added to in its own kind of number, was {current!r} plus {amount!r}")
