"""What outlives every deployment of code: the tables, and the topics people subscribe to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions

from infra.constructs.dead_letter_queue import requires_tls
from infra.constructs.tables import Tables
from surefill.adapters.dynamodb import TABLES

if TYPE_CHECKING:
    from constructs import Construct

    from infra.settings import Stage


class DataStack(Stack):
    """Tables, the topic of events and the topic of alarms."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, **kwargs: object) -> None:
        super().__init__(scope, construct_id, **kwargs)  # type: ignore[arg-type]
        self.tables = Tables(self, "Tables", stage=stage)
        self.events = self._topic("Events", name=stage.resource("events"), stage=stage)
        self.alarms = self._topic("Alarms", name=stage.resource("alarms"), stage=stage)
        # A policy of its own takes the place of the default one, which lets every role of the account publish.
        self.events.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sns:Subscribe"],
                resources=[self.events.topic_arn],
                principals=[iam.AccountRootPrincipal()],
            )
        )
        # The policy that requires TLS takes the place of the default one, which is what let alarms in.
        self.alarms.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sns:Publish"],
                resources=[self.alarms.topic_arn],
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        if stage.alarm_email:
            self.alarms.add_subscription(subscriptions.EmailSubscription(stage.alarm_email))
        self.stream_arns = {
            name: table.table_stream_arn
            for name, table in self.tables.by_name.items()
            if TABLES[name].stream and table.table_stream_arn
        }
        CfnOutput(self, "TablePrefix", value=stage.table_prefix)
        CfnOutput(self, "EventsTopicArn", value=self.events.topic_arn)

    def _topic(self, construct_id: str, *, name: str, stage: Stage) -> sns.Topic:
        return sns.Topic(self, construct_id, topic_name=name, enforce_ssl=requires_tls(stage))
