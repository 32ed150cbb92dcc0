"""Typed clients of the local AWS, and what the stage reads and changes through them."""

from __future__ import annotations

import json
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local.errors import LocalError
from local.stage.api import ControlApi
from local.stage.environment import REGION, ROOT_KEY, ROOT_SECRET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

# Resends would hide what is being looked at, and a resent invocation would be a second one.
_CONFIG = Config(
    connect_timeout=2, read_timeout=130, retries={"mode": "standard", "total_max_attempts": 1}, proxies={},
    max_pool_connections=32,
)  # fmt: skip
PREFIX = "surefill-local"
_POLL_SECONDS = 0.02
_LARGEST_BATCH = 10


class InvocationFailedError(LocalError):
    """A function ended with an error. `error` is what it answered."""

    def __init__(self, function: str, error: Any) -> None:
        self.function = function
        self.error = error
        kind = error.get("errorType") if isinstance(error, dict) else None
        text = error.get("errorMessage") if isinstance(error, dict) else error
        super().__init__(f"function {function} failed: {kind or 'error'}: {text}")


class LocalAws:
    """The local AWS at `endpoint`, as its root user."""

    def __init__(self, *, endpoint: str) -> None:
        self.endpoint = endpoint
        self._session = boto3.session.Session(
            aws_access_key_id=ROOT_KEY, aws_secret_access_key=ROOT_SECRET, region_name=REGION
        )

    def _client(self, service: str) -> Any:
        return self._session.client(cast("Any", service), endpoint_url=self.endpoint, config=_CONFIG)

    @cached_property
    def functions(self) -> LambdaClient:
        """Lambda."""
        return cast("LambdaClient", self._client("lambda"))

    @cached_property
    def queues(self) -> SQSClient:
        """SQS."""
        return cast("SQSClient", self._client("sqs"))

    @cached_property
    def workflows(self) -> SFNClient:
        """Step Functions."""
        return cast("SFNClient", self._client("stepfunctions"))

    @cached_property
    def schedules(self) -> EventBridgeSchedulerClient:
        """EventBridge Scheduler."""
        return cast("EventBridgeSchedulerClient", self._client("scheduler"))

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        """Secrets Manager."""
        return cast("SecretsManagerClient", self._client("secretsmanager"))

    @cached_property
    def stacks(self) -> CloudFormationClient:
        """CloudFormation."""
        return cast("CloudFormationClient", self._client("cloudformation"))

    @cached_property
    def identities(self) -> IAMClient:
        """IAM."""
        return cast("IAMClient", self._client("iam"))

    @cached_property
    def tokens(self) -> STSClient:
        """STS."""
        return cast("STSClient", self._client("sts"))

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """CloudWatch Logs."""
        return cast("CloudWatchLogsClient", self._client("logs"))

    def outputs(self) -> dict[str, str]:
        """The outputs of all stacks of the stage, by their names."""
        found: dict[str, str] = {}
        for stack in self.stacks.describe_stacks()["Stacks"]:
            if stack["StackName"].startswith("Surefill-local-"):
                for output in stack.get("Outputs", []):
                    found[output["OutputKey"]] = output["OutputValue"]
        return found

    def api(self, *, url: str) -> ControlApi:
        """The control API at its own address."""
        return ControlApi(url=url, credentials=Credentials(ROOT_KEY, ROOT_SECRET))

    def invoke(self, function: str, payload: str | bytes) -> Any:
        """Invoke a function and wait. Raises InvocationFailedError when it ends with an error."""
        try:
            answer = self.functions.invoke(FunctionName=function, Payload=payload)
        except ClientError as error:
            raise InvocationFailedError(function, error.response.get("Error")) from error
        content = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError"):
            raise InvocationFailedError(function, content)
        return content

    def put_secret(self, name: str, content: dict[str, str]) -> None:
        """Create a secret or replace what it says."""
        text = json.dumps(content)
        try:
            self.secrets.create_secret(Name=name, SecretString=text)
        except self.secrets.exceptions.ResourceExistsException:
            self.secrets.put_secret_value(SecretId=name, SecretString=text)

    def running_orders(self, workflow: str) -> int:
        """How many executions of the order workflow run now."""
        return len(self.workflows.list_executions(stateMachineArn=workflow, statusFilter="RUNNING")["executions"])

    def waiting_messages(self, queue_url: str) -> int:
        """Messages of a queue that are not done: visible, delayed, or with a function now."""
        shown = self.queues.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
        return sum(int(value) for name, value in shown.items() if name.startswith("ApproximateNumberOfMessages"))

    def wait_for_orders(self, workflow: str, *, timeout_seconds: float) -> bool:
        """Wait until no order workflow runs; False when some still do after the time."""
        deadline = time.monotonic() + timeout_seconds
        while self.running_orders(workflow):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def wait_until_quiet(self, *, queue_url: str, workflow: str, timeout_seconds: float) -> bool:
        """Wait until no evaluation is waiting and no order workflow runs; False when some still are after the time."""
        deadline = time.monotonic() + timeout_seconds
        # In this order: an evaluation that is done has started its orders already.
        while self.waiting_messages(queue_url) or self.running_orders(workflow):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def receive_all(self, queue_url: str) -> list[MessageTypeDef]:
        """Take every message that is visible now, as an event source does; they are not deleted."""
        taken: list[MessageTypeDef] = []
        while True:
            page = self.queues.receive_message(
                QueueUrl=queue_url, MaxNumberOfMessages=_LARGEST_BATCH, MessageSystemAttributeNames=["All"]
            ).get("Messages", [])
            if not page:
                return taken
            taken += page

    def delete_messages(self, queue_url: str, messages: Sequence[MessageTypeDef]) -> None:
        """Delete messages that were dealt with."""
        for start in range(0, len(messages), _LARGEST_BATCH):
            self.queues.delete_message_batch(
                QueueUrl=queue_url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(messages[start : start + _LARGEST_BATCH])
                ],
            )

    def switch_event_source(self, function: str, *, enabled: bool) -> None:
        """Let the queue feed a function, or stop it."""
        for mapping in self.functions.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]:
            self.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)
