"""What watches the trading: heartbeats, alarms on money, dashboards, saved queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.catalogue import FUNCTIONS, TICKS
from infra.constructs.alarms import Alarms
from infra.constructs.dashboards import BusinessDashboard, OperationsDashboard
from infra.constructs.heartbeat_alarm import HeartbeatAlarm
from infra.constructs.python_function import service_metric
from infra.constructs.saved_queries import SavedQueries

if TYPE_CHECKING:
    from constructs import Construct

    from infra.settings import Stage

# An order is settled within seconds, or within minutes by reconcile. Ten minutes is a stuck venue or a stuck product.
_OLDEST_UNFINISHED_SECONDS = 600
_MONEY_PERIOD = Duration.minutes(5)


class ObservabilityStack(Stack):
    """Depends on nothing: metrics, log groups and the alarm topic are addressed by name."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, **kwargs: object) -> None:
        super().__init__(scope, construct_id, **kwargs)  # type: ignore[arg-type]
        for tick in TICKS:
            if tick.heartbeat:
                HeartbeatAlarm(self, f"{tick.function}-heartbeat", stage=stage, tick=tick)
        self._alarms_on_money(stage)
        if not stage.is_local:
            log_groups = [f"/aws/lambda/{stage.resource(spec.name)}" for spec in FUNCTIONS]
            SavedQueries(self, "SavedQueries", stage=stage, log_groups=log_groups)
            OperationsDashboard(self, "Operations", stage=stage, log_groups=log_groups)
            BusinessDashboard(self, "Business", stage=stage, log_groups=log_groups)

    def _alarms_on_money(self, stage: Stage) -> None:
        alarms = Alarms.of(self, stage=stage)
        alarms.when(
            "OldestUnfinished",
            name="oldest-unfinished-order",
            text="An order has been unfinished for more than ten minutes: the venue does not answer for it",
            metric=_worst("OldestUnfinishedAgeSeconds", service="reconcile"),
            above=_OLDEST_UNFINISHED_SECONDS,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarms.when(
            "Quarantined",
            name="quarantined",
            text="Money or a position is HELD because evidence contradicts the tables: a person must look",
            metric=_worst("Quarantined", service="watch_exits"),
            above=0,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarms.when(
            "UnprotectedPositions",
            name="unprotected-positions",
            text="A position is open without a working exit",
            metric=_worst("UnprotectedPositions", service="watch_exits"),
            above=0,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarms.when(
            "ReconcileDeficits",
            name="reconcile-deficits",
            text="An account holds less than the tables say: its entries have stopped",
            metric=_worst("ReconcileDeficits", service="sync_account"),
            above=0,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarms.when(
            "AccountsRejected",
            name="venue-auth-failed",
            text="A venue rejects the credentials of an account: its entries have stopped",
            metric=_worst("AccountsRejected", service="sync_account"),
            above=0,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarms.when(
            "DailyLossReached",
            name="daily-loss-reached",
            text="A budget has lost what it may lose in a day: no new entries from it until tomorrow",
            metric=_worst("DailyLossReached", service="sync_account"),
            above=0,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarms.when(
            "NotificationsFailed",
            name="notifications-failed",
            text="A webhook or Telegram does not take notices: people are not told what happens",
            metric=service_metric(
                "NotificationsFailed", service="publish_events", statistic="Sum", period=_MONEY_PERIOD
            ),
            above=0,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def _worst(name: str, *, service: str) -> cloudwatch.Metric:
    return service_metric(name, service=service, statistic="Maximum", period=_MONEY_PERIOD)
