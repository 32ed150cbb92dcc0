"""Alarms exist, fire for the right reason and reach a person; saved queries speak the product's words."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from infra.catalogue import FUNCTIONS
from infra.constructs.saved_queries import query_files
from surefill.domain.reasons import Reason
from tests.infra.conftest import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.conftest import Deployment

QUERIES = {f"{group}/{path.stem}": path for group, paths in query_files().items() for path in paths}
TOPIC = "arn:aws:sns:region:account:surefill-prod-alarms"


def alarms(deployment: Deployment) -> dict[str, dict[str, Any]]:
    return {
        alarm["Properties"]["AlarmName"].removeprefix("surefill-prod-"): alarm["Properties"]
        for alarm in deployment.of_type("AWS::CloudWatch::Alarm")
    }


def test_every_alarm_says_what_happened_and_reaches_the_alarm_topic(prod: Deployment) -> None:
    for template in prod.all:
        for alarm in template.of_type("AWS::CloudWatch::Alarm").values():
            properties = alarm["Properties"]
            assert properties["AlarmDescription"]
            assert [template.text(action) for action in properties["AlarmActions"]] == [TOPIC]
            assert properties["TreatMissingData"] in ("breaching", "notBreaching")


def test_the_alarm_topic_lets_alarms_in_and_tells_the_operator(prod: Deployment) -> None:
    topic = next(
        name
        for name, resource in prod.data.of_type("AWS::SNS::Topic").items()
        if resource["Properties"]["TopicName"] == "surefill-prod-alarms"
    )
    (policy,) = (
        resource["Properties"]["PolicyDocument"]["Statement"]
        for resource in prod.data.of_type("AWS::SNS::TopicPolicy").values()
        if resource["Properties"]["Topics"] == [{"Ref": topic}]
    )
    allowed = [statement for statement in policy if statement["Effect"] == "Allow"]
    assert [statement["Principal"] for statement in allowed] == [{"Service": "cloudwatch.amazonaws.com"}]
    (subscription,) = prod.data.of_type("AWS::SNS::Subscription").values()
    assert subscription["Properties"]["Endpoint"] == "operator@example.com"


@pytest.mark.parametrize(
    ("name", "period"), [("dispatch", 60), ("watch_exits", 60), ("reconcile", 60), ("sync_account", 300)]
)
def test_silence_is_an_alarm(prod: Deployment, name: str, period: int) -> None:
    alarm = alarms(prod)[f"{name}-silent"]
    assert alarm["TreatMissingData"] == "breaching"
    assert (alarm["Namespace"], alarm["MetricName"]) == ("Surefill", "Tick")
    assert alarm["Dimensions"] == [{"Name": "service", "Value": name}]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (period, 3)


@pytest.mark.parametrize("name", [spec.name for spec in FUNCTIONS])
def test_every_function_alarms_on_errors_and_on_dead_letters(prod: Deployment, name: str) -> None:
    made = alarms(prod)
    assert made[f"{name}-errors"]["Threshold"] == 0
    depth = made[f"{name}-dlq-not-empty"]
    assert (depth["MetricName"], depth["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 0)


@pytest.mark.parametrize("name", ["place_order", "settle_order"])
def test_an_order_that_is_not_settled_yet_is_no_error(prod: Deployment, name: str) -> None:
    metrics = {metric["Id"]: metric for metric in alarms(prod)[f"{name}-errors"]["Metrics"]}
    shown = next(metric for metric in metrics.values() if "Expression" in metric)
    assert shown["Expression"] == "errors - FILL(not_settled, 0)"
    assert metrics["errors"]["MetricStat"]["Metric"]["MetricName"] == "Errors"
    subtracted = metrics["not_settled"]["MetricStat"]["Metric"]
    assert (subtracted["Namespace"], subtracted["MetricName"]) == ("Surefill", "NotSettled")
    assert subtracted["Dimensions"] == [{"Name": "service", "Value": name}]


@pytest.mark.parametrize(
    ("name", "metric", "service", "threshold"),
    [
        ("oldest-unfinished-order", "OldestUnfinishedAgeSeconds", "reconcile", 600),
        ("quarantined", "Quarantined", "watch_exits", 0),
        ("unprotected-positions", "UnprotectedPositions", "watch_exits", 0),
        ("reconcile-deficits", "ReconcileDeficits", "sync_account", 0),
        ("venue-auth-failed", "AccountsRejected", "sync_account", 0),
        ("daily-loss-reached", "DailyLossReached", "sync_account", 0),
    ],
)
def test_money_alarms(prod: Deployment, name: str, metric: str, service: str, threshold: int) -> None:
    alarm = alarms(prod)[name]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("Surefill", metric, "Maximum")
    assert alarm["Dimensions"] == [{"Name": "service", "Value": service}]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", threshold)


def test_a_failed_or_endless_workflow_is_an_alarm(prod: Deployment) -> None:
    made = alarms(prod)
    assert made["order-failed"]["MetricName"] == "ExecutionsFailed"
    assert made["order-timedout"]["MetricName"] == "ExecutionsTimedOut"


def test_every_query_is_published_for_every_function(prod: Deployment) -> None:
    published = {
        query["Properties"]["Name"].removeprefix("Surefill/prod/"): query["Properties"]
        for query in prod.observability.of_type("AWS::Logs::QueryDefinition").values()
    }
    assert set(published) == set(QUERIES)
    for query in published.values():
        assert query["LogGroupNames"] == [f"/aws/lambda/surefill-prod-{spec.name}" for spec in FUNCTIONS]


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_query_asks_only_for_words_the_product_says(name: str) -> None:
    query = QUERIES[name].read_text(encoding="utf-8")
    assert query.startswith("# "), "a query begins with what it is for"
    said = set(re.findall(r'"([a-z]+\.[a-z_]+)"', query)) - {"platform.report"}
    assert said <= {reason.value for reason in Reason}
    families = {family for text in re.findall(r"/\^(.+?)\\\./", query) for family in text.strip("()").split("|")}
    assert families <= {reason.value.partition(".")[0] for reason in Reason}


def test_people_who_are_not_told_are_an_alarm(prod: Deployment) -> None:
    alarm = alarms(prod)["notifications-failed"]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("NotificationsFailed", "Sum", 0)
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "publish_events"}]


def test_every_alarm_is_in_the_runbook(prod: Deployment) -> None:
    text = (REPOSITORY / "docs" / "runbooks" / "alarms.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`([a-z_<>-]+)`", text))
    for name in alarms(prod):
        function = next((spec.name for spec in FUNCTIONS if name.startswith(f"{spec.name}-")), "")
        assert name in names or name.replace(function, "<function>", 1) in names, name


def test_the_runbook_names_queries_that_exist() -> None:
    text = (REPOSITORY / "docs" / "runbooks" / "alarms.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:decisions|orders|exits|operations)/[a-z_]+)`", text))
    assert named
    assert named <= set(QUERIES)
    assert set(QUERIES) <= named, "a query nobody is told of"


def test_the_local_stage_has_no_queries(local: Deployment) -> None:
    assert not local.of_type("AWS::Logs::QueryDefinition")


def test_the_api_takes_signed_requests_and_alerts_only(prod: Deployment) -> None:
    routes = [route["Properties"] for route in prod.control.of_type("AWS::ApiGatewayV2::Route").values()]
    assert {route["RouteKey"]: route["AuthorizationType"] for route in routes} == {
        "ANY /{proxy+}": "AWS_IAM",
        "POST /hooks/{bot_id}": "NONE",
    }
    (stage,) = prod.control.of_type("AWS::ApiGatewayV2::Stage").values()
    limits = stage["Properties"]["DefaultRouteSettings"]
    assert limits["ThrottlingRateLimit"] <= 50
    assert limits["ThrottlingBurstLimit"] <= 100
    log = stage["Properties"]["AccessLogSettings"]
    assert json.loads(log["Format"])["caller"] == "$context.identity.userArn"
    arn = "arn:aws:logs:region:account:log-group:LogGroup:/aws/vendedlogs/apis/surefill-prod-control"
    assert prod.control.text(log["DestinationArn"]) == arn


def test_a_new_query_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "group").mkdir()
    (tmp_path / "group" / "query.sql").write_text("SELECT 1", encoding="utf-8")
    (tmp_path / "group" / "notes.md").write_text("no query", encoding="utf-8")
    assert {group: [path.name for path in paths] for group, paths in query_files(tmp_path).items()} == {
        "group": ["query.sql"]
    }


def test_outputs_name_what_programs_need(prod: Deployment) -> None:
    assert {"TablePrefix", "EventsTopicArn"} <= set(prod.data.outputs)
    assert {"EvaluationsQueueUrl", "OrderWorkflowArn", "ScheduleGroupName"} <= set(prod.trading.outputs)
    assert {"ApiUrl", "BotApiFunctionName"} <= set(prod.control.outputs)
    functions = [name for name in prod.trading.outputs if name.endswith("FunctionName")]
    assert len(functions) == len(FUNCTIONS) - 1
