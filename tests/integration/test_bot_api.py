"""The HTTP API through its handler: what it creates, and how it refuses."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from surefill.domain.rows import Account
from surefill.domain.times import parse_time
from tests.fakes.world import TICK, rules
from tests.integration.conftest import Cloud

Api = Callable[..., tuple[int, Any]]
ACCOUNT = {"name": "main", "venue": "binance", "mode": "live", "currency": "USDT", "secret_name": "surefill/test/main"}
BUDGET = {"account_id": "live-binance-main", "name": "b", "amount": "1000"}
BOT = {
    "name": "trend", "budget_id": "live-binance-main-b", "symbols": ["BTC/USDT"], "strategy": "composite",
    "take_profit_percent": "3", "stop_loss_percent": "2",
}  # fmt: skip


@pytest.fixture
def ready(cloud: Cloud, api: Api) -> Api:
    """An account that was read from its venue, a market, a budget."""
    cloud.store.replace(rules())
    assert api("POST", "/accounts", ACCOUNT)[0] == 200
    account = cloud.store.get(Account, "live-binance-main")
    assert account is not None
    cloud.store.replace(replace(account, reconciled_at=TICK, balances={"USDT": "1500"}))
    assert api("POST", "/budgets", BUDGET)[0] == 200
    return api


def test_a_bot_is_created_started_and_handed_out_at_once(cloud: Cloud, ready: Api) -> None:
    status, bot = ready("POST", "/bots", BOT)
    assert (status, bot["state"]) == (200, "PAUSED")
    status, bot = ready("POST", "/bots/trend/start")
    assert (status, bot["state"]) == (200, "ACTIVE")
    assert len(cloud.messages()) == 1
    assert [item["bot_id"] for item in ready("GET", "/bots")[1]] == ["trend"]
    assert ready("GET", "/bots/trend")[1]["slots"] == []
    assert ready("GET", "/bots/trend/decisions") == (200, [])
    assert ready("GET", "/bots/trend/orders") == (200, [])
    assert ready("GET", "/positions") == (200, [])
    assert ready("DELETE", "/bots/trend") == (200, {"bot_id": "trend", "deleted": True})
    assert ready("GET", "/bots/trend")[0] == 404


def test_everything_can_be_listed_and_read(ready: Api) -> None:
    assert ready("GET", "/accounts")[1][0]["account_id"] == "live-binance-main"
    assert ready("GET", "/accounts/live-binance-main")[1]["mode"] == "live"
    assert ready("GET", "/budgets")[1][0]["available"] == "1000"
    assert ready("GET", "/budgets/live-binance-main-b")[1]["currency"] == "USDT"
    assert "rsi_period" in ready("GET", "/strategies")[1]["composite"]["properties"]
    assert ready("GET", "/status")[1]["schedules"]["dispatch"] is None


def test_money_moves_once_per_request(ready: Api) -> None:
    path = "/budgets/live-binance-main-b"
    for _ in range(2):
        assert ready("POST", f"{path}/fund", {"amount": "100", "request_id": "r1"})[1]["funded"] == "1100"
    assert ready("POST", f"{path}/withdraw", {"amount": "600", "request_id": "r2"})[1]["available"] == "500"
    assert ready("POST", f"{path}/entries/off")[1]["entries_allowed"] is False


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/bots", {**BOT, "strategy": "moon"}, 422, "strategy"),
        ("/bots", {**BOT, "symbols": ["DOGE/USDT"]}, 422, "symbols"),
        ("/bots", {**BOT, "take_profit_percent": "1"}, 422, "take_profit_percent"),
        ("/bots", {**BOT, "take_profit_percent": 1.5}, 422, "take_profit_percent"),
        ("/bots", {**BOT, "take_profit_percent": "NaN"}, 422, "take_profit_percent"),
        ("/bots", {**BOT, "budget_id": "nothing"}, 404, "budget_id"),
        ("/bots", {**BOT, "moon": 1}, 422, "moon"),
        ("/bots", {"name": "x"}, 422, "budget_id"),
        ("/bots", "this is no JSON", 422, "body"),
        ("/budgets", {**BUDGET, "name": "c", "amount": "501"}, 422, "amount"),
        ("/budgets", {**BUDGET, "name": "c", "amount": "-1"}, 422, "amount"),
        ("/budgets", {**BUDGET, "name": "c", "max_open_positions": 0}, 422, "max_open_positions"),
        ("/budgets", BUDGET, 422, "amount"),
        ("/accounts", ACCOUNT, 409, "name"),
        ("/accounts", {**ACCOUNT, "venue": "mtgox"}, 422, "venue"),
        ("/accounts", {**ACCOUNT, "mode": "dream"}, 422, "mode"),
        ("/bots/nobody/start", None, 404, "bot_id"),
        ("/bots/nobody/dance", None, 422, "verb"),
        ("/positions/close", {"bot_id": "nobody", "symbol": "BTC/USDT"}, 404, "bot_id"),
        ("/budgets/live-binance-main-b/withdraw", {"amount": "9999", "request_id": "r"}, 409, "amount"),
        ("/budgets/live-binance-main-b/entries/maybe", None, 422, "switch"),
    ],
)
def test_a_wrong_request_names_the_field_and_changes_nothing(
    ready: Api, path: str, body: Any, status: int, field: str
) -> None:
    before = ready("GET", "/bots"), ready("GET", "/budgets"), ready("GET", "/accounts")
    answered, problem = ready("POST", path, body)
    assert (answered, problem["field"]) == (status, field), problem
    assert problem["detail"]
    assert (ready("GET", "/bots"), ready("GET", "/budgets"), ready("GET", "/accounts")) == before


def test_an_account_not_read_yet_says_when_to_come_back(api: Api) -> None:
    api("POST", "/accounts", ACCOUNT)
    status, problem = api("POST", "/budgets", BUDGET)
    assert (status, problem["field"]) == (409, "account_id")
    assert "every 5 minutes" in problem["detail"]


def test_an_unknown_path_is_not_found(api: Api) -> None:
    assert api("GET", "/nowhere")[0] == 404


def test_times_are_told_with_their_zone(ready: Api) -> None:
    created = ready("POST", "/bots", BOT)[1]["created_at"]
    assert parse_time(created).tzinfo is not None
