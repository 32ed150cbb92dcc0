"""The function factory: the one place that decides how a Lambda function of Surefill is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from constructs import Construct

from infra.addresses import Addresses
from infra.catalogue import CALLED, FUNCTIONS
from infra.constructs.alarms import Alarms
from infra.constructs.dead_letter_queue import DeadLetterQueue
from infra.constructs.log_group import log_group

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.catalogue import Capability, FunctionSpec, Layer
    from infra.code import CodeSource
    from infra.settings import Stage

METRICS_NAMESPACE = "Surefill"
HANDLER = "handler.handler"
# An event that could not be started within a minute belongs to a tick that is over.
_MAX_EVENT_AGE = Duration.seconds(60)
_CONSUME_QUEUE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes")
_READ_STREAM = (
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Actions on exactly these resources."""

    actions: Sequence[str]
    resources: Sequence[str]

    def statement(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(actions=list(self.actions), resources=list(self.resources))


class Layers(Construct):
    """The layers of one stack, made on first use.

    Every stack publishes its own versions: a layer version changes with each build, and a changing value that one
    stack exports to another can never be updated.
    """

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, code: CodeSource) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        self._code = code
        self._made: dict[Layer, lambda_.LayerVersion] = {}

    def get(self, name: Layer) -> lambda_.LayerVersion:
        if name not in self._made:
            self._made[name] = lambda_.LayerVersion(
                self,
                name.title(),
                code=self._code.layer(name),
                compatible_architectures=[architecture(self._stage)],
                compatible_runtimes=[runtime(self._stage)],
                description=f"Surefill {name} layer",
            )
        return self._made[name]


