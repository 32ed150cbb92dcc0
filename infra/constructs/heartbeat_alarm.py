"""Alarms that fire because nothing happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.alarms import Alarms
from infra.constructs.python_function import service_metric

if TYPE_CHECKING:
    from infra.settings import Stage

TICK_METRIC = "Tick"
# Three silent minutes: one lost tick is normal delivery, three are a dead schedule.
_SILENT_PERIODS = 3


class HeartbeatAlarm(Construct):
    """Breaches when a function stops reporting ``Surefill/Tick``.

    Missing data breaches: a function that is never started reports nothing, and that is the failure meant here.
    """

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, function: str) -> None:
        super().__init__(scope, construct_id)
        Alarms.of(self, stage=stage).when(
            "Silent",
            name=f"{function}-silent",
            text=f"{function} has reported no tick for {_SILENT_PERIODS} minutes: schedule, permission or code is dead",
            metric=service_metric(TICK_METRIC, service=function, period=Duration.minutes(1)),
            below=1,
            periods=_SILENT_PERIODS,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )
