"""Every function's own role on the deployed stage, tried for real against everything its row does not list."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.catalogue import FUNCTIONS, FunctionSpec
from local.stage.environment import REGION
from surefill.adapters.dynamodb import TABLES
from tests.system.bench import Bench

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"})
_CONFIG = Config(retries={"total_max_attempts": 1}, proxies={})
_ACTIONS = ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem")
Call = Callable[[], Any]


class Actor:
    """AWS with the credentials of one function's role."""

    def __init__(self, bench: Bench, spec: FunctionSpec) -> None:
        self._stage = bench.stage
        self.spec = spec
        role = bench.stage.aws.functions.get_function(FunctionName=bench.stage.function(spec.name))["Configuration"][
            "Role"
        ]
        self.role = role
        name = role.rpartition("/")[2]
        self._session = self._assumed(bench, role=role, name=name)

    def _assumed(self, bench: Bench, *, role: str, name: str) -> boto3.session.Session:
        """Credentials as Lambda would get them; for this moment the stage's root may take on the role too."""
        account = role.split(":")[4]
        identities = bench.stage.aws.identities
        before = identities.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"AWS": f"arn:aws:iam::{account}:root", "Service": "lambda.amazonaws.com"},
                }
            ],
        }
        identities.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
        try:
            found = bench.stage.aws.tokens.assume_role(RoleArn=role, RoleSessionName="trial")["Credentials"]
        finally:
            text = before if isinstance(before, str) else json.dumps(before)
            identities.update_assume_role_policy(RoleName=name, PolicyDocument=text)
        return boto3.session.Session(
            aws_access_key_id=found["AccessKeyId"],
            aws_secret_access_key=found["SecretAccessKey"],
            aws_session_token=found["SessionToken"],
            region_name=REGION,
        )

    def client(self, service: Any) -> Any:
        return self._session.client(service, endpoint_url=self._stage.endpoint, config=_CONFIG)


def actors(bench: Bench) -> Iterator[Actor]:
    for spec in FUNCTIONS:
        yield Actor(bench, spec)


def outcome(call: Call) -> str:
    """ "denied", "done", or the code of another refusal."""
    try:
        call()
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        return "denied" if code in _DENIED else code
    return "done"


def table_calls(client: Any, table: str) -> dict[str, Call]:
    """One harmless call per action on a table, on a key that is not there."""
    schema = next(schema for name, schema in TABLES.items() if table.endswith(f"-{name}"))
    names = [name for name in (schema.partition_key, schema.sort_key) if name]
    key = {name: {"S": "nobody"} for name in names}
    condition = {"KeyConditionExpression": "#k = :v", "ExpressionAttributeNames": {"#k": names[0]}}
    return {
        "GetItem": lambda: client.get_item(TableName=table, Key=key),
        "PutItem": lambda: client.put_item(TableName=table, Item=key),
        "UpdateItem": lambda: client.update_item(TableName=table, Key=key),
        "DeleteItem": lambda: client.delete_item(TableName=table, Key=key),
        "Query": lambda: client.query(TableName=table, ExpressionAttributeValues={":v": {"S": "nobody"}}, **condition),
        "Scan": lambda: client.scan(TableName=table, Limit=1),
        "BatchGetItem": lambda: client.batch_get_item(RequestItems={table: {"Keys": [key]}}),
        "BatchWriteItem": lambda: client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": key}}]}),
    }


def test_no_role_touches_a_table_in_a_way_its_row_does_not_list(bench: Bench) -> None:
    wrong, tried = [], 0
    for actor in actors(bench):
        client = actor.client("dynamodb")
        for name in TABLES:
            calls = table_calls(client, bench.stage.function(name))
            for action in set(_ACTIONS) - set(actor.spec.tables.get(name, ())):
                tried += 1
                if (said := outcome(calls[action])) != "denied":
                    wrong.append(f"{actor.spec.name} {action} {name}: {said}")
    assert wrong == []
    assert tried > 500


def test_a_role_may_read_what_its_row_lists(bench: Bench) -> None:
    """Otherwise a stage that denies everything would pass the test above."""
    reading = ("GetItem", "Query", "Scan", "BatchGetItem")
    for actor in actors(bench):
        client = actor.client("dynamodb")
        for name, actions in actor.spec.tables.items():
            if name in TABLES:
                calls = table_calls(client, bench.stage.function(name))
                for action in set(actions) & set(reading):
                    assert outcome(calls[action]) == "done", f"{actor.spec.name} {action} {name}"


