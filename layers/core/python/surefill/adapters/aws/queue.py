"""The evaluations queue on SQS."""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from surefill.ports import StoreUnavailableError

_PER_CALL = 10
_BYTES_PER_CALL = 250_000


class SqsQueue:
    """Sends messages in as few calls as SQS allows: ten messages and 256 KiB each."""

    def __init__(self, *, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
        """Send all messages; StoreUnavailableError when SQS did not take every one of them."""
        delay = {"DelaySeconds": delay_seconds} if delay_seconds else {}
        for chunk in _chunks(bodies):
            entries = [{"Id": str(index), "MessageBody": body, **delay} for index, body in enumerate(chunk)]
            try:
                answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                raise StoreUnavailableError(f"queue did not take {len(entries)} messages: {error}") from error
            failed = answer.get("Failed", [])
            if failed:
                raise StoreUnavailableError(f"queue refused {len(failed)} of {len(entries)} messages: {failed[0]}")

    def depth(self) -> int:
        """About how many messages wait; StoreUnavailableError when the queue does not answer."""
        return _depth(self._sqs, self._url)


class SqsDeadLetters:
    """The dead letters of functions: queues beside another one of the stage, named after their function."""

    def __init__(self, *, sqs: Any, beside: str, prefix: str, functions: Sequence[str]) -> None:
        self._sqs = sqs
        place = beside.rpartition("/")[0]
        self._urls = {name: f"{place}/{prefix}{name}-dlq" for name in functions}

    def waiting(self) -> dict[str, int]:
        """About how many messages wait, by function; StoreUnavailableError when a queue does not answer."""
        return {name: _depth(self._sqs, url) for name, url in self._urls.items()}


def _depth(sqs: Any, url: str) -> int:
    try:
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    except (BotoCoreError, ClientError) as error:
        raise StoreUnavailableError(f"queue does not answer: {error}") from error
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def _chunks(bodies: Sequence[str]) -> list[list[str]]:
    chunks: list[list[str]] = []
    size = 0
    for body in bodies:
        if not chunks or len(chunks[-1]) == _PER_CALL or size + len(body) > _BYTES_PER_CALL:
            chunks.append([])
            size = 0
        chunks[-1].append(body)
        size += len(body)
    return chunks
