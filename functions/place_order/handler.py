"""place_order: second step of the order workflow. Posts at most once and books what is finished.

It ends well when nothing is left to do. Everything else is `NotSettled`, which the workflow routes to settling: so the
usual order takes two steps, and no failure here can lead anywhere but to a look.
"""

from surefill import startup  # isort: skip  # first, so that nothing is collected while the rest loads

from functools import cache
from typing import Any
from uuid import uuid4

from aws_lambda_powertools import Logger, Metrics

from surefill.composition import InvocationClock, base
from surefill.composition_venues import venues_of
from surefill.domain.rows import Intent
from surefill.usecases.book import Outcome
from surefill.usecases.directory import AccountDirectory
from surefill.usecases.place import Placer
from surefill.wire import from_wire

logger = Logger()
metrics = Metrics()


class NotSettled(Exception):  # noqa: N818 - the name the workflow and the alarm know
    """The order is not finished yet; not a failure of this function."""


@cache
def build() -> tuple[Placer, InvocationClock]:
    """The composition root."""
    common = base(logger=logger, metrics=metrics)
    placer = Placer(
        store=common.store,
        accounts=AccountDirectory(common.store),
        venues=venues_of(common.settings, store=common.store, clock=common.clock),
        clock=common.clock,
        observer=common.observer,
    )
    return placer, common.clock


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Place the order of the execution, if it was claimed."""
    intent_id = event["intent_id"]
    if not event["claim"]["claimed"]:
        return {"intent_id": intent_id, "outcome": Outcome.NOTHING}
    placer, clock = build()
    clock.refresh()
    # Unique per invocation, not per environment: a retry of this state must not pass for the first one.
    outcome = placer.place(from_wire(Intent, event["intent"]), worker=uuid4().hex)
    if outcome in (Outcome.PENDING, Outcome.HELD):
        placer.observer.metric("NotSettled", 1)
        raise NotSettled(f"order {intent_id} is {outcome}: settle it")
    return {"intent_id": intent_id, "outcome": outcome}


startup.finish()
