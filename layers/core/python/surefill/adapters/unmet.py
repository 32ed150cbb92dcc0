"""Which guards of a write a stored row does not meet: one answer for every store."""

from dataclasses import MISSING, fields
from functools import cache

from surefill.domain.rows import Row
from surefill.protocol.transaction import Check, FailedGuard, Put, Update, Write, holds

# Named when an update without a telling guard of its own meets no row, and the row can't be made from its key alone.
ROW_EXISTS = "row_exists"


@cache
def needs_row(row: type[Row]) -> bool:
    """Whether an update must find a row of this class: its key alone does not make one (a budget has a currency)."""
    return any(
        field.name not in row.KEY and field.default is MISSING and field.default_factory is MISSING
        for field in fields(row)
    )


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
