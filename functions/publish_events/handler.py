"""publish_events: finished orders from the intents stream become messages on the events topic."""

from surefill import startup  # isort: skip  # first, so that nothing is collected while the rest loads

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from surefill.adapters.aws.clients import client
from surefill.adapters.aws.topic import SnsNotifier
from surefill.adapters.dynamodb.codec import decode
from surefill.domain.rows import Intent
from surefill.ports import Notifier
from surefill.settings import required
from surefill.usecases.publish import publish

logger = Logger()
metrics = Metrics()


@cache
def build() -> Notifier:
    """The composition root."""
    return SnsNotifier(sns=client("sns"), topic_arn=required("EVENTS_TOPIC_ARN"))


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Publish record by record; after a failure the rest of the batch comes again, in order."""
    for record in event["Records"]:
        image = record["dynamodb"].get("NewImage")
        try:
            if image is not None:
                publish([decode(Intent, image)], notifier=build())
        except Exception:
            logger.exception("publishing failed")
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}


startup.finish()
