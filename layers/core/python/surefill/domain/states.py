"""The two state machines of the money protocol, each as one table. Whoever changes a state names its predecessor."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar


class IntentState(StrEnum):
    """Life of an order. RESERVED: money held, nothing sent. SENT: one worker may have posted it; now only look."""

    RESERVED = "RESERVED"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    ACCEPTED = "ACCEPTED"
    FILLED = "FILLED"
    EMPTY = "EMPTY"
    VOID = "VOID"
    ADOPTED = "ADOPTED"


class SlotState(StrEnum):
    """Life of the one place a bot has on a symbol; the position lives in it. HELD: a person must look."""

    EMPTY = "EMPTY"
    OPENING = "OPENING"
    OPEN = "OPEN"
    ADDING = "ADDING"
    REDUCING = "REDUCING"
    CLOSING = "CLOSING"
    HELD = "HELD"


class IllegalTransitionError(RuntimeError):
    """A state change that the tables below do not list was attempted: a defect, never a condition to be handled."""


_I = IntentState
INTENT_TRANSITIONS: Mapping[IntentState, frozenset[IntentState]] = {
    _I.RESERVED: frozenset({_I.SENT, _I.VOID}),
    _I.SENT: frozenset({_I.UNKNOWN, _I.ACCEPTED, _I.FILLED, _I.EMPTY, _I.VOID}),
    _I.UNKNOWN: frozenset({_I.ACCEPTED, _I.FILLED, _I.EMPTY, _I.VOID}),
    _I.ACCEPTED: frozenset({_I.FILLED, _I.EMPTY}),
    _I.FILLED: frozenset(),
    _I.EMPTY: frozenset(),
    _I.VOID: frozenset({_I.ADOPTED}),
    _I.ADOPTED: frozenset(),
}
UNFINISHED = frozenset({_I.RESERVED, _I.SENT, _I.UNKNOWN, _I.ACCEPTED})
# The states in which the venue may hold the order: nothing may be posted again, only looked for.
POSTED = frozenset({_I.SENT, _I.UNKNOWN, _I.ACCEPTED})

_S = SlotState
SLOT_TRANSITIONS: Mapping[SlotState, frozenset[SlotState]] = {
    _S.EMPTY: frozenset({_S.OPENING, _S.OPEN, _S.HELD}),
    _S.OPENING: frozenset({_S.OPEN, _S.EMPTY, _S.HELD}),
    _S.OPEN: frozenset({_S.ADDING, _S.REDUCING, _S.CLOSING, _S.EMPTY, _S.HELD}),
    _S.ADDING: frozenset({_S.OPEN, _S.HELD}),
    _S.REDUCING: frozenset({_S.EMPTY, _S.OPEN, _S.HELD}),
    _S.CLOSING: frozenset({_S.EMPTY, _S.OPEN, _S.HELD}),
    _S.HELD: frozenset({_S.OPEN, _S.EMPTY}),
}

# An order is under way: nothing else may be started on the slot.
IN_FLIGHT = frozenset({_S.OPENING, _S.ADDING, _S.REDUCING, _S.CLOSING})

State = TypeVar("State", IntentState, SlotState)


def predecessors(table: Mapping[State, frozenset[State]], target: State) -> tuple[State, ...]:
    """All states from which `table` allows to go to `target`, in a stable order."""
    return tuple(sorted(source for source, targets in table.items() if target in targets))


def require_transition(table: Mapping[State, frozenset[State]], source: State, target: State) -> None:
    """Raise IllegalTransitionError unless `table` lists source -> target."""
    if target not in table[source]:
        allowed = ", ".join(sorted(table[source])) or "none, it is final"
        raise IllegalTransitionError(f"{type(source).__name__} {source} may become {allowed}; was asked for {target}")
