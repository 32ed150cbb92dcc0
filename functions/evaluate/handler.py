"""evaluate: messages from dispatch become one decision per bot, and orders where a bot decided so."""

from surefill import startup  # isort: skip  # first, so that nothing is collected while the rest loads

import os
from collections import Counter
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from surefill.adapters.aws.clients import client
from surefill.adapters.aws.workflow import OrderWorkflow
from surefill.composition import InvocationClock, base
from surefill.composition_venues import venues_of
from surefill.domain.reasons import Reason
from surefill.ports import Adviser
from surefill.settings import required
from surefill.strategies import indicators
from surefill.strategies.base import Action
from surefill.usecases.advise import RuleAdviser
from surefill.usecases.batches import decode
from surefill.usecases.control.simulate import simulate
from surefill.usecases.evaluate import Evaluator
from surefill.wire import to_wire

logger = Logger()
metrics = Metrics()
indicators.load()


def advisers() -> dict[str, Adviser]:
    """The built-in adviser, and the one on Bedrock where a model is set."""
    model = os.environ.get("ADVISER_MODEL")
    found: dict[str, Adviser] = {"rules": RuleAdviser()}
    if model:
        # Only where it is used: its import is not free.
        from surefill.adapters.aws.bedrock import BedrockAdviser

        found["bedrock"] = BedrockAdviser(model=model)
    return found


@cache
def build() -> tuple[Evaluator, InvocationClock]:
    """The composition root."""
    common = base(logger=logger, metrics=metrics)
    evaluator = Evaluator(
        store=common.store,
        venues=venues_of(common.settings, store=common.store, clock=common.clock, public_only=True),
        workflow=OrderWorkflow(step_functions=client("stepfunctions"), arn=required("ORDER_WORKFLOW_ARN")),
        clock=common.clock,
        observer=common.observer,
        stage=common.settings.stage,
        advisers=advisers(),
    )
    return evaluator, common.clock


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Evaluate each message; one that fails goes back to the queue alone (and in the end to its dead letters)."""
    evaluator, clock = build()
    clock.refresh()
    if "dry_run" in event:
        return {"results": _dry_run(event["dry_run"], evaluator)}
    failed = []
    reasons: Counter[str] = Counter()
    for record in event["Records"]:
        try:
            attempt = int(record["attributes"]["ApproximateReceiveCount"])
            decisions = evaluator.evaluate(decode(record["body"]), attempt=attempt)
            reasons.update(decision.reason for decision in decisions)
        except Exception as error:
            evaluator.observer.event(
                Reason.INTERNAL_ERROR, message_id=record["messageId"], error=f"{type(error).__name__}: {error}"
            )
            logger.exception("evaluation failed")
            failed.append({"itemIdentifier": record["messageId"]})
    evaluator.observer.metric("Evaluations", reasons.total())
    # One line for all: a line per bot and minute would cost more than everything else together.
    evaluator.observer.event(Reason.EVALUATED, bots=reasons.total(), reasons=dict(reasons), failed=len(failed))
    return {"batchItemFailures": failed}


def _dry_run(asked: dict[str, Any], evaluator: Evaluator) -> list[dict[str, Any]]:
    """What the batches would come to; asked by `bot_api`, leaves nothing behind."""
    signal = Action(asked["signal"]) if asked.get("signal") else None
    batches = [decode(body) for body in asked["batches"]]
    return [to_wire(one) for batch in batches for one in simulate(batch, evaluator=evaluator, signal=signal)]


startup.finish()
