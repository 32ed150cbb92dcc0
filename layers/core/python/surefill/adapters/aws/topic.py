"""The events topic on SNS."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from surefill.domain.rows import Intent
from surefill.ports import StoreUnavailableError
from surefill.wire import to_wire


class SnsNotifier:
    """Publishes finished intents as JSON, with the bot and the outcome as attributes to filter on."""

    def __init__(self, *, sns: Any, topic_arn: str) -> None:
        self._sns = sns
        self._topic_arn = topic_arn

    def publish(self, *, subject: str, intent: Intent) -> None:
        """Publish one finished intent."""
        attributes = {"bot": intent.bot_id, "state": intent.state.value}
        try:
            self._sns.publish(
                TopicArn=self._topic_arn,
                Subject=subject[:99],
                Message=json.dumps(to_wire(intent)),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailableError(f"topic did not take intent {intent.intent_id}: {error}") from error
