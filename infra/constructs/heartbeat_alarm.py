"""Alarms that fire because nothing happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.alarms import Alarms
from infra.constructs.python_function import service_metric

if TYPE_CHECKING:
    from infra.catalogue import Tick
    from infra.settings import Stage

TICK_METRIC = "Tick"
# One lost tick is normal delivery, three in a row are a dead schedule.
_SILENT_PERIODS = 3


class HeartbeatAlarm(Construct):
    """Breaches when a function stops reporting ``Surefill/Tick``.

    Missing data breaches: a function that is never started reports nothing, and that is the failure meant here.
    """

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, tick: Tick) -> None:
        super().__init__(scope, construct_id)
        minutes = _SILENT_PERIODS * tick.every_minutes
        Alarms.of(self, stage=stage).when(
            "Silent",
            name=f"{tick.function}-silent",
            text=f"{tick.function} has reported no tick for {minutes} minutes: schedule, permission or code is dead",
            metric=service_metric(TICK_METRIC, service=tick.function, period=Duration.minutes(tick.every_minutes)),
            below=1,
            periods=_SILENT_PERIODS,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )
