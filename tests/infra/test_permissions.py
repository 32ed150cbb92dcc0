"""What every function may do is exactly what is written here, and nothing more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.conftest import synthesise

if TYPE_CHECKING:
    from tests.infra.conftest import Deployment, StubCode
    from tests.infra.templates import Template

ROW = {"GetItem", "PutItem", "UpdateItem"}
CHECKED_ROW = ROW | {"ConditionCheckItem"}
READ_SOME = {"GetItem", "BatchGetItem"}
SETTLEMENT = {
    "intents": ROW,
    "slots": {"GetItem", "UpdateItem"},
    "budgets": {"GetItem", "UpdateItem"},
    "ledger": {"PutItem"},
    "journal": {"PutItem"},
    "accounts": {"GetItem", "UpdateItem"},
    "markets": {"GetItem"},
    "paper": ROW | {"Query", "BatchGetItem"},
    "exposures": {"UpdateItem"},
}
TABLES: dict[str, dict[str, set[str]]] = {
    "dispatch": {"bots/index/cadence": {"Query"}, "schedules": ROW},
    "evaluate": {
        "slots": ROW | {"Query", "BatchGetItem"},
        "budgets": {"GetItem"},
        "exposures": {"GetItem"},
        "markets": ROW,
        "accounts": {"GetItem"},
        "bots": {"UpdateItem"},
        "intents/index/by_bot": {"Query"},
        "intents": {"BatchGetItem"},
        "journal": {"BatchWriteItem"},
        "schedules": {"PutItem"},
    },
    "claim_order": {
        "budgets": {"GetItem", "UpdateItem", "ConditionCheckItem"},
        "exposures": {"UpdateItem"},
        "slots": CHECKED_ROW,
        "intents": CHECKED_ROW,
        "ledger": CHECKED_ROW,
        "bots": {"GetItem", "ConditionCheckItem"},
        "journal": {"PutItem"},
        "accounts": {"GetItem"},
    },
    "place_order": SETTLEMENT,
    "settle_order": SETTLEMENT,
    "watch_exits": {
        "slots": {"Query", "GetItem", "BatchGetItem", "UpdateItem"},
        "slots/index/open": {"Query"},
        "accounts": {"GetItem", "BatchGetItem"},
        "markets": {"GetItem", "BatchGetItem"},
        "bots": {"GetItem", "BatchGetItem"},
        "budgets": {"GetItem", "UpdateItem"},
        "exposures": {"UpdateItem"},
        "ledger": {"PutItem"},
        "intents": ROW,
        "journal": {"PutItem"},
        "schedules": {"PutItem", "UpdateItem"},
    },
    "reconcile": {
        **SETTLEMENT,
        "intents": ROW | {"BatchGetItem"},
        "intents/index/work": {"Query"},
        "schedules": {"PutItem", "UpdateItem"},
    },
    "sync_account": {
        "accounts": {"Scan", "GetItem", "UpdateItem"},
        "slots": {"Query", "BatchGetItem"},
        "slots/index/open": {"Query"},
        "schedules": {"PutItem"},
        "intents": {"BatchGetItem"},
        "budgets": {"BatchGetItem", "UpdateItem"},
        "budgets/index/by_account": {"Query"},
        "paper": ROW | {"Query", "BatchGetItem"},
        "journal": {"PutItem"},
        "trades": {"PutItem"},
    },
    "refresh_markets": {"markets": ROW, "bots/index/cadence": {"Query"}, "schedules": {"PutItem"}},
    "publish_events": {"bots": {"GetItem"}},
    "close_position": {
        "closings": {"GetItem", "UpdateItem"},
        "slots": {"GetItem", "UpdateItem"},
        "intents": {"GetItem", "UpdateItem"},
        "budgets": {"GetItem", "UpdateItem"},
        "markets": {"GetItem"},
        "ledger": {"PutItem"},
        "exposures": {"UpdateItem"},
    },
    "bot_api": {
        "accounts": READ_SOME | {"PutItem", "DeleteItem"},
        "bots": ROW | {"BatchGetItem", "DeleteItem"},
        "budgets": ROW | {"BatchGetItem"},
        "slots": READ_SOME | {"Query", "UpdateItem"},
        "intents": READ_SOME | {"UpdateItem"},
        "exposures": {"UpdateItem"},
        "ledger": READ_SOME | {"Query", "PutItem"},
        "journal": {"GetItem", "Query", "BatchWriteItem"},
        "markets": READ_SOME,
        "schedules": READ_SOME,
        "requests": ROW,
        "stops": ROW | {"Query"},
        "closings": {"GetItem", "PutItem", "Query"},
        "trades": {"GetItem", "Query"},
        "accounts/index/by_venue": {"Query"},
        "bots/index/by_account": {"Query"},
        "bots/index/by_definition": {"Query"},
        "budgets/index/by_account": {"Query"},
        "slots/index/open": {"Query"},
        "intents/index/work": {"Query"},
        "intents/index/by_bot": {"Query"},
    },
}
QUEUE = "arn:aws:sqs:region:account:surefill-prod-evaluations"
KEYS = "arn:aws:secretsmanager:region:account:secret:surefill/prod/*"
ORDERS = "arn:aws:states:region:account:stateMachine:surefill-prod-order"
CLOSE_ALL = "arn:aws:states:region:account:stateMachine:surefill-prod-close_all"
CALLED = [
    f"arn:aws:lambda:region:account:function:surefill-prod-{name}" for name in ("evaluate", "reconcile", "sync_account")
]
SENDS = {QUEUE: {"sqs:SendMessage"}}
READS_KEYS = {KEYS: {"secretsmanager:GetSecretValue"}}
STARTS_ORDERS = {ORDERS: {"states:StartExecution"}}
CONSUMES = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"}
STREAM = {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"}
OTHERS: dict[str, dict[str, set[str]]] = {
    "dispatch": {QUEUE: {"sqs:SendMessage", "sqs:GetQueueAttributes"}},
    "evaluate": {QUEUE: CONSUMES, **STARTS_ORDERS},
    "place_order": READS_KEYS,
    "settle_order": READS_KEYS,
    "watch_exits": STARTS_ORDERS,
    "reconcile": READS_KEYS,
    "sync_account": READS_KEYS,
    "publish_events": {
        "import:Stream": STREAM,
        "arn:aws:sns:region:account:surefill-prod-events": {"sns:Publish"},
        **SENDS,
    },
    "close_position": STARTS_ORDERS,
    "bot_api": {
        QUEUE: {"sqs:SendMessage", "sqs:GetQueueAttributes"},
        **{f"arn:aws:sqs:region:account:surefill-prod-{name}-dlq": {"sqs:GetQueueAttributes"} for name in TABLES},
        **STARTS_ORDERS,
        CLOSE_ALL: {"states:StartExecution"},
        **{arn: {"lambda:InvokeFunction"} for arn in CALLED},
    },
}


def granted(template: Template, role: dict[str, Any]) -> dict[str, set[str]]:
    """Allowed actions by resource of a role's own policies."""
    allowed: dict[str, set[str]] = {}
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            assert set(statement) <= {"Effect", "Action", "Resource"}, "statements are plain"
            actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            for resource in resources:
                name = template.text(resource)
                name = "import:Stream" if name.startswith("import:") and "StreamArn" in name else name
                allowed.setdefault(name, set()).update(actions)
    return allowed


