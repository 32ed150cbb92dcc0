"""One tick at a time, nothing at the same time as anything that could change its outcome.

The exchange's clock stands still within a tick. The queue's event source is switched off; the replay hands the
messages over itself, in the order of their markets, so that evaluations happen in the same order every time.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from local.errors import LocalError
from local.schedules import read_schedules

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from local.schedules import Schedule
    from local.stage.stage import LocalStage

_ORDERS_SECONDS = 60.0
_DISPATCH = "dispatch"


class ReplayDriver:
    """Drives a stage. Raises LocalError when a function fails or an order does not end: a replay has no faults."""

    def __init__(self, stage: LocalStage) -> None:
        self._stage = stage
        self._schedules = read_schedules(stage.aws, group=stage.outputs["ScheduleGroupName"])
        self._queue_url = stage.outputs["EvaluationsQueueUrl"]
        self._evaluate = stage.function("evaluate")
        stage.aws.switch_event_source(self._evaluate, enabled=False)

    def fire(self, name: str, *, tick: datetime) -> None:
        """Fire one schedule, due or not."""
        for schedule in self._schedules:
            if schedule.name == name:
                self._stage.aws.invoke(schedule.function, schedule.payload(tick))

    def tick(self, tick: datetime) -> None:
        """One whole minute: what is due, one after the other, each to its end."""
        self._stage.exchange.set_clock(tick, rate=0)
        for schedule in self._schedules:
            if schedule.is_due(tick):
                self._run(schedule, tick=tick)
        unfinished = self._stage.store.unfinished_intents(due_until=None, limit=1)
        if unfinished:
            raise LocalError(
                f"order {unfinished[0]} was not finished at {tick:%Y-%m-%d %H:%M}, expected every one to be"
            )

    def evaluate_waiting(self) -> None:
        """Hand every waiting message to the evaluate function, in the order of their markets."""
        messages = sorted(self._stage.aws.receive_all(self._queue_url), key=lambda message: message["Body"])
        if not messages:
            return
        answer = self._stage.aws.invoke(self._evaluate, json.dumps(_sqs_event(messages)))
        failed = (answer or {}).get("batchItemFailures", [])
        if failed:
            raise LocalError(f"{len(failed)} of {len(messages)} evaluations failed, expected none: {answer}")
        self._stage.aws.delete_messages(self._queue_url, messages)
        self._await_orders()

    def _run(self, schedule: Schedule, *, tick: datetime) -> None:
        self._stage.aws.invoke(schedule.function, schedule.payload(tick))
        if schedule.name == _DISPATCH:
            self.evaluate_waiting()
        else:
            self._await_orders()

    def _await_orders(self) -> None:
        if not self._stage.aws.wait_for_orders(self._stage.workflow, timeout_seconds=_ORDERS_SECONDS):
            raise LocalError(f"an order workflow still ran after {_ORDERS_SECONDS:.0f} s, expected none to")


def _sqs_event(messages: list[MessageTypeDef]) -> dict[str, Any]:
    """The messages as Lambda's event source hands them over."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": dict(message.get("Attributes", {})),
                "messageAttributes": {},
                "md5OfBody": message.get("MD5OfBody", ""),
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:surefill-local-evaluations",
                "awsRegion": "us-east-1",
            }
            for message in messages
        ]
    }


def minutes(first: datetime, *, count: int) -> list[datetime]:
    """`count` minutes from `first` on."""
    return [first + timedelta(minutes=number) for number in range(count)]
