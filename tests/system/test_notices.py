"""The deployed streams wake the teller for what is worth telling, and it reaches whoever listens to the topic."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from local.stage.environment import REGION, ROOT_KEY, ROOT_SECRET
from surefill.domain.kinds import AccountState, Mode
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account, JournalEntry
from tests.system.bench import Bench

ACCOUNT = Account(account_id="paper-binance-told", venue="binance", mode=Mode.PAPER, currency="USDT")


def client(bench: Bench, service: Any) -> Any:
    """A client of the stage's root."""
    return boto3.client(
        service,
        endpoint_url=bench.stage.endpoint,
        region_name=REGION,
        aws_access_key_id=ROOT_KEY,
        aws_secret_access_key=ROOT_SECRET,
    )


class Listener:
    """A queue of one's own on the events topic."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._aws = bench.stage.aws
        self.url = self._aws.queues.create_queue(QueueName="surefill-local-listener")["QueueUrl"]
        attributes = self._aws.queues.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        arn, topic = attributes["Attributes"]["QueueArn"], bench.stage.outputs["EventsTopicArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._aws.queues.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})
        client(bench, "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        self.heard: list[Any] = []

    def kinds(self, name: str) -> list[str]:
        """Kinds of what was said about a bot or an account."""
        messages = self._aws.receive_all(self.url)
        self._aws.delete_messages(self.url, messages)
        self.heard += [json.loads(json.loads(message["Body"])["Message"]) for message in messages]
        return [body["kind"] for body in self.heard if name in (body["facts"].get("bot"), body["facts"].get("account"))]

    def story(self) -> str:
        """What was heard and what the teller wrote, for a failing test."""
        heard = "\n".join(f"{body['kind']} {body['key']}" for body in self.heard)
        return f"heard:\n{heard}\nwritten:\n{self._bench.log('publish_events')}\n{self._bench.story()}"


def forget(bench: Bench, *accounts: Account) -> None:
    """Delete accounts, which nothing in the product does."""
    for account in accounts:
        client(bench, "dynamodb").delete_item(
            TableName=bench.stage.function("accounts"), Key={"account_id": {"S": account.account_id}}
        )


@pytest.fixture
def listener(bench: Bench) -> Iterator[Listener]:
    found = Listener(bench)
    yield found
    bench.stage.aws.queues.delete_queue(QueueUrl=found.url)


def test_an_entry_and_its_sale_are_told(bench: Bench, listener: Listener) -> None:
    bot = bench.make_bot("told", symbol="TRX/USDT")
    bench.open_position(bot)
    bench.close_position(bot, symbol="TRX/USDT")
    # A queue may hand out in another order, what was told may be told again, and on a slow machine an order may
    # have needed a second start.
    bench.wait_until(lambda: {"entry", "exit"} <= set(listener.kinds(bot)), tell=listener.story)
    assert float(next(body for body in listener.heard if body["kind"] == "exit")["facts"]["realised"]) > 0
    bench.stop_bot(bot)


def test_after_a_restart_of_the_local_aws_changes_are_told_as_before(bench: Bench, listener: Listener) -> None:
    store = bench.stage.store
    before, after = (replace(ACCOUNT, account_id=f"paper-binance-{name}") for name in ("before", "after"))
    rejected = {"state": AccountState.AUTH_FAILED, "state_reason": "no key"}
    try:
        store.insert(replace(before, **rejected))
        bench.wait_until(lambda: listener.kinds(before.account_id) == ["credentials_rejected"], tell=listener.story)
        bench.stage.stop_aws()
        bench.stage.start_aws()
        store.insert(replace(after, **rejected))
        bench.wait_until(lambda: listener.kinds(after.account_id) == ["credentials_rejected"], tell=listener.story)
    finally:
        forget(bench, before, after)


def test_what_needs_a_person_is_told_and_what_is_usual_is_not(bench: Bench, listener: Listener) -> None:
    store = bench.stage.store
    entry = JournalEntry(
        bot_id="told_urgently",
        entry_key="1",
        at=datetime.now(UTC),
        kind="exit",
        symbol="UNI/USDT",
        reason=Reason.TAKE_PROFIT,
    )
    store.insert(entry)
    store.insert(ACCOUNT)
    store.insert(replace(entry, entry_key="2", reason=Reason.UNPROTECTED))
    store.replace(replace(ACCOUNT, state=AccountState.AUTH_FAILED, state_reason="no key"))
    try:
        bench.wait_until(lambda: listener.kinds(ACCOUNT.account_id) == ["credentials_rejected"], tell=listener.story)
        bench.wait_until(lambda: listener.kinds("told_urgently") == ["position_unprotected"])
    finally:
        forget(bench, ACCOUNT)
