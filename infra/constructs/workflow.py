"""A Standard workflow of Step Functions: its role, its log, its alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.constructs.alarms import Alarms
from infra.constructs.log_group import log_group
from infra.constructs.principals import only_for_this_account

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from infra.constructs.python_function import PythonFunction
    from infra.settings import Stage


class Workflow(Construct):
    """A Standard workflow that may invoke its functions and nothing else.

    Standard, because only Standard refuses a second execution of the same name. ``functions`` maps the names in the
    definition to functions; ``failed`` says what it means when an execution fails.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        name: str,
        definition: Path,
        functions: Mapping[str, PythonFunction],
        failed: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        self._name = name
        self._failed = failed
        arns = {word: made.function.function_arn for word, made in functions.items()}
        role = iam.Role(
            self,
            "Role",
            assumed_by=only_for_this_account(self, "states.amazonaws.com"),
            description=f"Surefill {name} workflow on stage {stage.name}",
            inline_policies={
                name: iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=list(arns.values())),
                        # Log delivery has no resource-level permissions.
                        iam.PolicyStatement(actions=list(_LOG_DELIVERY), resources=["*"]),
                    ]
                )
            },
        )
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=stage.resource(name),
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_string(definition.read_text(encoding="utf-8")),
            definition_substitutions=arns,
            role=role.without_policy_updates(),
            logs=sfn.LogOptions(
                # Outside this prefix every state machine adds to one resource policy of limited size.
                destination=log_group(self, stage=stage, name=f"/aws/vendedlogs/states/{stage.resource(name)}"),
                level=sfn.LogLevel.ALL,
                include_execution_data=True,
            ),
        )
        self._alarm("Failed", self.state_machine.metric_failed(period=Duration.minutes(1), statistic="Sum"))
        self._alarm("TimedOut", self.state_machine.metric_timed_out(period=Duration.minutes(1), statistic="Sum"))

    def _alarm(self, outcome: str, metric: cloudwatch.Metric) -> None:
        Alarms.of(self, stage=self._stage).when(
            outcome,
            name=f"{self._name}-{outcome.lower()}",
            text=f"An execution of {self._name} ended as {outcome}: {self._failed}",
            metric=metric,
            above=0,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


_LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)
