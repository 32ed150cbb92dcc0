"""AWS Solutions checks at synth: every finding is either fixed or acknowledged here, where it is, with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs import IConstruct

    from infra.application import Stacks
    from infra.constructs.python_function import PythonFunction
    from infra.settings import Stage


def check(app: App, *, stage: Stage, stacks: Stacks) -> None:
    """Register the checks; an unacknowledged finding then fails ``app.synth()``."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    for function in _functions(stacks):
        _acknowledge(
            function.function,
            "AwsSolutions-L1",
            "Python 3.13 is what the layers are compiled and tested for; the newer runtime follows with its own build.",
        )
        _acknowledge(
            function.dead_letters.queue,
            "AwsSolutions-SQS3",
            "This is a dead-letter queue: of an asynchronous invocation, a schedule or an event source, none of which "
            "the rule looks at.",
        )
        if "read_secrets" in function.spec.may:
            _acknowledge(
                function.role,
                f"AwsSolutions-IAM5[Resource::{_SECRET}:{stage.secret_prefix}*]",
                "Accounts are added by their owner after the deployment; their secrets share the stage's prefix.",
            )
    for workflow in (stacks.trading.workflow, stacks.trading.close_all):
        _acknowledge(
            workflow,
            "AwsSolutions-IAM5[Resource::*]",
            "The log delivery actions of Step Functions have no resource-level permissions; everything else is exact.",
        )
        _acknowledge(
            workflow.state_machine,
            "AwsSolutions-SF2",
            "Every state and its data is in the execution log under the name of what it carries; X-Ray would add a "
            "cost per order and a wildcard permission, and show less.",
        )

    for route in stacks.control.control.alerts:
        _acknowledge(
            route,
            "AwsSolutions-APIG4",
            "Charting services can't sign. The function compares the alert's token in constant time and limits alerts "
            "per bot; the route can do nothing but hand an alert to a bot.",
        )


_SECRET = "arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret"  # noqa: S105


def _functions(stacks: Stacks) -> Iterator[PythonFunction]:
    yield from stacks.trading.functions.values()
    yield stacks.control.bot_api


def _acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))
