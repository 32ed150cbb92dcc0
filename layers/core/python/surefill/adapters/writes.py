"""What every store demands of a write, and which guards of it a stored row does not meet: one answer for all stores."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, get_args, get_type_hints

from surefill.domain.rows import Row, Slot
from surefill.protocol.transaction import Check, FailedGuard, FieldOf, Key, Put, Update, Write, holds

# Named when an update without a telling guard of its own meets no row, and the row can't be made from its key alone.
ROW_EXISTS = "row_exists"


def _required(row: type[Row]) -> frozenset[str]:
    """Fields that can't be without a value: no default, and None is not one of their values."""
    hints = get_type_hints(row)
    return frozenset(
        field.name
        for field in fields(row)
        if field.default is MISSING
        and field.default_factory is MISSING
        and type(None) not in get_args(hints[field.name])
    )


_FIELDS: Mapping[str, Mapping[str, Field[Any]]] = {
    row.TABLE: {field.name: field for field in fields(row)} for row in get_args(Row)
}
_REQUIRED: Mapping[str, frozenset[str]] = {row.TABLE: _required(row) for row in get_args(Row)}


def key_values(key: Key) -> tuple[str, ...]:
    """The values of a key; ValueError when one is missing or empty."""
    if len(key.values) != len(key.row.KEY) or not all(key.values):
        raise ValueError(f"a key of {key.row.__name__} must give {', '.join(key.row.KEY)}, was {key.values!r}")
    return key.values


def require_sense(write: Write) -> None:
    """Refuse a write that no store may take.

    AttributeError for a field the row does not have (misspelt in a guard, it would be "missing" for ever). ValueError
    for a check without guards, and for an update that changes nothing, a key, one field twice, or removes a field that
    must have a value.
    """
    row = write.key.row
    key_values(write.key)
    if isinstance(write, Put):
        return
    if isinstance(write, Check) and not write.guards:
        raise ValueError(f"a check of {row.__name__} must have guards, had none")
    named = {guard.field for guard in write.guards}
    named |= {guard.value.name for guard in write.guards if isinstance(guard.value, FieldOf)}
    if isinstance(write, Update):
        named |= _changes(write)
    unknown = named - _FIELDS[row.TABLE].keys()
    if unknown:
        raise AttributeError(f"{row.__name__} must have every field named, lacks {sorted(unknown)}")


def _changes(update: Update) -> set[str]:
    row, changes = update.key.row, update.set.keys() | update.add.keys()
    if not changes or update.set.keys() & update.add.keys() or changes & set(row.KEY):
        raise ValueError(f"{row.__name__} must be updated by fields that are no key, each once; was {update!r}")
    removed = {name for name, value in update.set.items() if value is None} & _REQUIRED[row.TABLE]
    if removed:
        raise ValueError(f"{row.__name__} must keep {sorted(removed)}, was to lose them")
    return changes


def is_required(row: type[Row], name: str) -> bool:
    """Whether a field can't be without a value."""
    return name in _REQUIRED[row.TABLE]


def default_of(row: type[Row], name: str) -> Any:
    """What a field is when nothing is stored for it; ValueError for a field that must have a value."""
    field = _FIELDS[row.TABLE][name]
    if name in _REQUIRED[row.TABLE]:
        raise ValueError(f"{row.__name__}.{name} must have a value, has no default")
    if field.default_factory is not MISSING:
        return field.default_factory()
    return None if field.default is MISSING else field.default


def needs_row(row: type[Row]) -> bool:
    """Whether an update must find a row of this class: its key alone does not make one (a budget has a currency)."""
    return bool(_REQUIRED[row.TABLE] - set(row.KEY))


def unmet(write: Write, row: Row | None) -> tuple[str, ...]:
    """Names of the guards of `write` that do not hold on the stored `row` (None: no such row); empty when all do."""
    match write:
        case Put():
            return () if row is None else (write.name,)
        case Update() | Check():
            names = tuple(guard.name for guard in write.guards if not holds(guard, row))
            if not names and row is None and isinstance(write, Update) and needs_row(write.key.row):
                return (ROW_EXISTS,)
            return names


def failed_guards(write: Write, row: Row | None) -> tuple[FailedGuard, ...]:
    """The guards of a write that was refused, with the row it met.

    The row may have changed between the refusal and its image (or the engine gave none): then no single guard can be
    named, and all of them are.
    """
    names = unmet(write, row) or _all_names(write)
    return tuple(FailedGuard(name, write.key, row) for name in names)


def _all_names(write: Write) -> tuple[str, ...]:
    if isinstance(write, Put):
        return (write.name,)
    return tuple(guard.name for guard in write.guards) or (ROW_EXISTS,)


def owned_by(slot: Slot, owner: str) -> bool:
    """Whether a slot found by the beginning of its owner key is this owner's: its own, or one of its rungs."""
    return slot.owner_key == owner or slot.owner_key.startswith(f"{owner}|")
