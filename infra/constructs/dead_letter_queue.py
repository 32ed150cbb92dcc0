"""A queue for what could not be processed, with the alarm that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.alarms import Alarms

if TYPE_CHECKING:
    from infra.settings import Stage


class DeadLetterQueue(Construct):
    """Keeps failed work for 14 days and alarms on the first message.

    A message here is a tick, an evaluation or an event that nobody acted on: the runbook decides whether it is
    replayed. Nothing reads the queue by itself, because a stale tick must not trade.
    """

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, owner: str) -> None:
        super().__init__(scope, construct_id)
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=stage.resource(f"{owner}-dlq"),
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=requires_tls(stage),
        )
        Alarms.of(self, stage=stage).when(
            "Depth",
            name=f"{owner}-dlq-not-empty",
            text=f"{owner}: work failed for good and waits in {stage.resource(f'{owner}-dlq')}",
            metric=self.queue.metric_approximate_number_of_messages_visible(
                period=Duration.minutes(1), statistic="Maximum"
            ),
            above=0,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def requires_tls(stage: Stage) -> bool:
    """The local AWS speaks plain HTTP on the loopback address; everywhere else TLS is required."""
    return not stage.is_local
