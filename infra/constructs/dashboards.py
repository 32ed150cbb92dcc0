"""The two dashboards: whether it runs, and what it earns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.addresses import Addresses
from infra.catalogue import FUNCTIONS, TICKS
from infra.constructs.python_function import METRICS_NAMESPACE, service_metric
from infra.constructs.saved_queries import query_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.settings import Stage

_WIDTH = 8  # of 24
_HEIGHT = 6
_MINUTE = Duration.minutes(1)
_FIVE_MINUTES = Duration.minutes(5)
_HOUR = Duration.hours(1)
_MONEY_METRICS = (
    ("UnprotectedPositions", "watch_exits"),
    ("Quarantined", "watch_exits"),
    ("ReconcileDeficits", "sync_account"),
    ("AccountsRejected", "sync_account"),
    ("DailyLossReached", "sync_account"),
)


class OperationsDashboard(Construct):
    """Ticks, lag, orders, what is stuck, and how the functions fare."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, log_groups: Sequence[str]) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=stage.resource("operations"), default_interval=Duration.hours(6)
        )
        dashboard.add_widgets(
            _graph(
                "Ticks per minute (a gap is a dead schedule)",
                [service_metric("Tick", service=tick.function) for tick in TICKS if tick.heartbeat],
            ),
            _graph(
                "Lag of a tick and age of the oldest unfinished order (s)",
                [
                    _worst("TickLagSeconds", "dispatch"),
                    _worst("OldestUnfinishedAgeSeconds", "reconcile"),
                ],
            ),
            _graph("Evaluations", [service_metric("Evaluations", service="evaluate")]),
        )
        dashboard.add_widgets(
            _graph("Orders by outcome", [_orders(_FIVE_MINUTES)], stacked=True),
            _graph("What a person must look at", [_worst(name, service) for name, service in _MONEY_METRICS]),
            _graph("Order workflows", self._workflow()),
        )
        dashboard.add_widgets(
            _graph("Dead letters", [self._dead_letters(spec.name) for spec in FUNCTIONS]),
            _graph("Errors", [self._lambda("Errors", spec.name) for spec in FUNCTIONS]),
            _graph("Throttles", [self._lambda("Throttles", spec.name) for spec in FUNCTIONS]),
        )
        dashboard.add_widgets(
            _graph("Duration p95 (ms)", [self._lambda("Duration", spec.name, "p95") for spec in FUNCTIONS]),
            _table("Cold starts", log_groups, "operations/cold_starts"),
            _table("Errors by code", log_groups, "operations/errors"),
        )
        dashboard.add_widgets(
            _graph(
                "Notices that were left out or not delivered",
                [service_metric(f"Notifications{what}", service="publish_events") for what in ("Dropped", "Failed")],
            ),
        )

    def _lambda(self, name: str, function: str, statistic: str = "Sum") -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/Lambda",
            metric_name=name,
            dimensions_map={"FunctionName": self._stage.resource(function)},
            statistic=statistic,
            period=_FIVE_MINUTES,
            label=function,
        )

    def _dead_letters(self, function: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/SQS",
            metric_name="ApproximateNumberOfMessagesVisible",
            dimensions_map={"QueueName": self._stage.resource(f"{function}-dlq")},
            statistic="Maximum",
            period=_FIVE_MINUTES,
            label=function,
        )

    def _workflow(self) -> list[cloudwatch.IMetric]:
        arn = Addresses(self, stage=self._stage).order_workflow
        return [
            cloudwatch.Metric(
                namespace="AWS/States",
                metric_name=name,
                dimensions_map={"StateMachineArn": arn},
                statistic="Sum",
                period=_FIVE_MINUTES,
                label=name,
            )
            for name in ("ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut")
        ]


class BusinessDashboard(Construct):
    """Decisions, entries, exits and money realised."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, log_groups: Sequence[str]) -> None:
        super().__init__(scope, construct_id)
        dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=stage.resource("business"), default_interval=Duration.days(7)
        )
        dashboard.add_widgets(
            _graph("Money realised per account and hour", [_realised("Sum")], stacked=True),
            _graph("Entries and exits per hour", [_orders(_HOUR)], stacked=True),
            _table("Exits by reason", log_groups, "exits/by_reason"),
        )
        dashboard.add_widgets(
            _table("What stopped entries", log_groups, "decisions/blocked_by_reason", width=12),
            _table("Changes of decisions by reason", log_groups, "decisions/by_reason", width=12),
        )


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric], *, stacked: bool = False) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), stacked=stacked, width=_WIDTH, height=_HEIGHT)


def _table(title: str, log_groups: Sequence[str], query: str, *, width: int = _WIDTH) -> cloudwatch.LogQueryWidget:
    """A saved query as a table: the dashboard and the console say the same."""
    return cloudwatch.LogQueryWidget(
        title=title,
        log_group_names=list(log_groups),
        query_string=query_text(query),
        view=cloudwatch.LogQueryVisualizationType.TABLE,
        width=width,
        height=_HEIGHT,
    )


def _worst(name: str, service: str) -> cloudwatch.Metric:
    return service_metric(name, service=service, statistic="Maximum", period=_FIVE_MINUTES)


def _orders(period: Duration) -> cloudwatch.MathExpression:
    return _search("leg,service,state", "Orders", statistic="Sum", period=period)


def _realised(statistic: str) -> cloudwatch.MathExpression:
    return _search("account,service", "RealisedProfit", statistic=statistic, period=_HOUR)


def _search(dimensions: str, name: str, *, statistic: str, period: Duration) -> cloudwatch.MathExpression:
    """All metrics of a name, whatever their dimensions' values are."""
    schema = f"{{{METRICS_NAMESPACE},{dimensions}}}"
    return cloudwatch.MathExpression(
        expression=f"SEARCH('{schema} MetricName=\"{name}\"', '{statistic}', {int(period.to_seconds())})",
        label="",
        using_metrics={},
        period=period,
    )
