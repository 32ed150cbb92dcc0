"""watch_exits: a schedule's tick holds every open position against its levels."""

from surefill import startup  # isort: skip  # first, so that nothing is collected while the rest loads

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from surefill.adapters.aws.clients import client
from surefill.adapters.aws.workflow import OrderWorkflow
from surefill.composition import InvocationClock, base
from surefill.composition_venues import venues_of
from surefill.domain.times import format_time
from surefill.events import scheduled_tick
from surefill.settings import required
from surefill.usecases.watch_exits import SCHEDULE, ExitWatch

logger = Logger()
metrics = Metrics()


@cache
def build() -> tuple[ExitWatch, InvocationClock]:
    """The composition root."""
    common = base(logger=logger, metrics=metrics)
    watch = ExitWatch(
        store=common.store,
        venues=venues_of(common.settings, store=common.store, clock=common.clock, public_only=True),
        workflow=OrderWorkflow(step_functions=client("stepfunctions"), arn=required("ORDER_WORKFLOW_ARN")),
        clock=common.clock,
        observer=common.observer,
    )
    return watch, common.clock


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Watch all open positions once."""
    tick = scheduled_tick(event, schedule=SCHEDULE)
    watch, clock = build()
    clock.refresh()
    return {"tick": format_time(tick), "slots": dict(watch.watch(tick=tick))}


startup.finish()