def other_calls(actor: Actor, bench: Bench, *, exchange_secret: str) -> dict[str, Call]:
    """Capability -> a call that needs it; those named in no catalogue are for nobody."""
    stage = bench.stage
    outputs = stage.outputs
    secrets, queues = actor.client("secretsmanager"), actor.client("sqs")
    account = actor.role.split(":")[4]
    user = f"arn:aws:iam::{account}:user/intruder"
    return {
        "read_secrets": lambda: secrets.get_secret_value(SecretId=exchange_secret),
        "send_evaluations": lambda: queues.send_message(QueueUrl=outputs["EvaluationsQueueUrl"], MessageBody="x"),
        "consume_evaluations": lambda: queues.receive_message(QueueUrl=outputs["EvaluationsQueueUrl"]),
        "start_orders": lambda: actor.client("stepfunctions").start_execution(
            stateMachineArn=outputs["OrderWorkflowArn"], name="intruder", input="{}"
        ),
        "publish_events": lambda: actor.client("sns").publish(TopicArn=outputs["EventsTopicArn"], Message="x"),
        "nobody: change a secret": lambda: secrets.put_secret_value(SecretId=exchange_secret, SecretString="x"),
        "nobody: list secrets": lambda: secrets.list_secrets(),
        "nobody: drop a table": lambda: actor.client("dynamodb").delete_table(TableName=stage.function("journal")),
        "nobody: invoke a function": lambda: actor.client("lambda").invoke(FunctionName=stage.function("place_order")),
        "nobody: change a function": lambda: actor.client("lambda").update_function_configuration(
            FunctionName=stage.function("place_order"), Timeout=1
        ),
        "nobody: make a user": lambda: actor.client("iam").create_user(UserName=user.rpartition("/")[2]),
        "nobody: stop a schedule": lambda: actor.client("scheduler").delete_schedule(
            GroupName=outputs["ScheduleGroupName"], Name="watch_exits"
        ),
        "nobody: read the logs": lambda: actor.client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{stage.function('place_order')}"
        ),
    }


def test_no_role_does_what_only_others_or_nobody_may(bench: Bench) -> None:
    secret = bench.stage.put_exchange_secret("trial", key="k", secret="s")
    wrong, tried = [], 0
    for actor in actors(bench):
        for capability, call in other_calls(actor, bench, exchange_secret=secret).items():
            if capability not in actor.spec.may:
                tried += 1
                if (said := outcome(call)) != "denied":
                    wrong.append(f"{actor.spec.name} {capability}: {said}")
    assert wrong == []
    assert tried > 100


def test_keys_are_read_by_those_who_talk_to_a_venue_only(bench: Bench) -> None:
    secret = bench.stage.put_exchange_secret("trial", key="k", secret="s")
    bench.stage.aws.put_secret("surefill-notify/local/webhook", {"url": "https://example.com", "secret": "s"})
    readers, told = set(), set()
    for actor in actors(bench):
        client = actor.client("secretsmanager")
        if outcome(lambda client=client: client.get_secret_value(SecretId=secret)) == "done":  # type: ignore[misc]
            readers.add(actor.spec.name)
        if outcome(lambda client=client: client.get_secret_value(SecretId="surefill-notify/local/webhook")) == "done":  # type: ignore[misc]
            told.add(actor.spec.name)
    assert readers == {spec.name for spec in FUNCTIONS if "read_secrets" in spec.may}
    # This stage tells nobody but the topic, so nobody reads what the teller would.
    assert told == set()


@pytest.mark.parametrize("name", [spec.name for spec in FUNCTIONS])
def test_nobody_but_the_service_may_take_on_a_role(bench: Bench, name: str) -> None:
    found = bench.stage.aws.functions.get_function(FunctionName=bench.stage.function(name))
    role = found["Configuration"]["Role"].rpartition("/")[2]
    document = bench.stage.aws.identities.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    policy: Any = json.loads(document) if isinstance(document, str) else document
    assert [statement["Principal"] for statement in policy["Statement"]] == [{"Service": "lambda.amazonaws.com"}]
