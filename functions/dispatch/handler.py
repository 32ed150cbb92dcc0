"""dispatch: a schedule's tick becomes messages for every bot that is due."""

from surefill import startup  # isort: skip  # first, so that nothing is collected while the rest loads

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from surefill.adapters.aws.clients import client
from surefill.adapters.aws.queue import SqsQueue
from surefill.composition import Base, base
from surefill.domain.times import format_time
from surefill.events import scheduled_tick
from surefill.ports import Queue
from surefill.settings import required
from surefill.usecases.dispatch import SCHEDULE, dispatch

logger = Logger()
metrics = Metrics()


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What this function works with."""

    base: Base
    queue: Queue


@cache
def build() -> Dependencies:
    """The composition root."""
    return Dependencies(
        base=base(logger=logger, metrics=metrics),
        queue=SqsQueue(sqs=client("sqs"), url=required("EVALUATIONS_QUEUE_URL")),
    )


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Dispatch the bots due at the event's tick."""
    tick = scheduled_tick(event, schedule=SCHEDULE)
    made = build()
    made.base.clock.refresh()
    done = dispatch(
        tick=tick, store=made.base.store, queue=made.queue, clock=made.base.clock, observer=made.base.observer
    )
    return {"tick": format_time(tick), "bots": done.bots, "messages": done.messages, "dropped": done.dropped}


startup.finish()
