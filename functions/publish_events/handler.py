"""publish_events: changes of orders, accounts and the journal become notices on the topic, a webhook and Telegram."""

from surefill import startup  # isort: skip  # first, so that nothing is collected while the rest loads

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

from aws_lambda_powertools import Logger, Metrics

from surefill.adapters.aws.clients import client
from surefill.adapters.aws.queue import SqsQueue
from surefill.adapters.aws.stream import change_of, number_of
from surefill.adapters.aws.topic import SnsNotifier
from surefill.adapters.notify.configured import notifiers_for_people
from surefill.composition import base
from surefill.settings import required
from surefill.usecases.publish import Change, FigureNotifier, Publisher
from surefill.usecases.wake import GridWaker

logger = Logger()
metrics = Metrics()


class Consumer(Protocol):
    """Somebody who acts on changes."""

    def consume(self, changes: Sequence[Change]) -> frozenset[str]:
        """Act on them; returns the numbers of those that must come again."""
        ...


@cache
def build() -> tuple[Consumer, ...]:
    """The composition root: who consumes the changes, in this order, each of them all."""
    common = base(logger=logger, metrics=metrics)
    observer = common.observer
    topic = SnsNotifier(sns=client("sns"), topic_arn=required("EVENTS_TOPIC_ARN"))
    people = notifiers_for_people(observer=observer)
    evaluations = SqsQueue(sqs=client("sqs"), url=required("EVALUATIONS_QUEUE_URL"))
    return (
        GridWaker(store=common.store, queue=evaluations, observer=observer),
        Publisher(notifiers=(FigureNotifier(observer=observer), topic, *people), observer=observer),
    )


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Hand the batch to every consumer; what one of them could not do comes again."""
    changes, failed = _read(event["Records"])
    for consumer in build():
        try:
            failed |= consumer.consume(changes)
        except Exception:
            logger.exception("consuming failed")
            failed |= {change.number for change in changes}
    numbers = [number_of(record) for record in event["Records"]]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers if number in failed]}


def _read(records: Sequence[dict[str, Any]]) -> tuple[list[Change], set[str]]:
    """The rows, and the numbers of the records that are none."""
    changes: list[Change] = []
    unreadable: set[str] = set()
    for record in records:
        try:
            change = change_of(record, table_prefix=required("TABLE_PREFIX"))
        except Exception:
            logger.exception("record is no row")
            unreadable.add(number_of(record))
        else:
            changes += [change] if change else []
    return changes, unreadable


startup.finish()