def role_of(template: Template, properties: dict[str, Any]) -> dict[str, Any]:
    logical_id = properties["Role"]["Fn::GetAtt"][0]
    role: dict[str, Any] = template.resources[logical_id]["Properties"]
    return role


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_function_may_do_what_its_row_says_and_nothing_else(prod: Deployment, name: str) -> None:
    template, properties = prod.function(name)
    expected = {
        f"arn:aws:dynamodb:region:account:table/surefill-prod-{path}": {f"dynamodb:{action}" for action in actions}
        for path, actions in TABLES[name].items()
    }
    expected |= OTHERS.get(name, {})
    expected[f"LogGroup:/aws/lambda/surefill-prod-{name}"] = {"logs:CreateLogStream", "logs:PutLogEvents"}
    expected[f"Queue:surefill-prod-{name}-dlq"] = {"sqs:SendMessage"}
    assert granted(template, role_of(template, properties)) == expected


def test_every_function_has_a_role_of_its_own_that_nothing_widens(prod: Deployment) -> None:
    functions = [
        (template, resource["Properties"])
        for template in (prod.trading, prod.control)
        for resource in template.of_type("AWS::Lambda::Function").values()
    ]
    assert {template.text(made["FunctionName"]) for template, made in functions} == {
        f"surefill-prod-{name}" for name in TABLES
    }
    roles = {(id(template), made["Role"]["Fn::GetAtt"][0]) for template, made in functions}
    assert len(roles) == len(functions)
    for template in prod.all:
        assert not template.of_type("AWS::IAM::Policy"), "a policy beside the role widens it unseen"
        assert not template.of_type("AWS::IAM::ManagedPolicy")
        for role in template.of_type("AWS::IAM::Role").values():
            assert not role["Properties"].get("ManagedPolicyArns")


