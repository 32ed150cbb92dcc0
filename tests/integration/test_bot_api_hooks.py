"""Alerts from outside: who may send them, how often, and what they become."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from surefill.domain.records import Request
from surefill.domain.rows import Bot
from surefill.strategies.base import Action
from surefill.usecases.batches import decode
from tests.integration.conftest import Cloud
from tests.integration.test_bot_api import BOT, ready  # noqa: F401  (a fixture)

Api = Callable[..., tuple[int, Any]]
LISTENER = {**BOT, "name": "listener", "strategy": "webhook"}


@pytest.fixture
def token(cloud: Cloud, ready: Api) -> str:  # noqa: F811
    """The token of a started bot that listens."""
    assert ready("POST", "/bots", {**LISTENER, "auto_start": True})[0] == 200
    cloud.messages()
    return str(ready("POST", "/bots/listener/hook")[1]["token"])


def test_an_alert_reaches_its_bot(cloud: Cloud, ready: Api, token: str) -> None:  # noqa: F811
    body = {"action": "Buy", "price": 60000.5, "token": token}
    status, answer = ready("POST", "/hooks/listener", body)
    assert (status, answer["alert"]["action"]) == (200, "BUY")
    (message,) = cloud.messages()
    batch = decode(message["body"])
    assert batch.alert is not None
    assert (batch.symbol, batch.alert.action, batch.alert.price) == ("BTC/USDT", Action.BUY, Decimal("60000.5"))


def test_only_the_hash_of_the_newest_token_is_kept(cloud: Cloud, ready: Api, token: str) -> None:  # noqa: F811
    stored = cloud.store.get(Bot, "listener")
    assert stored is not None
    assert stored.hook_hash is not None
    assert token not in str(stored)
    shown = ready("GET", "/bots/listener")[1]
    assert shown["takes_alerts"] is True
    assert "hook_hash" not in shown
    newer = ready("POST", "/bots/listener/hook")[1]["token"]
    assert ready("POST", "/hooks/listener", {"action": "buy", "token": token})[0] == 401
    assert ready("POST", "/hooks/listener", {"action": "hold", "token": newer})[0] == 200
    assert ready("DELETE", "/bots/listener/hook")[1]["takes_alerts"] is False
    assert ready("POST", "/hooks/listener", {"action": "buy", "token": newer})[0] == 401


@pytest.mark.parametrize("path", ["/hooks/listener", "/hooks/nobody"])
def test_a_wrong_token_and_an_unknown_bot_are_one_refusal(cloud: Cloud, ready: Api, token: str, path: str) -> None:  # noqa: F811
    answer = ready("POST", path, {"action": "buy", "token": "guess"})
    assert answer == (
        401,
        {
            "title": "Unauthorized",
            "status": 401,
            "field": "token",
            "detail": "no bot takes alerts with this token",
        },
    )
    assert cloud.messages() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"action": "dance"}, "action"),
        ({"price": "much"}, "price"),
        ({"price": "-1"}, "price"),
        ({"price": "NaN"}, "price"),
        ({"symbol": "ETH/USDT"}, "symbol"),
    ],
)
def test_a_wrong_alert_names_its_field(ready: Api, token: str, change: dict[str, Any], field: str) -> None:  # noqa: F811
    status, problem = ready("POST", "/hooks/listener", {"action": "buy", "token": token, **change})
    assert (status, problem["field"]) == (422, field)


def test_alerts_are_limited_per_minute_and_need_a_running_bot(ready: Api, token: str) -> None:  # noqa: F811
    ready("POST", "/bots/listener/pause")
    body = {"action": "buy", "token": token}
    answers = [ready("POST", "/hooks/listener", body)[0] for _ in range(21)]
    # The minute may turn once in between.
    assert set(answers) == {409, 429}
    assert answers[:10] == [409] * 10


def test_a_bot_that_does_not_listen_has_no_hook(ready: Api) -> None:  # noqa: F811
    ready("POST", "/bots", BOT)
    assert ready("POST", "/bots/trend/hook")[1]["field"] == "bot_id"
    assert ready("POST", "/bots/nobody/hook")[0] == 404


def test_a_repeated_request_does_not_tell_the_token_again(cloud: Cloud, ready: Api, token: str) -> None:  # noqa: F811
    key = {"Idempotency-Key": "hook-1"}
    newer = ready("POST", "/bots/listener/hook", None, key)[1]["token"]
    status, problem = ready("POST", "/bots/listener/hook", None, key)
    assert (status, problem["field"]) == (409, "Idempotency-Key")
    assert newer not in str(cloud.store.all_rows(Request))
    assert ready("POST", "/hooks/listener", {"action": "hold", "token": newer})[0] == 200
