"""Destinations come from the deployment's settings and their secrets; a wrong secret is named, never quoted."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from surefill.adapters.notify.configured import TELEGRAM_SECRET, WEBHOOK_SECRET, notifiers_for_people
from surefill.ports import NotDeliveredError
from tests.fakes.ports import ListObserver
from tests.unit.adapters.notify.notices import bought, notice
from tests.unit.adapters.notify.receiver import Receiver, receiver

NAME = "surefill-notify/test/webhook"


class Secrets:
    """A Secrets Manager with one text, or an error code."""

    def __init__(self, text: str = "", *, code: str = "") -> None:
        self.text, self.code = text, code
        self.reads = 0

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803 - AWS's own name
        assert SecretId == NAME
        self.reads += 1
        if self.code:
            raise ClientError({"Error": {"Code": self.code, "Message": "m"}}, "GetSecretValue")
        return {"SecretString": self.text}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.delenv(TELEGRAM_SECRET, raising=False)
    monkeypatch.setenv(WEBHOOK_SECRET, NAME)
    with receiver() as found:
        yield found


def good(seen: Receiver) -> str:
    return json.dumps({"url": seen.url, "secret": "s"})


def test_nothing_configured_is_nobody_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (WEBHOOK_SECRET, TELEGRAM_SECRET):
        monkeypatch.delenv(name, raising=False)
    assert notifiers_for_people(observer=ListObserver()) == ()


def test_both_are_there_when_both_are_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (WEBHOOK_SECRET, TELEGRAM_SECRET):
        monkeypatch.setenv(name, NAME)
    assert [item.name for item in notifiers_for_people(observer=ListObserver())] == ["webhook", "telegram"]


def test_the_secret_is_read_when_first_told_and_kept(seen: Receiver) -> None:
    secrets = Secrets(good(seen))
    (notifier,) = notifiers_for_people(observer=ListObserver(), secrets=secrets)
    assert secrets.reads == 0
    for _ in range(3):
        notifier.tell(notice(bought()))
    assert secrets.reads == 1
    assert len(seen.bodies) == 3


def test_after_a_refusal_for_good_a_corrected_secret_is_used(seen: Receiver) -> None:
    secrets = Secrets(good(seen))
    (notifier,) = notifiers_for_people(observer=ListObserver(), secrets=secrets)
    seen.statuses = [401, 200]
    with pytest.raises(NotDeliveredError):
        notifier.tell(notice(bought()))
    notifier.tell(notice(bought()))
    assert secrets.reads == 2


@pytest.mark.parametrize(
    "text",
    [
        "hunter2",
        "[]",
        '"hunter2"',
        '{"url": "https://example.com"}',
        '{"url": "http://example.com/hunter2", "secret": "s"}',
    ],
)
def test_a_wrong_secret_says_what_was_expected_and_nothing_of_it(seen: Receiver, text: str) -> None:
    (notifier,) = notifiers_for_people(observer=ListObserver(), secrets=Secrets(text))
    with pytest.raises(NotDeliveredError, match='must be a JSON object with "url"') as caught:
        notifier.tell(notice(bought()))
    assert caught.value.final
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_secret_that_cannot_be_read_now_is_tried_again(seen: Receiver) -> None:
    (notifier,) = notifiers_for_people(observer=ListObserver(), secrets=Secrets(code="ThrottlingException"))
    with pytest.raises(NotDeliveredError, match=f"secret {NAME} can't be read: ThrottlingException") as caught:
        notifier.tell(notice(bought()))
    assert not caught.value.final
