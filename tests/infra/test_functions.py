"""Every function is made by the factory: limits, logs, failure paths and layers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.catalogue import FUNCTIONS, VENUE_HTTP_TIMEOUT
from infra.settings import LAMBDA_PYTHON

if TYPE_CHECKING:
    from tests.infra.conftest import Deployment

# name: timeout s, memory MB, layers, reserved concurrency
EXPECTED: dict[str, tuple[int, int, tuple[str, ...], int | None]] = {
    "dispatch": (50, 512, ("core", "runtime"), 1),
    "evaluate": (50, 512, ("core", "runtime", "exchange", "analysis"), None),
    "claim_order": (15, 512, ("core", "runtime"), None),
    "place_order": (25, 512, ("core", "runtime", "exchange"), None),
    "settle_order": (25, 512, ("core", "runtime", "exchange"), None),
    "watch_exits": (50, 512, ("core", "runtime", "exchange"), 1),
    "reconcile": (55, 512, ("core", "runtime", "exchange"), 1),
    "sync_account": (50, 512, ("core", "runtime", "exchange"), None),
    "refresh_markets": (120, 1024, ("core", "runtime", "exchange"), None),
    "publish_events": (60, 256, ("core", "runtime"), 1),
    "close_position": (25, 512, ("core", "runtime"), None),
    "bot_api": (25, 1769, ("core", "runtime"), None),
}
COMMON = {
    "STAGE",
    "TABLE_PREFIX",
    "VENUES",
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_LOG_LEVEL",
}
OWN = {
    "dispatch": {"EVALUATIONS_QUEUE_URL"},
    "evaluate": {"ORDER_WORKFLOW_ARN", "OPENBLAS_NUM_THREADS"},
    "watch_exits": {"ORDER_WORKFLOW_ARN"},
    "bot_api": {"DEAD_LETTERS_OF", "EVALUATIONS_QUEUE_URL", "ORDER_WORKFLOW_ARN", "CLOSE_ALL_WORKFLOW_ARN"},
    "close_position": {"ORDER_WORKFLOW_ARN"},
    "publish_events": {"EVENTS_TOPIC_ARN", "EVALUATIONS_QUEUE_URL"},
}
NAMES = sorted(EXPECTED)


def test_the_catalogue_has_exactly_these_functions() -> None:
    assert sorted(spec.name for spec in FUNCTIONS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_limits_and_layers(prod: Deployment, name: str) -> None:
    template, made = prod.function(name)
    timeout, memory, layers, reserved = EXPECTED[name]
    assert (made["Timeout"], made["MemorySize"], made.get("ReservedConcurrentExecutions")) == (
        timeout,
        memory,
        reserved,
    )
    attached = [template.resources[layer["Ref"]]["Properties"]["Description"] for layer in made["Layers"]]
    assert sorted(attached) == sorted(f"Surefill {layer} layer" for layer in layers)
    assert (made["Runtime"], made["Architectures"]) == (f"python{LAMBDA_PYTHON}", ["arm64"])
    assert made["Handler"] == "handler.handler"


@pytest.mark.parametrize("name", NAMES)
def test_a_function_that_calls_a_venue_outlives_the_call(name: str) -> None:
    spec = next(spec for spec in FUNCTIONS if spec.name == name)
    if "exchange" in spec.layers:
        assert spec.timeout > 3 * VENUE_HTTP_TIMEOUT


@pytest.mark.parametrize("name", NAMES)
def test_logs_are_json_in_a_group_of_its_own(prod: Deployment, name: str) -> None:
    template, made = prod.function(name)
    logging = made["LoggingConfig"]
    assert logging["LogFormat"] == "JSON"
    assert template.text(logging["LogGroup"]) == f"LogGroup:/aws/lambda/surefill-prod-{name}"
    assert template.named("AWS::Logs::LogGroup", f"/aws/lambda/surefill-prod-{name}")["RetentionInDays"] == 90


@pytest.mark.parametrize("name", NAMES)
def test_what_fails_is_not_retried_and_ends_in_its_own_queue(prod: Deployment, name: str) -> None:
    template, _ = prod.function(name)
    (config,) = (
        resource["Properties"]
        for resource in template.of_type("AWS::Lambda::EventInvokeConfig").values()
        if template.text(resource["Properties"]["FunctionName"]) == f"Function:surefill-prod-{name}"
    )
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 60)
    destination = template.text(config["DestinationConfig"]["OnFailure"]["Destination"])
    assert destination == f"Queue:surefill-prod-{name}-dlq"


@pytest.mark.parametrize("name", NAMES)
def test_environment(prod: Deployment, name: str) -> None:
    template, made = prod.function(name)
    variables: dict[str, Any] = made["Environment"]["Variables"]
    assert set(variables) == COMMON | OWN.get(name, set())
    assert variables["STAGE"] == "prod"
    assert variables["TABLE_PREFIX"] == "surefill-prod-"
    assert variables["POWERTOOLS_SERVICE_NAME"] == name
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "Surefill"
    assert json.loads(variables["VENUES"]) == {"binance": {"endpoint": None, "hosts": ["api.binance.com"]}}
    if "ORDER_WORKFLOW_ARN" in variables:
        arn = "arn:aws:states:region:account:stateMachine:surefill-prod-order"
        assert template.text(variables["ORDER_WORKFLOW_ARN"]) == arn


def test_only_the_local_stage_is_told_where_its_aws_and_its_clock_are(local: Deployment, prod: Deployment) -> None:
    for name in NAMES:
        here = local.function(name)[1]["Environment"]["Variables"]
        assert here["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
        assert here["CLOCK_URL"] == "http://127.0.0.1:9100/admin/clock"
        assert not {"AWS_ENDPOINT_URL", "CLOCK_URL"} & set(prod.function(name)[1]["Environment"]["Variables"])


def test_evaluations_reach_evaluate_one_batch_at_a_time_and_fail_alone(prod: Deployment) -> None:
    template = prod.trading
    queue = template.named("AWS::SQS::Queue", "surefill-prod-evaluations")
    assert queue["VisibilityTimeout"] > EXPECTED["evaluate"][0]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 2
    dead_letters = template.text(queue["RedrivePolicy"]["deadLetterTargetArn"])
    assert dead_letters == "Queue:surefill-prod-evaluate-dlq"
    (source,) = (
        resource["Properties"]
        for resource in template.of_type("AWS::Lambda::EventSourceMapping").values()
        if template.text(resource["Properties"]["FunctionName"]).endswith("-evaluate")
    )
    assert source["BatchSize"] == 10
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "MaximumBatchingWindowInSeconds" not in source


def test_events_are_published_in_order_and_poison_is_isolated(prod: Deployment) -> None:
    template = prod.trading
    sources = [
        resource["Properties"]
        for resource in template.of_type("AWS::Lambda::EventSourceMapping").values()
        if template.text(resource["Properties"]["FunctionName"]).endswith("-publish_events")
    ]
    assert len(sources) == 3
    for source in sources:
        assert source["BatchSize"] == 100
        assert source["BisectBatchOnFunctionError"] is True
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert source["MaximumRetryAttempts"] == 5
        destination = template.text(source["DestinationConfig"]["OnFailure"]["Destination"])
        assert destination == "Queue:surefill-prod-publish_events-dlq"


def test_queues_are_encrypted_and_refuse_plain_http(prod: Deployment) -> None:
    for template in prod.all:
        guarded = {
            queue["Ref"]
            for policy in template.of_type("AWS::SQS::QueuePolicy").values()
            for queue in policy["Properties"]["Queues"]
            if '"aws:SecureTransport": "false"' in json.dumps(policy)
        }
        assert guarded == set(template.of_type("AWS::SQS::Queue"))
        for queue in template.of_type("AWS::SQS::Queue").values():
            assert queue["Properties"]["SqsManagedSseEnabled"] is True


def test_no_stack_exports_a_value_that_changes_with_a_build(prod: Deployment) -> None:
    exported = [output for template in prod.all for output in template.outputs.values() if "Export" in output]
    assert len(exported) == 4
    assert not any("LayerVersion" in json.dumps(output) for output in exported)
