"""publish_events as deployed: streams in, topic and webhook out, and only what failed comes again."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import botocore.session
import pytest

from surefill.adapters.dynamodb.codec import encode
from surefill.adapters.notify.configured import TELEGRAM_SECRET, WEBHOOK_SECRET
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account, Row
from tests.integration.conftest import Cloud
from tests.integration.floor import handler_module, stream_event
from tests.unit.adapters.notify.notices import account, bought, journal, sold
from tests.unit.adapters.notify.receiver import Receiver, receiver

NAME = "surefill-notify/test/webhook"


class Published:
    """The function with a webhook, and what reached the topic and the webhook."""

    def __init__(self, cloud: Cloud, seen: Receiver) -> None:
        self.cloud, self.seen = cloud, seen
        self._function = handler_module("publish_events")
        self._function.build.cache_clear()

    def tell(self, *rows: Row) -> list[str]:
        answer = self._function.handler(stream_event(rows), _Context())
        return [item["itemIdentifier"] for item in answer["batchItemFailures"]]

    def topic(self) -> list[Any]:
        return [json.loads(json.loads(message["body"])["Message"]) for message in self.cloud.messages()]

    def titles(self) -> list[str]:
        return [json.loads(body)["title"] for body in self.seen.bodies]


class _Context:
    function_name = "publish_events"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:publish_events"
    aws_request_id = "r"


@pytest.fixture
def published(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Published]:
    monkeypatch.setenv(WEBHOOK_SECRET, NAME)
    monkeypatch.delenv(TELEGRAM_SECRET, raising=False)
    with receiver() as seen:
        secrets: Any = botocore.session.get_session().create_client("secretsmanager")
        secrets.create_secret(Name=NAME, SecretString=json.dumps({"url": seen.url, "secret": "s"}))
        yield Published(cloud, seen)


def test_orders_accounts_and_the_journal_reach_topic_and_webhook(published: Published) -> None:
    assert published.tell(bought(), account(), journal(Reason.UNPROTECTED), account(state="OK")) == []
    kinds = ["entry", "credentials_rejected", "position_unprotected"]
    assert [json.loads(body)["kind"] for body in published.seen.bodies] == kinds
    told = published.topic()
    assert sorted(body["kind"] for body in told) == sorted(kinds)
    assert next(body for body in told if body["kind"] == "entry")["order"]["intent_id"] == "a" * 32


def test_a_webhook_that_is_down_holds_up_nobody_and_gets_the_rest_later(published: Published) -> None:
    published.seen.statuses = [200, 503, 200]
    rows = (bought(), sold(), bought(intent_id="c" * 32))
    assert published.tell(*rows) == ["2", "3"]
    assert len(published.topic()) == 3
    assert published.tell(*rows[1:]) == []
    assert published.topic() == [], "the topic has them already"
    assert len(published.titles()) == 4
    assert len(set(published.titles())) == 2


def test_a_record_that_is_no_row_comes_again_alone(published: Published) -> None:
    event = stream_event((bought(), sold()))
    event["Records"][0]["dynamodb"]["NewImage"] = {"intent_id": {"N": "1"}}
    event["Records"].append({**event["Records"][0], "dynamodb": {"SequenceNumber": "3"}})
    answer = handler_module("publish_events").handler(event, _Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert published.titles() == ["trend BTC/USDT: sold 2 for 205 USDT, +5.7 USDT (+2.86 %)"]


def test_a_condition_that_lasts_is_told_once(published: Published) -> None:
    held = [journal(Reason.SLOT_HELD, minute=minute) for minute in range(5)]
    short: Account = account(state="OUT_OF_SYNC", state_reason="BTC short by 1")
    again = replace(short, reconciled_at=None)
    assert published.tell(*held, short, again) == []
    assert published.titles() == [
        "trend BTC/USDT: position HELD",
        "account live-binance-main: the account holds less than the tables say",
    ]


def test_a_bot_with_any_name_can_be_told_on_the_topic(published: Published) -> None:
    assert published.tell(bought(bot_id="Übung\n" + "x" * 200)) == []
    assert len(published.topic()) == 1


def alarm(name: str = "surefill-test-dispatch-silent") -> dict[str, Any]:
    """What CloudWatch sends to the alarm topic."""
    message = {
        "AlarmName": name,
        "AlarmDescription": "dispatch has reported no tick for 3 minutes",
        "NewStateValue": "ALARM",
        "NewStateReason": "Threshold Crossed: no datapoints were received",
        "StateChangeTime": "2026-01-05T12:00:00.123+0000",
        "Region": "EU (Frankfurt)",
    }
    return {"EventSource": "aws:sns", "Sns": {"MessageId": "m", "Message": json.dumps(message)}}


def test_alarms_reach_people_and_not_the_topic_of_events(published: Published) -> None:
    assert handler_module("publish_events").handler({"Records": [alarm()]}, _Context()) == {"told": 1}
    body = json.loads(published.seen.bodies[0])
    assert (body["kind"], body["urgent"], body["at"]) == ("alarm", True, "2026-01-05T12:00:00.123Z")
    assert body["text"].splitlines() == [
        "alarm surefill-test-dispatch-silent",
        "dispatch has reported no tick for 3 minutes",
        "Threshold Crossed: no datapoints were received",
    ]
    assert published.topic() == []


def test_an_alarm_that_nobody_took_is_a_failed_invocation(published: Published) -> None:
    published.seen.statuses = [503]
    with pytest.raises(Exception, match="alarms were not told to everybody: m"):
        handler_module("publish_events").handler({"Records": [alarm()]}, _Context())


def test_what_the_filters_of_the_streams_look_at_is_how_rows_are_stored() -> None:
    assert encode(account())["state"] == {"S": "AUTH_FAILED"}
    assert encode(journal(Reason.UNPROTECTED))["reason"] == {"S": "exit.no_protection"}
