"""The workflow of the kill switch: a result per position, whatever happens to one of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from infra.catalogue import function
from infra.constructs.close_all_workflow import DEFINITION
from surefill.domain.kinds import CloseOutcome
from surefill.usecases.control.close import ATTEMPTS

if TYPE_CHECKING:
    from tests.infra.conftest import Deployment

WORKFLOW: dict[str, Any] = json.loads(DEFINITION.read_text(encoding="utf-8"))
POSITIONS: dict[str, Any] = WORKFLOW["States"]["Positions"]
STATES: dict[str, dict[str, Any]] = POSITIONS["ItemProcessor"]["States"]
# Events of one look: a task (scheduled, started, succeeded, exited), a choice and a wait (entered and exited each).
_EVENTS_PER_LOOK = 9
_MOST_EVENTS = 25_000


def test_positions_are_closed_a_few_at_a_time() -> None:
    assert WORKFLOW["QueryLanguage"] == "JSONPath"
    assert POSITIONS["ItemsPath"] == "$.positions"
    assert 1 < POSITIONS["MaxConcurrency"] <= 10
    assert POSITIONS["ItemProcessor"]["ProcessorConfig"] == {"Mode": "INLINE"}


def test_a_step_is_repeated_after_any_error_and_one_that_breaks_stops_no_other() -> None:
    (retry,) = STATES["Close"]["Retry"]
    assert retry["ErrorEquals"] == ["States.ALL"]
    assert retry["MaxAttempts"] >= 3
    (handler,) = STATES["Close"]["Catch"]
    assert (handler["Next"], STATES["Broken"]["End"]) == ("Broken", True)
    assert STATES["Broken"]["Parameters"]["outcome"] == CloseOutcome.FAILED


def test_it_looks_again_exactly_while_the_outcome_is_open() -> None:
    (choice,) = STATES["Ended?"]["Choices"]
    assert (choice["Variable"], choice["StringEquals"]) == ("$.step.outcome", CloseOutcome.WAITING)
    assert STATES[choice["Next"]]["Next"] == "Close"
    assert STATES["Ended?"]["Default"] == "Result"
    assert STATES["Result"]["End"] is True


def test_a_step_gets_its_position_and_its_attempt() -> None:
    assert STATES["Begin"]["Parameters"]["step"] == {"attempt": 0}
    assert set(STATES["Close"]["Parameters"]) == {"stop_id.$", "position_key.$", "attempt.$"}
    assert STATES["Close"]["ResultPath"] == "$.step"


def test_timeouts_nest_and_the_history_has_room() -> None:
    from surefill.usecases.control.stop import POSITIONS_PER_EXECUTION

    assert function("close_position").timeout < STATES["Close"]["TimeoutSeconds"]
    rounds = POSITIONS_PER_EXECUTION / POSITIONS["MaxConcurrency"]
    assert rounds * ATTEMPTS * 12 < WORKFLOW["TimeoutSeconds"], "twelve seconds for a look and its pause"
    assert POSITIONS_PER_EXECUTION * ATTEMPTS * _EVENTS_PER_LOOK < _MOST_EVENTS


def test_it_may_invoke_its_function_only(prod: Deployment) -> None:
    template = prod.trading
    machine = template.named("AWS::StepFunctions::StateMachine", "surefill-prod-close_all")
    assert machine["StateMachineType"] == "STANDARD"
    role = template.resources[machine["RoleArn"]["Fn::GetAtt"][0]]["Properties"]
    invoke, _ = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert invoke["Action"] == "lambda:InvokeFunction"
    assert template.text(invoke["Resource"]) == "Function:surefill-prod-close_position"