def test_no_role_has_a_wildcard_action_and_only_log_delivery_has_every_resource(prod: Deployment) -> None:
    everything = []
    for template in prod.all:
        for role in template.of_type("AWS::IAM::Role").values():
            for resource, actions in granted(template, role["Properties"]).items():
                assert not any("*" in action for action in actions)
                if resource == "*":
                    everything.append(actions)
                elif "*" in resource:
                    assert resource == KEYS
    assert len(everything) == 2, "the order workflow and the one of the kill switch"
    assert all(action.startswith("logs:") for actions in everything for action in actions)


def test_the_local_stage_differs_only_where_the_local_aws_does(local: Deployment, prod: Deployment) -> None:
    for name in TABLES:
        here = granted(*(lambda found: (found[0], role_of(*found)))(local.function(name)))
        there = granted(*(lambda found: (found[0], role_of(*found)))(prod.function(name)))
        renamed = {resource.replace("local", "prod"): actions for resource, actions in here.items()}
        extra = {action for resource in renamed for action in renamed[resource] - there[resource]}
        assert set(renamed) == set(there)
        assert extra <= {"sqs:SendMessageBatch", "sns:PublishBatch"}, name


def test_people_are_told_with_secrets_that_only_the_teller_reads(stub_code: StubCode) -> None:
    told = synthesise(stub_code, stage="prod", notify="telegram, webhook")
    template, properties = told.function("publish_events")
    secrets = {
        resource: actions
        for resource, actions in granted(template, role_of(template, properties)).items()
        if "secretsmanager" in resource
    }
    prefix = "arn:aws:secretsmanager:region:account:secret:surefill-notify/prod"
    assert secrets == {f"{prefix}/{kind}-??????": {"secretsmanager:GetSecretValue"} for kind in ("webhook", "telegram")}
    variables = properties["Environment"]["Variables"]
    assert variables["NOTIFY_WEBHOOK_SECRET"] == "surefill-notify/prod/webhook"
    assert variables["NOTIFY_TELEGRAM_SECRET"] == "surefill-notify/prod/telegram"
    (subscription,) = template.of_type("AWS::SNS::Subscription").values()
    alarms = "arn:aws:sns:region:account:surefill-prod-alarms"
    assert template.text(subscription["Properties"]["TopicArn"]) == alarms
    (allowed,) = (
        permission["Properties"]
        for permission in template.of_type("AWS::Lambda::Permission").values()
        if permission["Properties"]["Principal"] == "sns.amazonaws.com"
    )
    assert template.text(allowed["SourceArn"]) == alarms
    for name in set(TABLES) - {"publish_events"}:
        other, made = told.function(name)
        assert not any("surefill-notify" in resource for resource in granted(other, role_of(other, made)))
        assert not any("NOTIFY" in variable for variable in made["Environment"]["Variables"])


def test_the_streams_wake_the_teller_only_for_what_it_tells(prod: Deployment) -> None:
    filters = {}
    for name, resource in prod.trading.of_type("AWS::Lambda::EventSourceMapping").items():
        pattern = resource["Properties"].get("FilterCriteria")
        if pattern:
            (entry,) = pattern["Filters"]
            filters[name.partition("Source")[0]] = json.loads(entry["Pattern"])["dynamodb"]["NewImage"]
    told = {
        "Accounts": {"state": {"S": ["AUTH_FAILED", "OUT_OF_SYNC"]}},
        "Journal": {"reason": {"S": ["exit.no_protection", "position.held", "limit.loss_today"]}},
    }
    assert filters == told


def test_only_evaluate_may_ask_a_model_and_only_the_one_that_is_set(stub_code: StubCode) -> None:
    asking = synthesise(stub_code, stage="prod", adviser_model="amazon.nova-lite-v1:0")
    for name in TABLES:
        template, properties = asking.function(name)
        asked = {
            resource: actions
            for resource, actions in granted(template, role_of(template, properties)).items()
            if any(action.startswith("bedrock:") for action in actions)
        }
        model = "arn:aws:bedrock:region::foundation-model/amazon.nova-lite-v1:0"
        assert asked == ({model: {"bedrock:InvokeModel"}} if name == "evaluate" else {})
        assert ("ADVISER_MODEL" in properties["Environment"]["Variables"]) == (name == "evaluate")
