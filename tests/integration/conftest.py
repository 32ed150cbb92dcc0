"""The functions' own handlers on moto: real tables, queue, workflow and topic, one thread."""

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import botocore.session
import pytest
from moto import mock_aws

from surefill.adapters.aws.clients import client
from surefill.adapters.dynamodb import TABLES, DynamoStore
from surefill.adapters.dynamodb.schema import table_request

PREFIX = "surefill-test-"
_REGION = "eu-central-1"


class Context:
    """What Lambda hands to a handler."""

    function_name = "test"
    memory_limit_in_mb = 256
    invoked_function_arn = f"arn:aws:lambda:{_REGION}:123456789012:function:test"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 20_000


@dataclass
class Cloud:
    """The AWS of one test."""

    store: DynamoStore
    sqs: Any
    queue_url: str
    topic_arn: str

    def function(self, name: str) -> Callable[[dict[str, Any]], Any]:
        """The handler of a function, with a composition root of its own."""
        module = importlib.import_module(f"functions.{name}.handler")
        module.build.cache_clear()
        return lambda event: module.handler(event, Context())

    def messages(self) -> list[dict[str, Any]]:
        """Take what lies in the evaluations queue."""
        taken = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", [])
        first = {"ApproximateReceiveCount": "1"}
        return [{"messageId": one["MessageId"], "body": one["Body"], "attributes": first} for one in taken]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Tables, queue, topic and an environment as the stacks give the functions."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "CLOCK_URL"):
        monkeypatch.delenv(name, raising=False)
    environment = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": _REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "STAGE": "test",
        "TABLE_PREFIX": PREFIX,
        "VENUES": '{"binance": {"endpoint": null, "hosts": ["api.binance.com"]}}',
        "POWERTOOLS_SERVICE_NAME": "test",
        "POWERTOOLS_METRICS_NAMESPACE": "Surefill",
        "ORDER_WORKFLOW_ARN": f"arn:aws:states:{_REGION}:123456789012:stateMachine:order",
        "CLOSE_ALL_WORKFLOW_ARN": f"arn:aws:states:{_REGION}:123456789012:stateMachine:close_all",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client.cache_clear()
    with mock_aws():
        session: Any = botocore.session.get_session()
        sqs, sns, dynamodb = (session.create_client(name, region_name=_REGION) for name in ("sqs", "sns", "dynamodb"))
        queue_url = sqs.create_queue(QueueName="evaluations")["QueueUrl"]
        for function in ("dispatch", "evaluate"):
            sqs.create_queue(QueueName=f"{PREFIX}{function}-dlq")
        topic_arn = sns.create_topic(Name="events")["TopicArn"]
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=_arn(sqs, queue_url))
        for schema in TABLES.values():
            dynamodb.create_table(**table_request(schema, table_prefix=PREFIX))
        monkeypatch.setenv("EVALUATIONS_QUEUE_URL", queue_url)
        monkeypatch.setenv("DEAD_LETTERS_OF", "dispatch,evaluate")
        monkeypatch.setenv("EVENTS_TOPIC_ARN", topic_arn)
        yield Cloud(store=DynamoStore(table_prefix=PREFIX), sqs=sqs, queue_url=queue_url, topic_arn=topic_arn)
    client.cache_clear()


def _arn(sqs: Any, queue_url: str) -> str:
    answer = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])


@pytest.fixture
def api(cloud: Cloud) -> Callable[..., tuple[int, Any]]:
    """Call the HTTP API: method, path with query, body -> status, JSON."""
    handler = cloud.function("bot_api")

    def call(method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        path, _, query = path.partition("?")
        answer = handler(
            {
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": path,
                "rawQueryString": query,
                "queryStringParameters": dict(parse_qsl(query, keep_blank_values=True)),
                "headers": {"content-type": "application/json", **(headers or {})},
                "requestContext": {"http": {"method": method, "path": path}, "stage": "$default", "requestId": "r"},
                "body": body if isinstance(body, str) else json.dumps(body) if body is not None else None,
                "isBase64Encoded": False,
            }
        )
        return answer["statusCode"], json.loads(answer["body"])

    return call
