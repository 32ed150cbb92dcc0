"""The destinations that this deployment was told to use. Their addresses and keys are secrets, read when first told."""

import json
import os
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from surefill.adapters.aws.clients import LateClient
from surefill.adapters.clocks import WallClock
from surefill.adapters.notify.limited import LimitedNotifier
from surefill.adapters.notify.telegram import TelegramNotifier
from surefill.adapters.notify.webhook import WebhookNotifier
from surefill.domain.notices import Notice
from surefill.ports import NotDeliveredError, Notifier, Observer

WEBHOOK_SECRET = "NOTIFY_WEBHOOK_SECRET"  # noqa: S105 - names of variables that name secrets
TELEGRAM_SECRET = "NOTIFY_TELEGRAM_SECRET"  # noqa: S105
# Telegram takes 20 messages a minute in one group; a receiver of our own may get more.
_PER_MINUTE = {"webhook": 60, "telegram": 20}


def notifiers_for_people(*, observer: Observer, secrets: Any = None) -> tuple[Notifier, ...]:
    """The configured destinations, each with its limit. `secrets` is a Secrets Manager client."""
    clock = WallClock()  # their limits are of real minutes, also where the product's own time runs faster
    kinds: tuple[tuple[str, str, Callable[[Mapping[str, str]], Notifier]], ...] = (
        (
            "webhook",
            WEBHOOK_SECRET,
            lambda found: WebhookNotifier(url=found["url"], secret=found["secret"], clock=clock),
        ),
        (
            "telegram",
            TELEGRAM_SECRET,
            lambda found: TelegramNotifier(token=found["token"], chat_id=found["chat_id"]),
        ),
    )
    client = secrets or LateClient("secretsmanager")
    return tuple(
        LimitedNotifier(
            LateNotifier(name, secret_name=os.environ[variable], make=make, secrets=client),
            per_minute=_PER_MINUTE[name],
            clock=clock,
            observer=observer,
        )
        for name, variable, make in kinds
        if os.environ.get(variable)
    )


class LateNotifier:
    """A destination that is made from its secret when it is first needed, and anew after it refused for good."""

    def __init__(
        self, name: str, *, secret_name: str, make: Callable[[Mapping[str, str]], Notifier], secrets: Any
    ) -> None:
        self.name = name
        self._secret_name = secret_name
        self._make = make
        self._secrets = secrets

    def tell(self, notice: Notice) -> None:
        """Deliver one notice."""
        try:
            self._made.tell(notice)
        except NotDeliveredError as error:
            if error.final:
                self.__dict__.pop("_made", None)  # the next one reads the secret again: it may have been corrected
            raise

    @cached_property
    def _made(self) -> Notifier:
        try:
            text = self._secrets.get_secret_value(SecretId=self._secret_name)["SecretString"]
        except (BotoCoreError, ClientError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            raise NotDeliveredError(f"secret {self._secret_name} can't be read: {code}") from None
        try:
            return self._make({str(key): str(value) for key, value in json.loads(text).items()})
        except (ValueError, LookupError, AttributeError):
            raise NotDeliveredError(
                f"secret {self._secret_name} must be a JSON object with {_WANTED[self.name]}", final=True
            ) from None


_WANTED = {"webhook": '"url" (https) and "secret"', "telegram": '"token" and "chat_id"'}
