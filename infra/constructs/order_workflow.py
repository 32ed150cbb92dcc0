"""The order workflow: claim, place, settle. Its definition is ``infra/workflows/order.asl.json``."""

from __future__ import annotations

from pathlib import Path
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
    from infra.constructs.python_function import PythonFunction
    from infra.settings import Stage

DEFINITION = Path(__file__).resolve().parent.parent / "workflows" / "order.asl.json"


class OrderWorkflow(Construct):
    """A Standard workflow that may invoke its three functions and nothing else.

    Standard, because only Standard refuses a second execution of the same name: the execution is named after the
    intent, and that is the first of the three guards against a second order.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        claim_order: PythonFunction,
        place_order: PythonFunction,
        settle_order: PythonFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        arns = {
            "ClaimOrderArn": claim_order.function.function_arn,
            "PlaceOrderArn": place_order.function.function_arn,
            "SettleOrderArn": settle_order.function.function_arn,
        }
        role = iam.Role(
            self,
            "Role",
            assumed_by=only_for_this_account(self, "states.amazonaws.com"),
            description=f"Surefill order workflow on stage {stage.name}",
            inline_policies={
                "order": iam.PolicyDocument(
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
            state_machine_name=stage.resource("order"),
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_string(DEFINITION.read_text(encoding="utf-8")),
            definition_substitutions=arns,
            role=role.without_policy_updates(),
            logs=sfn.LogOptions(
                # Outside this prefix every state machine adds to one resource policy of limited size.
                destination=log_group(self, stage=stage, name=f"/aws/vendedlogs/states/{stage.resource('order')}"),
                level=sfn.LogLevel.ALL,
                include_execution_data=True,
            ),
        )
        self._alarm("Failed", self.state_machine.metric_failed(period=Duration.minutes(1), statistic="Sum"))
        self._alarm("TimedOut", self.state_machine.metric_timed_out(period=Duration.minutes(1), statistic="Sum"))

    def _alarm(self, outcome: str, metric: cloudwatch.Metric) -> None:
        Alarms.of(self, stage=self._stage).when(
            outcome,
            name=f"order-{outcome.lower()}",
            text=f"An order workflow ended as {outcome}: quarantined, or settling itself is broken",
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
