"""The order workflow: what may be repeated, what may not, and where every path ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.catalogue import function
from infra.constructs.order_workflow import DEFINITION

if TYPE_CHECKING:
    from tests.infra.conftest import Deployment

WORKFLOW: dict[str, Any] = json.loads(DEFINITION.read_text(encoding="utf-8"))
STATES: dict[str, dict[str, Any]] = WORKFLOW["States"]
TASKS = {"Claim": "claim_order", "Place": "place_order", "Settle": "settle_order"}


def next_states(state: dict[str, Any]) -> set[str]:
    found = {state.get("Next"), state.get("Default")}
    found |= {choice["Next"] for choice in state.get("Choices", [])}
    found |= {handler["Next"] for handler in state.get("Catch", [])}
    return {name for name in found if name}


def test_the_usual_order_takes_two_steps() -> None:
    assert WORKFLOW["StartAt"] == "Claim"
    assert STATES["Claim"]["Next"] == "Place"
    assert STATES["Place"]["End"] is True


def test_an_order_is_never_posted_twice() -> None:
    assert "Retry" not in STATES["Place"]
    assert [name for name, state in STATES.items() if "Place" in next_states(state)] == ["Claim"]


@pytest.mark.parametrize("name", ["Claim", "Place"])
def test_whatever_goes_wrong_is_looked_up(name: str) -> None:
    (handler,) = STATES[name]["Catch"]
    assert handler["ErrorEquals"] == ["States.ALL"]
    assert handler["ResultPath"] == "$.error", "the intent id must survive the error"
    assert STATES[handler["Next"]]["Next"] == "Settle"


def test_a_claim_is_repeated_only_when_lambda_itself_failed() -> None:
    (retry,) = STATES["Claim"]["Retry"]
    assert all(error.startswith("Lambda.") for error in retry["ErrorEquals"])
    assert retry["MaxAttempts"] == 4


def test_place_sees_the_claim_and_the_whole_intent() -> None:
    assert STATES["Claim"]["ResultPath"] == "$.claim"
    assert not {"InputPath", "OutputPath", "Parameters"} & (set(STATES["Claim"]) | set(STATES["Place"]))


def test_settle_is_given_the_intent_and_the_attempt() -> None:
    settle = STATES["Settle"]
    assert settle["Parameters"] == {"intent_id.$": "$.intent_id", "attempt.$": "$.settled.attempt"}
    assert settle["ResultPath"] == "$.settled"
    assert STATES["BeginSettling"]["Parameters"] == {"intent_id.$": "$.intent_id", "settled": {"attempt": 0}}


def test_every_outcome_has_an_end_and_an_unknown_one_fails() -> None:
    def end(outcome: str, *, attempt: int) -> str:
        for choice in STATES["Finished?"]["Choices"]:
            if matches(choice, outcome=outcome, attempt=attempt):
                return str(choice["Next"])
        return str(STATES["Finished?"]["Default"])

    assert end("PENDING", attempt=1) == "Wait"
    assert end("PENDING", attempt=25) == "LeftToReconcile"
    assert end("HELD", attempt=1) == "Quarantined"
    assert {end(outcome, attempt=1) for outcome in ("RECORDED", "RELEASED", "NOTHING")} == {"Settled"}
    assert end("SOMETHING", attempt=1) == "UnknownOutcome"
    kinds = {name: STATES[name]["Type"] for name in ("LeftToReconcile", "Settled", "Quarantined", "UnknownOutcome")}
    assert kinds == {
        "LeftToReconcile": "Succeed",
        "Settled": "Succeed",
        "Quarantined": "Fail",
        "UnknownOutcome": "Fail",
    }


def matches(rule: dict[str, Any], *, outcome: str, attempt: int) -> bool:
    if "And" in rule:
        return all(matches(part, outcome=outcome, attempt=attempt) for part in rule["And"])
    if "Or" in rule:
        return any(matches(part, outcome=outcome, attempt=attempt) for part in rule["Or"])
    if "StringEquals" in rule:
        return bool(rule["Variable"] == "$.settled.outcome" and rule["StringEquals"] == outcome)
    return bool(rule["Variable"] == "$.settled.attempt" and attempt < rule["NumericLessThan"])


def test_every_state_is_reached_and_every_next_state_exists() -> None:
    reached, waiting = set(), [WORKFLOW["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += sorted(next_states(STATES[name]))
    assert reached == set(STATES)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_timeouts_nest(name: str) -> None:
    assert function(TASKS[name]).timeout < STATES[name]["TimeoutSeconds"] < WORKFLOW["TimeoutSeconds"]


def test_the_dialect_is_the_one_every_engine_runs() -> None:
    assert WORKFLOW["QueryLanguage"] == "JSONPath"


def test_the_machine_is_standard_and_may_invoke_its_three_functions_only(prod: Deployment) -> None:
    template = prod.trading
    machine = template.named("AWS::StepFunctions::StateMachine", "surefill-prod-order")
    assert machine["StateMachineType"] == "STANDARD"
    assert json.loads(machine["DefinitionString"]) == WORKFLOW
    functions = {template.text(arn) for arn in machine["DefinitionSubstitutions"].values()}
    assert functions == {f"Function:surefill-prod-{name}" for name in TASKS.values()}
    role = template.resources[machine["RoleArn"]["Fn::GetAtt"][0]]["Properties"]
    invoke, delivery = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert invoke["Action"] == "lambda:InvokeFunction"
    assert {template.text(arn) for arn in invoke["Resource"]} == functions
    assert delivery["Resource"] == "*"


def test_every_transition_is_logged(prod: Deployment) -> None:
    template = prod.trading
    logging = template.named("AWS::StepFunctions::StateMachine", "surefill-prod-order")["LoggingConfiguration"]
    assert logging["Level"] == "ALL"
    (destination,) = logging["Destinations"]
    arn = template.text(destination["CloudWatchLogsLogGroup"]["LogGroupArn"])
    assert arn == "LogGroup:/aws/vendedlogs/states/surefill-prod-order"
