"""Dashboards show metrics that the code really tells, of functions and queues that exist."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from infra.catalogue import FUNCTIONS
from infra.constructs.saved_queries import query_text
from tests.infra.conftest import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.infra.conftest import Deployment

_TOLD = re.compile(r'\.metric\(\s*"(\w+)"')
NAMES = [spec.name for spec in FUNCTIONS]


@cache
def told() -> frozenset[str]:
    """Names of all metrics the product tells."""
    folders = (REPOSITORY / "layers/core/python/surefill", REPOSITORY / "functions")
    return frozenset(
        name
        for folder in folders
        for path in folder.rglob("*.py")
        for name in _TOLD.findall(path.read_text(encoding="utf-8"))
    )


def widgets(deployment: Deployment, name: str) -> list[dict[str, Any]]:
    (body,) = (
        resource["Properties"]["DashboardBody"]
        for resource in deployment.observability.of_type("AWS::CloudWatch::Dashboard").values()
        if resource["Properties"]["DashboardName"] == f"surefill-prod-{name}"
    )
    found: list[dict[str, Any]] = json.loads(deployment.observability.text(body))["widgets"]
    return found


def series(deployment: Deployment, name: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """(namespace, metric, dimensions) of everything drawn; searches are read as what they search for."""
    for widget in widgets(deployment, name):
        for metric in widget["properties"].get("metrics", []):
            *path, options = metric
            if "expression" in options:
                match = re.search(r"\{(\w+),([\w,]+)\} MetricName=\"(\w+)\"", options["expression"])
                assert match, options
                yield match[1], match[3], dict.fromkeys(match[2].split(","), "*")
            else:
                namespace, metric_name, *pairs = path
                yield namespace, metric_name, dict(zip(pairs[::2], pairs[1::2], strict=True))


@pytest.mark.parametrize("name", ["operations", "business"])
def test_every_metric_of_ours_is_told_by_the_code(prod: Deployment, name: str) -> None:
    ours = {metric for namespace, metric, _ in series(prod, name) if namespace == "Surefill"}
    assert ours
    assert ours <= told()


def test_every_metric_an_alarm_waits_for_is_told_by_the_code(prod: Deployment) -> None:
    alarmed = {
        metric["MetricName"]
        for alarm in prod.of_type("AWS::CloudWatch::Alarm")
        for metric in [
            alarm["Properties"],
            *(item.get("MetricStat", {}).get("Metric", {}) for item in alarm["Properties"].get("Metrics", [])),
        ]
        if metric.get("Namespace") == "Surefill"
    }
    assert {"Tick", "NotSettled", "Quarantined", "AccountsRejected", "DailyLossReached"} <= alarmed
    assert alarmed <= told()


def test_operations_show_ticks_lag_orders_and_what_is_stuck(prod: Deployment) -> None:
    shown = {metric for _, metric, _ in series(prod, "operations")}
    assert {
        "Tick", "TickLagSeconds", "Evaluations", "Orders", "OldestUnfinishedAgeSeconds", "UnprotectedPositions",
        "Quarantined", "ReconcileDeficits", "AccountsRejected", "DailyLossReached", "ExecutionsFailed",
        "ApproximateNumberOfMessagesVisible", "Errors", "Throttles", "Duration", "NotificationsFailed",
    } <= shown  # fmt: skip


@pytest.mark.parametrize("metric", ["Errors", "Throttles", "Duration"])
def test_every_function_is_in_the_graphs_of_functions(prod: Deployment, metric: str) -> None:
    drawn = {of["FunctionName"] for _, name, of in series(prod, "operations") if name == metric}
    assert drawn == {f"surefill-prod-{name}" for name in NAMES}


def test_every_dead_letter_queue_is_drawn(prod: Deployment) -> None:
    drawn = {of["QueueName"] for namespace, _, of in series(prod, "operations") if namespace == "AWS/SQS"}
    made = {queue["Properties"]["QueueName"] for queue in prod.of_type("AWS::SQS::Queue")}
    assert drawn == {name for name in made if name.endswith("-dlq")}


def test_business_shows_money_by_account_and_orders_by_leg(prod: Deployment) -> None:
    shown = {metric: set(of) for _, metric, of in series(prod, "business")}
    assert shown == {"RealisedProfit": {"account", "service"}, "Orders": {"leg", "service", "state"}}


@pytest.mark.parametrize(
    ("dashboard", "queries"),
    [
        ("operations", ["operations/cold_starts", "operations/errors"]),
        ("business", ["exits/by_reason", "decisions/blocked_by_reason", "decisions/by_reason"]),
    ],
)
def test_tables_are_saved_queries_over_all_functions(prod: Deployment, dashboard: str, queries: list[str]) -> None:
    shown = [widget["properties"]["query"] for widget in widgets(prod, dashboard) if widget["type"] == "log"]
    sources = " | ".join(f"SOURCE '/aws/lambda/surefill-prod-{name}'" for name in NAMES)
    assert shown == [f"{sources} | {query_text(query)}" for query in queries]
    assert not any("#" in query for query in shown)


def test_a_dashboard_body_is_not_too_long_for_cloudwatch(prod: Deployment) -> None:
    for name in ("operations", "business"):
        assert len(json.dumps(widgets(prod, name))) < 100_000


def test_the_local_stage_has_no_dashboards(local: Deployment) -> None:
    assert not local.of_type("AWS::CloudWatch::Dashboard")
