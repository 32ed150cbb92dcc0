"""The interpreter of the workflow definition does what the language says, and refuses what it does not know."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.asl import (
    CLOSE_ALL_WORKFLOW,
    ORDER_WORKFLOW,
    Call,
    Definition,
    Entered,
    Sleep,
    TaskFailedError,
    UnsupportedDefinitionError,
    execute,
    load,
    load_of_items,
)

Answers = list[Any]


def walk(
    answers: Answers, *, document: Any = None, definition: Definition | None = None
) -> tuple[list[str], list[Any]]:
    """Run the order workflow, or another definition, with these answers of its tasks.

    Returns the states it went through, and all it waited for.
    """
    document = document or {"intent_id": "i", "intent": {"side": "BUY"}}
    script = execute(definition or load(), document, draw=lambda: 0.5)
    states, wishes, reply = [], [], None
    try:
        wish = next(script)
        while True:
            if isinstance(wish, Entered):
                states.append(wish.state)
                reply = None
            else:
                wishes.append(wish)
                reply = answers.pop(0) if isinstance(wish, Call) else None
            wish = script.throw(reply) if isinstance(reply, Exception) else script.send(reply)
    except StopIteration as end:
        assert end.value == states[-1]
    return states, wishes


def test_the_usual_order_takes_two_states() -> None:
    states, wishes = walk([{"claimed": True}, {"outcome": "RECORDED"}])
    assert states == ["Claim", "Place"]
    assert wishes[1].payload == {"intent_id": "i", "intent": {"side": "BUY"}, "claim": {"claimed": True}}


def test_a_failed_place_is_settled_never_repeated() -> None:
    settled = {"intent_id": "i", "outcome": "RECORDED", "wait_seconds": 1, "attempt": 1}
    states, wishes = walk([{"claimed": True}, TaskFailedError("NotSettled"), settled])
    assert states == ["Claim", "Place", "BeginSettling", "Settle", "Finished?", "Settled"]
    assert [wish.state for wish in wishes if isinstance(wish, Call)] == ["Claim", "Place", "Settle"]
    assert wishes[-1].payload == {"intent_id": "i", "attempt": 0}


def test_pending_waits_as_long_as_it_is_told_and_ends_after_25_looks() -> None:
    pending = [
        {"intent_id": "i", "outcome": "PENDING", "wait_seconds": number, "attempt": number} for number in range(1, 26)
    ]
    states, wishes = walk([TaskFailedError("Sandbox.Timedout"), *pending])
    assert states[-1] == "LeftToReconcile"
    assert [wish.seconds for wish in wishes if isinstance(wish, Sleep)] == list(range(1, 25))


def test_held_fails_the_execution() -> None:
    held = {"intent_id": "i", "outcome": "HELD", "wait_seconds": 1, "attempt": 1}
    assert walk([TaskFailedError("E"), held])[0][-1] == "Quarantined"


def test_claim_is_repeated_after_failures_of_the_service_with_backoff_and_jitter() -> None:
    busy = TaskFailedError("Lambda.TooManyRequestsException")
    states, wishes = walk([busy, busy, {"claimed": True}, {"outcome": "RECORDED"}])
    assert states == ["Claim", "Place"]
    assert [wish.seconds for wish in wishes if isinstance(wish, Sleep)] == [0.5, 1.0]


def test_a_settle_that_keeps_failing_fails_the_execution() -> None:
    states, _ = walk([TaskFailedError("E"), *[TaskFailedError("E")] * 6])
    assert states[-1] == "Settle"


def closing(answers: Answers) -> tuple[list[str], list[Any]]:
    """Close one position as the workflow of the kill switch does."""
    return walk(answers, document={"stop_id": "s", "position_key": "p"}, definition=load_of_items())


def test_a_closing_looks_again_until_it_has_ended() -> None:
    waits = {"outcome": "WAITING", "why": "", "attempt": 1, "wait_seconds": 3}
    states, wishes = closing([waits, {"outcome": "CLOSED", "why": "", "attempt": 1, "wait_seconds": 0}])
    assert states == ["Begin", "Close", "Ended?", "Wait", "Close", "Ended?", "Result"]
    assert wishes[0].payload == {"stop_id": "s", "position_key": "p", "attempt": 0}
    assert wishes[1] == Sleep(3)
    assert wishes[2].payload["attempt"] == 1


def test_a_closing_whose_step_keeps_failing_is_broken_after_five_retries() -> None:
    states, wishes = closing([TaskFailedError("E")] * 6)
    assert states == ["Begin", "Close", "Broken"]
    assert [wish.seconds for wish in wishes if isinstance(wish, Sleep)] == [
        1,
        2,
        4,
        8,
        10,
    ]  # half of 2, 4, 8, 16 and 20


def test_only_a_single_map_is_taken_for_the_work_on_items(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedDefinitionError, match="one Map"):
        load_of_items(ORDER_WORKFLOW)
    definition = json.loads(CLOSE_ALL_WORKFLOW.read_text())
    definition["States"]["Positions"]["ToleratedFailurePercentage"] = 5
    changed = tmp_path / "changed.asl.json"
    changed.write_text(json.dumps(definition))
    with pytest.raises(UnsupportedDefinitionError):
        load_of_items(changed)


def _add_map(definition: dict[str, Any]) -> None:
    definition["States"]["Claim"]["Type"] = "Map"


def _add_output_path(definition: dict[str, Any]) -> None:
    definition["States"]["Claim"]["OutputPath"] = "$.x"


def _use_jsonata(definition: dict[str, Any]) -> None:
    definition["QueryLanguage"] = "JSONata"


@pytest.mark.parametrize("change", [_add_map, _add_output_path, _use_jsonata])
def test_what_it_does_not_know_it_refuses(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    definition = json.loads(json.dumps(load()))
    change(definition)
    changed = tmp_path / "changed.asl.json"
    changed.write_text(json.dumps(definition))
    with pytest.raises(UnsupportedDefinitionError):
        load(changed)
