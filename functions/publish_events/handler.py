"""publish_events: changes of orders, accounts and the journal, and alarms, become notices for programs and people."""

from surefill import startup  # isort: skip  # first, so that nothing is collected while the rest loads

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from aws_lambda_powertools import Logger, Metrics

from surefill.adapters.aws.alarms import alarm_notice
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


class NotToldError(Exception):
    """A destination did not take an alarm; the event goes to the dead letters, which are an alarm of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Who consumes the changes, in this order, each of them all; and who tells people of alarms."""

    consumers: tuple[Consumer, ...]
    alarms: Publisher


@cache
def build() -> Dependencies:
    """The composition root."""
    common = base(logger=logger, metrics=metrics)
    observer = common.observer
    topic = SnsNotifier(sns=client("sns"), topic_arn=required("EVENTS_TOPIC_ARN"))
    people = notifiers_for_people(observer=observer)
    evaluations = SqsQueue(sqs=client("sqs"), url=required("EVALUATIONS_QUEUE_URL"))
    return Dependencies(
        consumers=(
            GridWaker(store=common.store, queue=evaluations, observer=observer),
            Publisher(notifiers=(FigureNotifier(observer=observer), topic, *people), observer=observer),
        ),
        alarms=Publisher(notifiers=people, observer=observer),
    )


@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Hand a batch of changes to every consumer, or alarms to people; what could not be done comes again."""
    if "Sns" in event["Records"][0]:
        return _tell_alarms(event["Records"])
    changes, failed = _read(event["Records"])
    for consumer in build().consumers:
        try:
            failed |= consumer.consume(changes)
        except Exception:
            logger.exception("consuming failed")
            failed |= {change.number for change in changes}
    numbers = [number_of(record) for record in event["Records"]]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers if number in failed]}


def _tell_alarms(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    failed = build().alarms.tell([alarm_notice(record) for record in records])
    if failed:
        raise NotToldError(f"alarms were not told to everybody: {', '.join(sorted(failed))}")
    return {"told": len(records)}


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
