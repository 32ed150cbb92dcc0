"""settle_order: last step of the order workflow, repeated until it is known what became of the order."""

from surefill import startup  # isort: skip  # first, so that nothing is collected while the rest loads

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from surefill.composition import InvocationClock, base
from surefill.composition_venues import venues_of
from surefill.usecases.directory import AccountDirectory
from surefill.usecases.settle import Settler

logger = Logger()
metrics = Metrics()

# Seconds until the next look: quick at first, when most orders finish, then patient.
_WAITS = (1, 2, 3, 5, 5, 10, 10, 15)


@cache
def build() -> tuple[Settler, InvocationClock]:
    """The composition root."""
    common = base(logger=logger, metrics=metrics)
    settler = Settler(
        store=common.store,
        accounts=AccountDirectory(common.store),
        venues=venues_of(common.settings, store=common.store, clock=common.clock),
        clock=common.clock,
        observer=common.observer,
    )
    return settler, common.clock


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Look once; says how long to wait before the next look when it is still open."""
    settler, clock = build()
    clock.refresh()
    attempt = int(event.get("attempt", 0))
    outcome = settler.settle(event["intent_id"])
    wait = _WAITS[min(attempt, len(_WAITS) - 1)]
    return {"intent_id": event["intent_id"], "outcome": outcome, "wait_seconds": wait, "attempt": attempt + 1}


startup.finish()