class PythonFunction(Construct):
    """A Lambda function with its own role, log group, dead-letter queue and alarms.

    The role is written out in full and closed: nothing that is attached later can widen it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        spec: FunctionSpec,
        code: CodeSource,
        layers: Layers,
        environment: Mapping[str, str],
        grants: Sequence[Grant],
    ) -> None:
        super().__init__(scope, construct_id)
        self.spec = spec
        self._stage = stage
        self._name = stage.resource(spec.name)
        self.log_group = log_group(self, stage=stage, name=f"/aws/lambda/{self._name}")
        self.dead_letters = DeadLetterQueue(self, "DeadLetters", stage=stage, owner=spec.name)
        self.role = self._role(grants)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=self._name,
            description=f"Surefill {spec.name}: {spec.purpose}",
            code=code.function(spec.name),
            handler=HANDLER,
            runtime=runtime(stage),
            architecture=architecture(stage),
            timeout=Duration.seconds(spec.timeout),
            memory_size=spec.memory,
            layers=[layers.get(name) for name in spec.layers],
            role=self.role.without_policy_updates(),
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            reserved_concurrent_executions=spec.reserved_concurrency if stage.reserves_concurrency else None,
            environment={**_common_environment(stage, spec), **spec.environment, **environment},
            # A tick, an order step and an event are each retried by their owner, never by Lambda's own queue.
            retry_attempts=0,
            max_event_age=_MAX_EVENT_AGE,
            on_failure=destinations.SqsDestination(self.dead_letters.queue),
        )
        self._alarm_on_errors()

    def _role(self, grants: Sequence[Grant]) -> iam.Role:
        own = (
            Grant(actions=("logs:CreateLogStream", "logs:PutLogEvents"), resources=(self.log_group.log_group_arn,)),
            Grant(actions=("sqs:SendMessage",), resources=(self.dead_letters.queue.queue_arn,)),
        )
        return iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Surefill {self.spec.name} on stage {self._stage.name}",
            inline_policies={
                self.spec.name: iam.PolicyDocument(statements=[grant.statement() for grant in (*own, *grants)])
            },
        )

    def _alarm_on_errors(self) -> None:
        errors = self.function.metric_errors(period=Duration.minutes(1), statistic="Sum")
        metric: cloudwatch.IMetric = errors
        # The local AWS reports no custom metrics to subtract.
        if self.spec.raises_not_settled and not self._stage.is_local:
            # "Not settled yet" travels as an exception because a happy order then costs two state transitions.
            metric = cloudwatch.MathExpression(
                expression="errors - FILL(not_settled, 0)",
                label=f"{self.spec.name} errors other than NotSettled",
                period=Duration.minutes(1),
                using_metrics={"errors": errors, "not_settled": service_metric("NotSettled", service=self.spec.name)},
            )
        Alarms.of(self, stage=self._stage).when(
            "Errors",
            name=f"{self.spec.name}-errors",
            text=f"{self.spec.name} failed; what it failed on waits in {self._name}-dlq or is settled by reconcile",
            metric=metric,
            above=0,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def grants_for(scope: Construct, *, stage: Stage, spec: FunctionSpec, stream_arns: Sequence[str] = ()) -> list[Grant]:
    """The catalogue's permissions of one function as grants.

    Raises:
        ValueError: the function reads the streams of the tables, and no stream is given.
    """
    at = Addresses(scope, stage=stage)
    grants = [
        Grant(actions=[f"dynamodb:{action}" for action in actions], resources=[at.table(path)])
        for path, actions in spec.tables.items()
    ]
    if "read_streams" in spec.may:
        if not stream_arns:
            raise ValueError(f"{spec.name} reads the streams of the tables, stream_arns was {stream_arns!r}")
        grants.append(Grant(actions=_READ_STREAM, resources=stream_arns))
    if "tell_people" in spec.may and stage.notify:
        secrets = [at.secret(stage.notify_secret(kind)) for kind in stage.notify]
        grants.append(Grant(actions=("secretsmanager:GetSecretValue",), resources=secrets))
    if "ask_adviser" in spec.may and stage.adviser_model:
        grants.append(Grant(actions=("bedrock:InvokeModel",), resources=[at.model(stage.adviser_model)]))
    resources: Mapping[Capability, Grant] = {
        "send_evaluations": Grant(actions=_sending("sqs:SendMessage", stage), resources=[at.evaluations_queue]),
        "consume_evaluations": Grant(actions=_CONSUME_QUEUE, resources=[at.evaluations_queue]),
        "start_orders": Grant(actions=("states:StartExecution",), resources=[at.order_workflow]),
        "start_closing": Grant(actions=("states:StartExecution",), resources=[at.close_all_workflow]),
        "call_functions": Grant(actions=("lambda:InvokeFunction",), resources=[at.function(name) for name in CALLED]),
        "read_queue_depth": Grant(actions=("sqs:GetQueueAttributes",), resources=[at.evaluations_queue]),
        "read_dead_letters": Grant(
            actions=("sqs:GetQueueAttributes",), resources=[at.dead_letters(one.name) for one in FUNCTIONS]
        ),
        "read_secrets": Grant(actions=("secretsmanager:GetSecretValue",), resources=[at.exchange_keys]),
        "publish_events": Grant(actions=_sending("sns:Publish", stage), resources=[at.events_topic]),
    }
    grants.extend(grant for capability, grant in resources.items() if capability in spec.may)
    return grants


def _sending(action: str, stage: Stage) -> tuple[str, ...]:
    # AWS authorises a batch as the single call; the local AWS takes it for an action of its own.
    return (action, f"{action}Batch") if stage.is_local else (action,)


def service_metric(
    name: str, *, service: str, statistic: str = "Sum", period: Duration | None = None
) -> cloudwatch.Metric:
    """A metric our functions write; Powertools adds the dimension ``service``."""
    return cloudwatch.Metric(
        namespace=METRICS_NAMESPACE,
        metric_name=name,
        dimensions_map={"service": service},
        statistic=statistic,
        period=period or Duration.minutes(1),
    )


def runtime(stage: Stage) -> lambda_.Runtime:
    return lambda_.Runtime(f"python{stage.python}", lambda_.RuntimeFamily.PYTHON)


def architecture(stage: Stage) -> lambda_.Architecture:
    return lambda_.Architecture.ARM_64 if stage.architecture == "arm64" else lambda_.Architecture.X86_64


def _common_environment(stage: Stage, spec: FunctionSpec) -> dict[str, str]:
    environment = {
        "STAGE": stage.name,
        "TABLE_PREFIX": stage.table_prefix,
        "VENUES": stage.venues_json,
        "POWERTOOLS_SERVICE_NAME": spec.name,
        "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }
    if stage.aws_endpoint:
        environment["AWS_ENDPOINT_URL"] = stage.aws_endpoint
    if stage.clock_url:
        environment["CLOCK_URL"] = stage.clock_url
    return environment
