"""bot_api: the operator's HTTP API. Checks the shape of a request, calls one use case, answers JSON."""

from surefill import startup  # isort: skip  # first, so that nothing is collected while the rest loads

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from surefill.adapters.aws.clients import LateClient
from surefill.adapters.aws.functions import LambdaFunctions
from surefill.adapters.aws.queue import SqsDeadLetters, SqsQueue
from surefill.adapters.aws.workflow import CloseAllWorkflow, OrderWorkflow
from surefill.api.app import make_app
from surefill.api.gate import answered
from surefill.api.services import Services
from surefill.composition import Base, base
from surefill.settings import required
from surefill.usecases.control.accounts import AccountControl
from surefill.usecases.control.bots import BotControl
from surefill.usecases.control.directory import Directory
from surefill.usecases.control.health import Health
from surefill.usecases.control.hooks import Hooks
from surefill.usecases.control.positions import PositionControl
from surefill.usecases.control.requests import Requests
from surefill.usecases.control.stop import KillSwitch

logger = Logger()
metrics = Metrics()
app = make_app(logger=logger)


@cache
def build() -> tuple[Base, Services]:
    """The composition root."""
    common = base(logger=logger, metrics=metrics)
    store, clock, observer = common.store, common.clock, common.observer
    steps = LateClient("stepfunctions")
    sqs, queue_url = LateClient("sqs"), required("EVALUATIONS_QUEUE_URL")
    queue = SqsQueue(sqs=sqs, url=queue_url)
    dead_letters = SqsDeadLetters(
        sqs=sqs,
        beside=queue_url,
        prefix=common.settings.table_prefix,
        functions=required("DEAD_LETTERS_OF").split(","),
    )
    orders = OrderWorkflow(step_functions=steps, arn=required("ORDER_WORKFLOW_ARN"))
    closing = CloseAllWorkflow(step_functions=steps, arn=required("CLOSE_ALL_WORKFLOW_ARN"))
    directory = Directory(store=store, venues=sorted(common.settings.venues))
    bots = BotControl(store=store, queue=queue, clock=clock, observer=observer)
    services = Services(
        store=store,
        clock=clock,
        accounts=AccountControl(store=store, clock=clock, observer=observer, venues=directory.venues),
        bots=bots,
        positions=PositionControl(store=store, bots=bots, workflow=orders, clock=clock, observer=observer),
        directory=directory,
        stops=KillSwitch(store=store, directory=directory, workflow=closing, clock=clock, observer=observer),
        hooks=Hooks(store=store, bots=bots, clock=clock, observer=observer),
        health=Health(store=store, directory=directory, queue=queue, dead_letters=dead_letters, clock=clock),
        requests=Requests(store=store, clock=clock),
        functions=LambdaFunctions(client=LateClient("lambda"), prefix=common.settings.table_prefix),
    )
    return common, services


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one HTTP request."""
    common, services = build()
    common.clock.refresh()

    def answer() -> dict[str, Any]:
        app.append_context(**services.as_context())  # type: ignore[no-untyped-call]
        return app.resolve(event, context)

    return answered(event, requests=services.requests, answer=answer)


startup.finish()
