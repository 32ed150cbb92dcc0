"""The other handlers on moto: what they read from their events and what they leave behind."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from infra.catalogue import FUNCTIONS
from surefill.adapters.dynamodb.codec import encode
from surefill.domain.reasons import Reason
from surefill.domain.records import ScheduleRow
from surefill.domain.rows import Intent
from surefill.domain.states import IntentState
from surefill.domain.times import format_time
from surefill.events import EventError
from surefill.wire import to_wire
from tests.fakes.orders import entry_of
from tests.fakes.rows import rules
from tests.fakes.world import World
from tests.integration.conftest import Cloud


def now_text() -> str:
    return format_time(datetime.now(UTC).replace(second=0, microsecond=0))


def planned(cloud: Cloud) -> tuple[World, Intent]:
    """A world on moto's tables, and an entry its bot would make."""
    world = World(cloud.store)
    world.clock.current = datetime.now(UTC)
    world.venue.quoted_at = world.clock.now()
    cloud.store.replace(rules(fetched_at=world.clock.now()))
    return world, entry_of(world)


def test_dispatch_hands_out_due_bots_and_remembers_the_tick(cloud: Cloud) -> None:
    World(cloud.store)
    tick = now_text()
    answer = cloud.function("dispatch")({"schedule": "dispatch", "scheduled_time": tick})
    assert answer == {"tick": tick, "bots": 1, "messages": 1, "dropped": False}
    row = cloud.store.get(ScheduleRow, "dispatch")
    assert row is not None
    assert format_time(row.last_tick) == tick
    assert len(cloud.messages()) == 1


@pytest.mark.parametrize(
    "event",
    [{}, {"schedule": "reconcile", "scheduled_time": "2026-01-01T00:00:00Z"},
     {"schedule": "dispatch", "scheduled_time": "<aws.scheduler.scheduled-time>"},
     {"schedule": "dispatch", "scheduled_time": "2026-01-01T00:00:00"}],
)  # fmt: skip
def test_an_event_that_is_no_tick_is_refused(cloud: Cloud, event: dict[str, str]) -> None:
    with pytest.raises(EventError):
        cloud.function("dispatch")(event)


def test_evaluate_returns_only_the_messages_that_failed(cloud: Cloud) -> None:
    World(cloud.store)
    cloud.function("dispatch")({"schedule": "dispatch", "scheduled_time": now_text()})
    (good,) = cloud.messages()
    bad = {"messageId": "bad", "body": "no batch", "attributes": {"ApproximateReceiveCount": "2"}}
    answer = cloud.function("evaluate")({"Records": [bad, good]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    # There is no exchange here: the bot's decision says so, and that is a decision, not a failure.
    assert [entry.reason for entry in cloud.store.journal_of("trend")] == [Reason.VENUE_DOWN]


def test_claim_answers_refusals_instead_of_raising(cloud: Cloud) -> None:
    _, intent = planned(cloud)
    claim = cloud.function("claim_order")
    event = {"intent_id": intent.intent_id, "intent": json.loads(json.dumps(to_wire(intent)))}
    assert claim(event) == {"claimed": True, "refusal": None}
    assert claim(event)["claimed"]
    poor = {**event, "intent": {**event["intent"], "intent_id": "f" * 32, "reserved": "999999"}}
    refused = claim(poor)
    assert refused["claimed"] is False
    assert refused["refusal"]["reason"] in (Reason.BUDGET_TOO_SMALL, Reason.SLOT_TAKEN)


def test_placing_a_refused_claim_does_nothing(cloud: Cloud) -> None:
    answer = cloud.function("place_order")({"intent_id": "a", "intent": {}, "claim": {"claimed": False}})
    assert answer["outcome"] == "NOTHING"


def test_placing_without_keys_releases_the_claim(cloud: Cloud) -> None:
    """The account's secret does not exist: nothing was sent, nothing stays reserved, and the reason is kept."""
    _, intent = planned(cloud)
    event = {"intent_id": intent.intent_id, "intent": json.loads(json.dumps(to_wire(intent)))}
    event["claim"] = cloud.function("claim_order")(event)
    assert cloud.function("place_order")(event)["outcome"] == "RELEASED"
    stored = cloud.store.get(Intent, intent.intent_id)
    assert stored is not None
    assert (stored.state, stored.outcome) == (IntentState.VOID, Reason.CREDENTIALS_REJECTED)


def test_an_unsettled_order_is_an_error_the_workflow_catches(cloud: Cloud) -> None:
    _, intent = planned(cloud)
    event = {
        "intent_id": intent.intent_id,
        "intent": json.loads(json.dumps(to_wire(intent))),
        "claim": {"claimed": True},
    }
    cloud.function("claim_order")(event)
    cloud.store.replace(replace(intent, state=IntentState.UNKNOWN, sent_at=intent.created_at))
    with pytest.raises(Exception, match="is PENDING: settle it"):
        cloud.function("place_order")(event)


def test_settle_says_how_long_to_wait(cloud: Cloud) -> None:
    settle = cloud.function("settle_order")
    assert settle({"intent_id": "none", "attempt": 0})["outcome"] == "NOTHING"
    _, intent = planned(cloud)
    cloud.function("claim_order")({"intent_id": intent.intent_id, "intent": json.loads(json.dumps(to_wire(intent)))})
    first, late = (
        settle({"intent_id": intent.intent_id, "attempt": 0}),
        settle({"intent_id": intent.intent_id, "attempt": 99}),
    )
    assert (first["outcome"], first["wait_seconds"], first["attempt"]) == ("PENDING", 1, 1)
    assert late["wait_seconds"] == 15


@pytest.mark.parametrize("name", ["watch_exits", "reconcile", "sync_account", "refresh_markets"])
def test_the_other_schedules_remember_their_tick(cloud: Cloud, name: str) -> None:
    World(cloud.store)
    tick = now_text()
    assert cloud.function(name)({"schedule": name, "scheduled_time": tick})["tick"] == tick
    row = cloud.store.get(ScheduleRow, name)
    assert row is not None
    assert format_time(row.last_tick) == tick


def test_finished_orders_reach_the_topic(cloud: Cloud) -> None:
    _, intent = planned(cloud)
    done = replace(intent, state=IntentState.VOID, outcome=Reason.NEVER_SENT, work_key=None, next_check_at=None)
    source = {"eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/surefill-test-intents/stream/1"}
    records = [
        {**source, "dynamodb": {"SequenceNumber": "1", "NewImage": encode(done)}},
        {**source, "dynamodb": {"SequenceNumber": "2"}},
        {**source, "dynamodb": {"SequenceNumber": "3", "NewImage": {"intent_id": {"N": "1"}}}},
    ]
    answer = cloud.function("publish_events")({"Records": records})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "3"}]}
    (message,) = cloud.messages()
    assert json.loads(message["body"])["Subject"] == "trend BTC/USDT: entry not made (order.never_sent)"


def test_every_function_of_the_template_has_its_handler(cloud: Cloud) -> None:
    for function in FUNCTIONS:
        assert callable(cloud.function(function.name))
