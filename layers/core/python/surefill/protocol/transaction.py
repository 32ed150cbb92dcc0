"""Transactions as data: what is written, and under which named guards. Stores only interpret them.

Because the guards are data, the in-memory store, DynamoDB and the model checker run the same protocol, and a guard that
fails can be named with the values it saw.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from surefill.domain.rows import Row


class Op(StrEnum):
    """How a guard compares the stored field with its value."""

    EQUAL = "="
    LESS = "<"
    AT_MOST = "<="
    AT_LEAST = ">="
    ONE_OF = "in"
    MISSING = "missing"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class FieldOf:
    """Stands for another field of the same row on the right-hand side of a guard."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One condition, with the word that says what it protects. `or_missing` also passes when the field is not stored.

    For a guard against another field (`FieldOf`) `or_missing` passes when either side is not stored.
    """

    name: str
    field: str
    op: Op
    value: Any = None
    or_missing: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """Identity of a row: its class and its key values in the order of `KEY`."""

    row: type[Row]
    values: tuple[str, ...]

    def as_fields(self) -> dict[str, str]:
        """The key as field -> value."""
        return dict(zip(self.row.KEY, self.values, strict=True))


def key_of(row: Row) -> Key:
    """The key of a stored row."""
    return Key(type(row), tuple(getattr(row, name) for name in row.KEY))


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Write a new row; the transaction fails when one is already stored under its key."""

    row: Row
    name: str = "is_new"

    @property
    def key(self) -> Key:
        """Where the row goes."""
        return key_of(self.row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Change fields of a row: `set` replaces (None removes), `add` adds to a number (missing counts as 0)."""

    key: Key
    set: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, Any] = field(default_factory=dict)
    guards: tuple[Guard, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Only test the guards of a row."""

    key: Key
    guards: tuple[Guard, ...]


Write = Put | Update | Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """All or nothing. `token` makes a resend within ten minutes harmless; beyond it the guards do."""

    name: str
    token: str
    writes: tuple[Write, ...]

    def __post_init__(self) -> None:
        keys = [write.key for write in self.writes]
        if len(set(keys)) != len(keys):
            raise ValueError(f"transaction {self.name} must not touch a row twice")
        if len(keys) > 25:
            raise ValueError(f"transaction {self.name} must have at most 25 writes, had {len(keys)}")


@dataclass(frozen=True, slots=True)
class FailedGuard:
    """A guard that did not hold, with the row it saw (None: no such row)."""

    name: str
    key: Key
    row: Row | None


class GuardFailedError(Exception):
    """Nothing was written, because at least one guard did not hold."""

    def __init__(self, *, transaction: str, failed: tuple[FailedGuard, ...]) -> None:
        self.transaction = transaction
        self.failed = failed
        super().__init__(f"{transaction}: {', '.join(guard.name for guard in failed)}")

    def names(self) -> frozenset[str]:
        """The names of the guards that failed."""
        return frozenset(guard.name for guard in self.failed)

    def row_of(self, row_type: type[Row]) -> Row | None:
        """The stored row of this class that a failed guard saw."""
        return next((guard.row for guard in self.failed if isinstance(guard.row, row_type)), None)


def holds(guard: Guard, row: Row | None) -> bool:
    """Whether `guard` holds on `row` (None: no such row). Fields that are None or absent count as missing.

    Used by the in-memory store to decide and by the DynamoDB store to name the guard that failed.
    """
    op = guard.op
    current = None if row is None else getattr(row, guard.field, None)
    if op is Op.MISSING:
        return current is None
    if op is Op.PRESENT:
        return current is not None
    expected = guard.value
    if type(expected) is FieldOf:
        expected = None if row is None else getattr(row, expected.name, None)
    if current is None or expected is None:
        return guard.or_missing
    return _compare(op, current, expected)


def _compare(op: Op, current: Any, expected: Any) -> bool:
    # Enum members are compared by identity, the most frequent first: stores ask this for every guard of every write.
    if op is Op.EQUAL:
        return bool(current == expected)
    if op is Op.ONE_OF:
        return current in expected
    if op is Op.AT_LEAST:
        return bool(current >= expected)
    if op is Op.LESS:
        return bool(current < expected)
    if op is Op.AT_MOST:
        return bool(current <= expected)
    raise AssertionError(f"guard operator {op} is not comparable")
