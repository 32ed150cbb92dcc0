"""The events topic on SNS."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from surefill.adapters.notify.body import json_body
from surefill.domain.notices import Notice
from surefill.ports import NotDeliveredError

# What SNS takes as a subject: ASCII, below 100 characters, one line.
_SUBJECT = 99
_ATTRIBUTES = ("bot", "account", "state")


class SnsNotifier:
    """Publishes notices as JSON, with kind, bot, account and state as attributes to filter on."""

    name = "topic"

    def __init__(self, *, sns: Any, topic_arn: str) -> None:
        self._sns = sns
        self._topic_arn = topic_arn

    def tell(self, notice: Notice) -> None:
        """Publish one notice."""
        attributes = {"kind": str(notice.kind)} | {
            name: notice.facts[name] for name in _ATTRIBUTES if notice.facts.get(name)
        }
        try:
            self._sns.publish(
                TopicArn=self._topic_arn,
                Subject=notice.title.encode("ascii", "replace").decode()[:_SUBJECT],
                Message=json_body(notice),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
        except (BotoCoreError, ClientError) as error:
            raise NotDeliveredError(f"topic did not take {notice.key}: {error}") from error
