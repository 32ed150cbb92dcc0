"""ARNs built from physical names.

Names are fixed by the stage, so one stack can address a resource of another without an export between them; an
exported value can never change while somebody imports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Stack

if TYPE_CHECKING:
    from constructs import Construct

    from infra.settings import Stage


class Addresses:
    """Where the stage's resources are, seen from the stack of ``scope``."""

    def __init__(self, scope: Construct, *, stage: Stage) -> None:
        self._stack = Stack.of(scope)
        self._stage = stage

    def table(self, path: str) -> str:
        """ARN of a table, or of an index written ``table/index/name``."""
        return self._arn("dynamodb", "table", path, ArnFormat.SLASH_RESOURCE_NAME)

    @property
    def evaluations_queue(self) -> str:
        return self._plain("sqs", "evaluations")

    def dead_letters(self, function: str) -> str:
        """ARN of the queue with what a function failed for good to do."""
        return self._plain("sqs", f"{function}-dlq")

    @property
    def events_topic(self) -> str:
        return self._plain("sns", "events")

    @property
    def alarm_topic(self) -> str:
        return self._plain("sns", "alarms")

    @property
    def order_workflow(self) -> str:
        return self._arn("states", "stateMachine", "order", ArnFormat.COLON_RESOURCE_NAME)

    @property
    def close_all_workflow(self) -> str:
        return self._arn("states", "stateMachine", "close_all", ArnFormat.COLON_RESOURCE_NAME)

    def function(self, name: str) -> str:
        """ARN of one function of the stage."""
        return self._arn("lambda", "function", name, ArnFormat.COLON_RESOURCE_NAME)

    @property
    def exchange_keys(self) -> str:
        """Every secret below ``surefill/<stage>/``; Secrets Manager ends each ARN with six random letters."""
        return self._stack.format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"{self._stage.secret_prefix}*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    def secret(self, name: str) -> str:
        """One secret; the question marks are the six random letters at the end of its ARN."""
        return self._stack.format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"{name}-??????",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    def model(self, name: str) -> str:
        """A foundation model of Bedrock; models belong to no account."""
        return self._stack.format_arn(service="bedrock", account="", resource="foundation-model", resource_name=name)

    def _plain(self, service: str, name: str) -> str:
        return self._stack.format_arn(
            service=service, resource=self._stage.resource(name), arn_format=ArnFormat.NO_RESOURCE_NAME
        )

    def _arn(self, service: str, resource: str, name: str, arn_format: ArnFormat) -> str:
        return self._stack.format_arn(
            service=service, resource=resource, resource_name=self._stage.resource(name), arn_format=arn_format
        )
