"""close_position through its handler, as the workflow of the kill switch calls it; and what `evaluate` answers dry."""

from dataclasses import replace
from typing import Any

import botocore.session
import pytest

from surefill.domain.records import Closing
from surefill.domain.rows import Intent, JournalEntry, Slot
from surefill.domain.states import SlotState
from surefill.protocol.transaction import key_of
from tests.fakes.orders import entry_of
from tests.fakes.rows import MARKET, OWNER
from tests.fakes.world import World
from tests.integration.conftest import Cloud
from tests.integration.test_bot_api import BOT, ready  # noqa: F401  (a fixture)


@pytest.fixture
def workflows(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Both workflows, with nothing in them."""
    steps: Any = botocore.session.get_session().create_client("stepfunctions", region_name="eu-central-1")
    role = "arn:aws:iam::123456789012:role/r"
    for name in ("order", "close_all"):
        made = steps.create_state_machine(name=name, definition='{"StartAt": "a", "States": {}}', roleArn=role)
        monkeypatch.setenv(f"{name.upper()}_WORKFLOW_ARN", made["stateMachineArn"])
        monkeypatch.setenv(
            "ORDER_WORKFLOW_ARN" if name == "order" else "CLOSE_ALL_WORKFLOW_ARN", made["stateMachineArn"]
        )
    return steps


def test_a_position_is_sold_and_its_result_is_read(cloud: Cloud, workflows: Any) -> None:
    world = World(cloud.store)
    intent = entry_of(world)
    from surefill.usecases.claim import claim

    claim(intent, store=cloud.store, observer=world.observer)
    world.placer.place(intent, worker="w")
    slot = world.slot()
    closing = Closing(
        stop_id="all-1", position_key=f"{MARKET}|{OWNER}", market_key=MARKET, owner_key=OWNER, bot_id="trend",
        entry_intent_id=slot.entry_intent_id,
    )  # fmt: skip
    cloud.store.replace(closing)
    close = cloud.function("close_position")
    event = {"stop_id": "all-1", "position_key": closing.position_key, "attempt": 0}
    first = close(event)
    assert (first["outcome"], first["attempt"], first["wait_seconds"]) == ("WAITING", 1, 2)
    stored = cloud.store.get(Closing, *key_of(closing).values)
    assert stored is not None
    assert stored.exit_intent_id is not None
    assert cloud.store.get(Intent, stored.exit_intent_id) is None, "the workflow claims, not this function"
    cloud.store.replace(replace(slot, state=SlotState.EMPTY, entry_intent_id=None))
    assert close({**event, "attempt": 1})["outcome"] == "CLOSED"


def test_a_stop_is_read_with_its_results(cloud: Cloud, workflows: Any, ready: Any) -> None:  # noqa: F811
    ready("POST", "/bots", {**BOT, "auto_start": True})
    cloud.store.replace(
        Slot(
            market_key=MARKET, owner_key=OWNER, bot_id="trend", state=SlotState.OPEN, entry_intent_id="e" * 32,
            open_key="open", slot_key="k",
        )
    )  # fmt: skip
    status, stop = ready("POST", "/panic", {"kind": "CLOSE_ALL", "scope": "all", "why": "test"})
    assert (status, stop["positions"], stop["who"]) == (200, 1, "unknown")
    shown = ready("GET", f"/panic/{stop['stop_id']}")[1]
    assert (shown["stop"]["kind"], [one["outcome"] for one in shown["items"]]) == ("CLOSE_ALL", ["WAITING"])
    listed = ready("GET", "/panic")[1]
    assert listed["standing"] == [stop["stop_id"]]
    assert ready("POST", "/bots/trend/start")[1]["field"] == "stop"
    assert ready("POST", "/budgets/live-binance-main-b/entries/on")[0] == 409
    assert ready("POST", "/resume", {"stop_id": stop["stop_id"]})[1]["lifted_by"] == "unknown"
    assert ready("GET", "/budgets/live-binance-main-b")[1]["entries_allowed"] is True
    assert ready("GET", "/panic")[1]["standing"] == []
    (event,) = [
        one for one in ready("GET", "/bots/trend/risk-events")[1]["items"] if one["reason"] == "stopped.by_operator"
    ]
    assert event["numbers"]["why"] == "test"
    assert cloud.store.get(JournalEntry, "trend", event["entry_key"]) is not None
