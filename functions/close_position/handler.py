"""close_position: one step of closing a position for the kill switch; the workflow asks again until it has ended."""

from surefill import startup  # isort: skip  # first, so that nothing is collected while the rest loads

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from surefill.adapters.aws.clients import client
from surefill.adapters.aws.workflow import OrderWorkflow
from surefill.composition import InvocationClock, base
from surefill.settings import required
from surefill.usecases.control.close import Closer

logger = Logger()
metrics = Metrics()


@cache
def build() -> tuple[Closer, InvocationClock]:
    """The composition root."""
    common = base(logger=logger, metrics=metrics)
    closer = Closer(
        store=common.store,
        workflow=OrderWorkflow(step_functions=client("stepfunctions"), arn=required("ORDER_WORKFLOW_ARN")),
        clock=common.clock,
        observer=common.observer,
    )
    return closer, common.clock


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Do the next thing for the position of the event."""
    closer, clock = build()
    clock.refresh()
    return closer.step(event["stop_id"], event["position_key"], attempt=event["attempt"]).as_dict()


startup.finish()
