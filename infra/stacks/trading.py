"""Everything that trades: the functions, the queue of evaluations, the order workflow and the schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from infra.addresses import Addresses
from infra.catalogue import FUNCTIONS, TICKS, FunctionSpec
from infra.constructs.close_all_workflow import CloseAllWorkflow
from infra.constructs.dead_letter_queue import requires_tls
from infra.constructs.order_workflow import OrderWorkflow
from infra.constructs.python_function import Layers, PythonFunction, grants_for
from infra.constructs.tick_schedule import TickSchedule
from surefill.domain.notices import TOLD_REASONS, TOLD_STATES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from infra.code import CodeSource
    from infra.settings import Stage

API_FUNCTION = "bot_api"
_EVALUATION_BATCH = 10
# Leaves room in the account for the functions that protect money when many symbols are due at once.
_EVALUATION_CONCURRENCY = 20
_STREAM_BATCH = 100


def _worth_telling(attribute: str, values: Sequence[str]) -> list[Mapping[str, Any]]:
    """Only rows with one of these values wake the function; an idle stream costs nothing."""
    image = {attribute: {"S": lambda_.FilterRule.or_(*map(str, values))}}
    return [lambda_.FilterCriteria.filter({"dynamodb": {"NewImage": image}})]


_FILTERS: Mapping[str, list[Mapping[str, Any]]] = {
    "accounts": _worth_telling("state", TOLD_STATES),
    "journal": _worth_telling("reason", TOLD_REASONS),
}


class TradingStack(Stack):
    """Ticks in, orders out."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        code: CodeSource,
        stream_arns: Mapping[str, str],
        **kwargs: object,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)  # type: ignore[arg-type]
        self._stage = stage
        self._stream_arns = stream_arns
        self._code = code
        self._layers = Layers(self, "Layers", stage=stage, code=code)
        specs = {spec.name: spec for spec in FUNCTIONS if spec.name != API_FUNCTION}
        evaluate = self._function(specs.pop("evaluate"), queue_url=None)
        self.evaluations = self._evaluations_queue(evaluate)
        self.functions = {"evaluate": evaluate} | {
            name: self._function(spec, queue_url=self.evaluations.queue_url) for name, spec in specs.items()
        }
        self.workflow = OrderWorkflow(
            self,
            "Order",
            stage=stage,
            claim_order=self.functions["claim_order"],
            place_order=self.functions["place_order"],
            settle_order=self.functions["settle_order"],
        )
        self.close_all = CloseAllWorkflow(
            self, "CloseAll", stage=stage, close_position=self.functions["close_position"]
        )
        self._event_sources()
        self._alarms_reach_people()
        self.schedule_group = self._schedules()
        self._outputs()

    def _function(self, spec: FunctionSpec, *, queue_url: str | None) -> PythonFunction:
        at = Addresses(self, stage=self._stage)
        environment: dict[str, str] = {}
        if "send_evaluations" in spec.may and queue_url is not None:
            environment["EVALUATIONS_QUEUE_URL"] = queue_url
        if "start_orders" in spec.may:
            environment["ORDER_WORKFLOW_ARN"] = at.order_workflow
        if "publish_events" in spec.may:
            environment["EVENTS_TOPIC_ARN"] = at.events_topic
        if "ask_adviser" in spec.may and self._stage.adviser_model:
            environment["ADVISER_MODEL"] = self._stage.adviser_model
        if "tell_people" in spec.may:
            environment |= {
                f"NOTIFY_{channel.upper()}_SECRET": self._stage.notify_secret(channel) for channel in self._stage.notify
            }
        return PythonFunction(
            self,
            "".join(part.title() for part in spec.name.split("_")),
            stage=self._stage,
            spec=spec,
            code=self._code,
            layers=self._layers,
            environment=environment,
            grants=grants_for(self, stage=self._stage, spec=spec, stream_arns=list(self._stream_arns.values())),
        )

    def _evaluations_queue(self, evaluate: PythonFunction) -> sqs.Queue:
        return sqs.Queue(
            self,
            "Evaluations",
            queue_name=self._stage.resource("evaluations"),
            # A failed evaluation is tried once more within its own minute; after that its tick is over.
            visibility_timeout=Duration.seconds(evaluate.spec.timeout + 10),
            retention_period=Duration.hours(1),
            dead_letter_queue=sqs.DeadLetterQueue(queue=evaluate.dead_letters.queue, max_receive_count=2),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=requires_tls(self._stage),
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _event_sources(self) -> None:
        lambda_.EventSourceMapping(
            self,
            "EvaluationsSource",
            target=self.functions["evaluate"].function,
            event_source_arn=self.evaluations.queue_arn,
            batch_size=_EVALUATION_BATCH,
            max_concurrency=_EVALUATION_CONCURRENCY,
            report_batch_item_failures=True,
        )
        publisher = self.functions["publish_events"]
        for table, stream_arn in self._stream_arns.items():
            lambda_.EventSourceMapping(
                self,
                f"{table.title()}Source",
                target=publisher.function,
                event_source_arn=stream_arn,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=_STREAM_BATCH,
                bisect_batch_on_error=True,
                report_batch_item_failures=True,
                retry_attempts=5,
                max_record_age=Duration.hours(1),
                on_failure=event_sources.SqsDlq(publisher.dead_letters.queue),
                filters=_FILTERS.get(table),
            )

    def _alarms_reach_people(self) -> None:
        """Where people are told elsewhere than by e-mail, they are told of alarms there too."""
        if not self._stage.notify:
            return
        publisher = self.functions["publish_events"].function
        topic_arn = Addresses(self, stage=self._stage).alarm_topic
        sns.Subscription(
            self,
            "AlarmsToPeople",
            topic=sns.Topic.from_topic_arn(self, "TopicOfAlarms", topic_arn),
            protocol=sns.SubscriptionProtocol.LAMBDA,
            endpoint=publisher.function_arn,
        )
        publisher.add_permission("Alarms", principal=iam.ServicePrincipal("sns.amazonaws.com"), source_arn=topic_arn)

    def _schedules(self) -> scheduler.ScheduleGroup:
        group = scheduler.ScheduleGroup(
            self, "Schedules", schedule_group_name=self._stage.prefix, removal_policy=RemovalPolicy.DESTROY
        )
        for tick in TICKS:
            target = self.functions[tick.function]
            TickSchedule(self, f"{target.node.id}Tick", stage=self._stage, tick=tick, target=target, group=group)
        return group

    def _outputs(self) -> None:
        CfnOutput(self, "EvaluationsQueueUrl", value=self.evaluations.queue_url)
        CfnOutput(self, "OrderWorkflowArn", value=self.workflow.state_machine.state_machine_arn)
        CfnOutput(self, "CloseAllWorkflowArn", value=self.close_all.state_machine.state_machine_arn)
        CfnOutput(self, "ScheduleGroupName", value=self._stage.prefix)
        for name, made in self.functions.items():
            CfnOutput(self, f"{made.node.id}FunctionName", value=made.function.function_name, description=name)
