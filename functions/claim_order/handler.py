"""claim_order: first step of the order workflow. Takes money and slot, or says why not; a refusal is no error."""

from surefill import startup  # isort: skip  # first, so that nothing is collected while the rest loads

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from surefill.composition import Base, base
from surefill.domain.rows import Intent
from surefill.usecases.claim import claim
from surefill.wire import from_wire

logger = Logger()
metrics = Metrics()


@cache
def build() -> Base:
    """The composition root."""
    return base(logger=logger, metrics=metrics)


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Claim the intent of the execution."""
    made = build()
    made.clock.refresh()
    done = claim(from_wire(Intent, event["intent"]), store=made.store, observer=made.observer)
    refusal = {"reason": done.refusal.reason, "numbers": done.refusal.numbers} if done.refusal else None
    return {"claimed": done.claimed, "refusal": refusal}


startup.finish()
