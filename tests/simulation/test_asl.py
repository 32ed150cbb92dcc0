"""The interpreter of the workflow definition does what the language says, and refuses what it does not know."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.asl import Call, Entered, Sleep, TaskFailedError, UnsupportedDefinitionError, execute, load

Answers = list[Any]


def walk(answers: Answers, *, document: Any = None) -> tuple[list[str], list[Any]]:
    """Run the order workflow with these answers of its tasks; the states it went through, and all it waited for."""
    script = execute(load(), document or {"intent_id": "i", "intent": {"side": "BUY"}}, draw=lambda: 0.5)
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
