"""Schedules: their rate, their payload, their patience."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.infra.conftest import Deployment

# function: expression, retries
EXPECTED = {
    "dispatch": ("rate(1 minute)", 2),
    "watch_exits": ("rate(1 minute)", 2),
    "reconcile": ("rate(1 minute)", 0),
    "sync_account": ("rate(5 minutes)", 0),
    "refresh_markets": ("rate(1 day)", 2),
}


def test_there_are_no_other_schedules(prod: Deployment) -> None:
    schedules = prod.trading.of_type("AWS::Scheduler::Schedule").values()
    assert {schedule["Properties"]["Name"] for schedule in schedules} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_tick_carries_its_scheduled_time_and_is_not_delivered_late(prod: Deployment, name: str) -> None:
    expression, retries = EXPECTED[name]
    schedule = prod.trading.named("AWS::Scheduler::Schedule", name)
    assert schedule["ScheduleExpression"] == expression
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["State"] == "ENABLED"
    target = schedule["Target"]
    assert json.loads(target["Input"]) == {"schedule": name, "scheduled_time": "<aws.scheduler.scheduled-time>"}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": retries}
    assert prod.trading.text(target["Arn"]) == f"Function:surefill-prod-{name}"
    assert prod.trading.text(target["DeadLetterConfig"]["Arn"]) == f"Queue:surefill-prod-{name}-dlq"


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_schedule_may_wake_its_function_and_nothing_else(prod: Deployment, name: str) -> None:
    template = prod.trading
    target = template.named("AWS::Scheduler::Schedule", name)["Target"]
    role = template.resources[target["RoleArn"]["Fn::GetAtt"][0]]["Properties"]
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert {(statement["Action"], template.text(statement["Resource"])) for statement in statements} == {
        ("lambda:InvokeFunction", f"Function:surefill-prod-{name}"),
        ("sqs:SendMessage", f"Queue:surefill-prod-{name}-dlq"),
    }
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_all_schedules_are_in_one_group_that_exists_before_them(prod: Deployment) -> None:
    template = prod.trading
    (group,) = template.of_type("AWS::Scheduler::ScheduleGroup")
    assert template.resources[group]["Properties"]["Name"] == "surefill-prod"
    for schedule in template.of_type("AWS::Scheduler::Schedule").values():
        assert schedule["Properties"]["GroupName"] == "surefill-prod"
        assert group in schedule["DependsOn"]


def test_the_local_stage_leaves_firing_to_its_driver(local: Deployment, prod: Deployment) -> None:
    for name in EXPECTED:
        here = local.trading.named("AWS::Scheduler::Schedule", name)
        there = prod.trading.named("AWS::Scheduler::Schedule", name)
        assert here["State"] == "DISABLED"
        assert here["Target"]["Input"] == there["Target"]["Input"]
