"""Keys from Secrets Manager: read rarely, checked, and never quoted."""

from __future__ import annotations

import traceback
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from surefill.adapters.aws.secrets import ManagedSecrets
from surefill.adapters.credentials import Credentials
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from tests.unit.adapters.venues.helpers import SetClock

NAME = "surefill/test/live-binance-main"
GOOD = '{"api_key": "key-1", "secret": "secret-1"}'


class Manager:
    """The one call of Secrets Manager that is used."""

    def __init__(self, text: str | Exception) -> None:
        self.text = text
        self.asked: list[str] = []

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.asked.append(SecretId)
        if isinstance(self.text, Exception):
            raise self.text
        return {"SecretString": self.text} if self.text != "binary" else {"SecretBinary": b"x"}


def failed(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetSecretValue")


def test_a_key_is_read_once_in_five_minutes() -> None:
    manager, clock = Manager(GOOD), SetClock()
    secrets = ManagedSecrets(client=manager, clock=clock)
    assert secrets.credentials(NAME) == secrets.credentials(NAME) == Credentials(api_key="key-1", secret="secret-1")
    assert manager.asked == [NAME]
    manager.text = GOOD.replace("1", "2")
    clock.at += timedelta(minutes=5)
    assert secrets.credentials(NAME).api_key == "key-2"
    assert manager.asked == [NAME, NAME]


def test_failures_are_not_remembered() -> None:
    manager = Manager(failed("ThrottlingException"))
    secrets = ManagedSecrets(client=manager, clock=SetClock())
    with pytest.raises(VenueError):
        secrets.credentials(NAME)
    manager.text = GOOD
    assert secrets.credentials(NAME).api_key == "key-1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret-1",
        "[]",
        "{}",
        '{"api_key": "key-1"}',
        '{"api_key": "key-1", "secret": ""}',
        '{"api_key": 1, "secret": "secret-1"}',
        '{"api_key": "key-1", "secret": "secret-1"',
        "binary",
    ],
)
def test_an_unusable_secret_is_for_a_person_and_is_not_quoted(text: str) -> None:
    with pytest.raises(VenueError) as caught:
        ManagedSecrets(client=Manager(text), clock=SetClock()).credentials(NAME)
    assert caught.value.reason is Reason.CREDENTIALS_REJECTED
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)
    assert "secret-1" not in shown and "key-1" not in shown


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (failed("ResourceNotFoundException"), Reason.CREDENTIALS_REJECTED),
        (failed("AccessDeniedException"), Reason.CREDENTIALS_REJECTED),
        (failed("InternalServiceError"), Reason.VENUE_DOWN),
        (failed("ThrottlingException"), Reason.VENUE_DOWN),
        (ReadTimeoutError(endpoint_url="https://secretsmanager"), Reason.VENUE_DOWN),
    ],
)
def test_what_may_pass_is_told_from_what_a_person_must_mend(error: Exception, reason: Reason) -> None:
    with pytest.raises(VenueError) as caught:
        ManagedSecrets(client=Manager(error), clock=SetClock()).credentials(NAME)
    assert caught.value.reason is reason
