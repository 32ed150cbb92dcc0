"""The two state machines: one-way, and nothing leaves a final state except by the rules that are listed."""

import pytest

from surefill.domain.states import (
    INTENT_TRANSITIONS,
    POSTED,
    SLOT_TRANSITIONS,
    UNFINISHED,
    IllegalTransitionError,
    IntentState,
    SlotState,
    predecessors,
    require_transition,
)


def test_every_state_is_in_its_table() -> None:
    assert set(INTENT_TRANSITIONS) == set(IntentState)
    assert set(SLOT_TRANSITIONS) == set(SlotState)


def test_a_posted_order_never_becomes_unsent_again() -> None:
    for state in POSTED:
        assert IntentState.RESERVED not in INTENT_TRANSITIONS[state]


def test_an_accepted_order_cannot_be_voided() -> None:
    assert IntentState.VOID not in INTENT_TRANSITIONS[IntentState.ACCEPTED]


def test_finished_states_end_except_for_late_evidence() -> None:
    finished = set(IntentState) - UNFINISHED
    assert {state: INTENT_TRANSITIONS[state] for state in finished if INTENT_TRANSITIONS[state]} == {
        IntentState.VOID: {IntentState.ADOPTED}
    }


def test_predecessors_read_the_table_backwards() -> None:
    assert set(predecessors(SLOT_TRANSITIONS, SlotState.CLOSING)) == {SlotState.OPEN}


def test_an_illegal_change_names_what_was_allowed() -> None:
    with pytest.raises(IllegalTransitionError, match="may become none, it is final; was asked for SENT"):
        require_transition(INTENT_TRANSITIONS, IntentState.FILLED, IntentState.SENT)
