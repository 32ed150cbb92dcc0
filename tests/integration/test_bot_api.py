"""The HTTP API through its handler: what it creates, and how it refuses."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from surefill.domain.rows import Account, Bot, Budget, Slot
from surefill.domain.states import SlotState
from surefill.domain.times import parse_time
from tests.fakes.rows import TICK, rules
from tests.integration.conftest import Cloud

Api = Callable[..., tuple[int, Any]]
ACCOUNT = {"name": "main", "venue": "binance", "mode": "live", "currency": "USDT", "secret_name": "surefill/test/main"}
BUDGET = {"account_id": "live-binance-main", "name": "b", "amount": "1000"}
BUDGET_ID = "live-binance-main-b"
BOT = {
    "name": "trend", "budget_id": BUDGET_ID, "symbols": ["BTC/USDT"], "strategy": "composite",
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


def everything(api: Api) -> list[Any]:
    return [api("GET", path) for path in ("/bots", "/budgets", "/accounts", "/panic")]


def test_a_bot_is_created_started_and_handed_out_at_once(cloud: Cloud, ready: Api) -> None:
    status, bot = ready("POST", "/bots", BOT)
    assert (status, bot["state"], bot["next_run_at"]) == (200, "PAUSED", None)
    status, bot = ready("POST", "/bots/trend/start")
    assert (status, bot["state"]) == (200, "ACTIVE")
    assert parse_time(bot["next_run_at"]).second == 0
    assert len(cloud.messages()) == 1
    assert [item["bot_id"] for item in ready("GET", "/bots")[1]["items"]] == ["trend"]
    assert ready("GET", "/bots/trend")[1]["slots"] == []
    empty: tuple[int, Any] = (200, {"items": [], "next": None})
    for path in ("decisions", "risk-events", "exit-events", "orders", "fills", "positions/closed"):
        assert ready("GET", f"/bots/trend/{path}") == empty
    assert ready("GET", "/positions") == empty
    assert ready("DELETE", "/bots/trend") == (200, {"bot_id": "trend", "deleted": True})
    assert ready("GET", "/bots/trend")[0] == 404


def test_an_account_that_was_never_used_can_be_deleted(ready: Api) -> None:
    spare = {"name": "spare", "venue": "binance", "mode": "paper", "currency": "USDT", "paper_balance": "100"}
    ready("POST", "/accounts", spare)
    gone = {"account_id": "paper-binance-spare", "deleted": True}
    assert ready("DELETE", "/accounts/paper-binance-spare") == (200, gone)
    assert ready("DELETE", "/accounts/paper-binance-spare")[0] == 404
    status, problem = ready("DELETE", "/accounts/live-binance-main")
    assert (status, problem["field"]) == (409, "account_id")
    assert BUDGET_ID in problem["detail"]
    assert ready("GET", "/accounts/live-binance-main")[0] == 200


def test_a_bot_may_start_at_once_and_be_evaluated_by_hand(cloud: Cloud, ready: Api) -> None:
    assert ready("POST", "/bots", {**BOT, "auto_start": True})[1]["state"] == "ACTIVE"
    assert len(cloud.messages()) == 1
    assert ready("POST", "/bots/trend/evaluate", {})[1] == {"bot_id": "trend", "queued": ["BTC/USDT"]}
    assert len(cloud.messages()) == 1
    assert ready("POST", "/bots/trend/pause")[1]["state"] == "PAUSED"
    assert ready("POST", "/bots/trend/evaluate", {})[0] == 409
    assert [ready("POST", f"/bots/trend/{verb}")[1]["state"] for verb in ("drain", "halt")] == ["DRAINING", "HALTED"]


def test_every_field_of_a_bot_can_be_given(ready: Api) -> None:
    body = {
        **BOT, "timeframe": "5m", "interval_seconds": 300, "budget_percent": "10",
        "sizing": {"mode": "tiered", "tiers": [{"from_equity": "0", "percent": "5.5"}], "max_percent": "30"},
        "gates": {"hours": ["mon-fri 08:00-18:00"], "time_zone": "Europe/Berlin",
                  "stop_loss_guard": {"lookback_seconds": 3600, "trades": 2, "pause_seconds": 600}},
        "exit_rules": {"trailing_percent": "1.5", "ladder": [{"percent": "2", "share": "0.5"}]},
    }  # fmt: skip
    status, bot = ready("POST", "/bots", body)
    assert status == 200, bot
    assert bot["sizing"]["tiers"] == [{"from_equity": "0", "percent": "5.5"}]
    assert bot["gates"]["stop_loss_guard"] == {
        "lookback_seconds": 3600, "trades": 2, "pause_seconds": 600, "percent": "0",
    }  # fmt: skip
    assert (bot["exit_rules"]["trailing_percent"], bot["exit_rules"]["ladder"][0]["share"]) == ("1.5", "0.5")
    changed = ready("PATCH", "/bots/trend", {"exit_rules": {"trailing_percent": "2"}, "cooldown_seconds": 60})[1]
    assert (changed["exit_rules"]["trailing_percent"], changed["cooldown_seconds"]) == ("2", 60)
    assert changed["sizing"] == bot["sizing"]


def test_interval_and_timeframe_are_the_strategys_own_when_absent(ready: Api) -> None:
    bot = ready("POST", "/bots", {**BOT, "strategy": "rsi_macd"})[1]
    assert bot["interval_seconds"] == 300
    assert ready("POST", "/bots", {**BOT, "name": "dca", "strategy": "dca", "stop_loss_percent": "0"})[0] == 200


def test_everything_can_be_listed_and_read(ready: Api) -> None:
    assert ready("GET", "/accounts")[1]["items"][0]["account_id"] == "live-binance-main"
    assert ready("GET", "/accounts/live-binance-main")[1]["mode"] == "live"
    assert ready("GET", "/budgets")[1]["items"][0]["available"] == "1000"
    assert ready("GET", f"/budgets/{BUDGET_ID}")[1]["currency"] == "USDT"
    assert ready("GET", f"/budgets/{BUDGET_ID}/ledger")[1]["items"][0]["entry_key"] == "funds#open"
    assert ready("GET", f"/budgets/{BUDGET_ID}/dust")[1]["items"] == []
    assert ready("GET", "/reservations")[1]["items"] == []
    strategies = {item["name"]: item for item in ready("GET", "/strategies")[1]["items"]}
    assert "rsi_period" in strategies["composite"]["params"]["properties"]
    assert strategies["webhook"]["takes_alerts"] is True
    assert ready("GET", "/strategies/composite")[1] == strategies["composite"]
    assert ready("GET", "/strategies/moon")[0] == 404


def test_money_moves_once_per_request(ready: Api) -> None:
    path = f"/budgets/{BUDGET_ID}"
    for _ in range(2):
        assert ready("POST", f"{path}/fund", {"amount": "100", "request_id": "r1"})[1]["funded"] == "1100"
    assert ready("POST", f"{path}/withdraw", {"amount": "600", "request_id": "r2"})[1]["available"] == "500"
    assert ready("POST", f"{path}/shrink", {"to": "200", "request_id": "r3"})[1]["funded"] == "200"
    assert ready("POST", f"{path}/shrink", {"to": "300", "request_id": "r4"})[1]["funded"] == "200"
    assert ready("POST", f"{path}/entries/off")[1]["entries_allowed"] is False
    assert ready("POST", f"{path}/entries/on")[1]["entries_allowed"] is True


def test_limits_of_a_budget_can_change(cloud: Cloud, ready: Api) -> None:
    path = f"/budgets/{BUDGET_ID}"
    changed = ready("PATCH", path, {"max_daily_loss": "50", "max_drawdown": "200", "max_open_positions": 3})[1]
    assert (changed["max_daily_loss"], changed["max_drawdown"], changed["max_open_positions"]) == ("50", "200", 3)
    changed = ready("PATCH", path, {"max_daily_loss": None})[1]
    assert "max_daily_loss" not in changed
    assert changed["max_open_positions"] == 3
    budget = cloud.store.get(Budget, BUDGET_ID)
    assert budget is not None
    cloud.store.replace(replace(budget, available=Decimal(900), deployed=Decimal(100)))
    assert ready("PATCH", path, {"max_exposure_per_asset": "100"})[0] == 409


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("POST", "/bots", {**BOT, "strategy": "moon"}, 422, "strategy"),
        ("POST", "/bots", {**BOT, "symbols": ["DOGE/USDT"]}, 422, "symbols"),
        ("POST", "/bots", {**BOT, "take_profit_percent": "1"}, 422, "take_profit_percent"),
        ("POST", "/bots", {**BOT, "take_profit_percent": 1.5}, 422, "take_profit_percent"),
        ("POST", "/bots", {**BOT, "take_profit_percent": "NaN"}, 422, "take_profit_percent"),
        ("POST", "/bots", {**BOT, "stop_loss_percent": "0"}, 422, "stop_loss_percent"),
        ("POST", "/bots", {**BOT, "budget_percent": "26"}, 422, "budget_percent"),
        ("POST", "/bots", {**BOT, "sizing": {"mode": "fixed"}}, 422, "sizing.amount"),
        ("POST", "/bots", {**BOT, "sizing": {"max_percent": 30.5}}, 422, "sizing.max_percent"),
        ("POST", "/bots", {**BOT, "gates": {"hours": ["always"]}}, 422, "gates"),
        (
            "POST",
            "/bots",
            {**BOT, "exit_rules": {"ladder": [{"percent": "1", "share": "2"}]}},
            422,
            "exit_rules.ladder",
        ),
        ("POST", "/bots", {**BOT, "timeframe": "soon"}, 422, "timeframe"),
        ("POST", "/bots", {**BOT, "interval_seconds": 61}, 422, "interval_seconds"),
        ("POST", "/bots", {**BOT, "budget_id": "nothing"}, 404, "budget_id"),
        ("POST", "/bots", {**BOT, "moon": 1}, 422, "moon"),
        ("POST", "/bots", {"name": "x"}, 422, "budget_id"),
        ("POST", "/bots", "this is no JSON", 422, "body"),
        ("PATCH", "/bots/nobody", {}, 404, "bot_id"),
        ("POST", "/budgets", {**BUDGET, "name": "c", "amount": "501"}, 422, "amount"),
        ("POST", "/budgets", {**BUDGET, "name": "c", "amount": "-1"}, 422, "amount"),
        ("POST", "/budgets", {**BUDGET, "name": "c", "max_open_positions": 0}, 422, "max_open_positions"),
        ("POST", "/budgets", {**BUDGET, "name": "c", "amount": "1", "time_zone": "Mars"}, 422, "time_zone"),
        ("POST", "/budgets", BUDGET, 422, "amount"),
        ("POST", "/accounts", ACCOUNT, 409, "name"),
        ("POST", "/accounts", {**ACCOUNT, "venue": "mtgox"}, 422, "venue"),
        ("POST", "/accounts", {**ACCOUNT, "mode": "dream"}, 422, "mode"),
        ("POST", "/bots/nobody/start", None, 404, "bot_id"),
        ("POST", "/bots/nobody/dance", None, 404, "path"),
        ("POST", "/positions/close", {"bot_id": "nobody", "symbol": "BTC/USDT"}, 404, "bot_id"),
        ("POST", f"/budgets/{BUDGET_ID}/withdraw", {"amount": "9999", "request_id": "r"}, 409, "amount"),
        ("POST", f"/budgets/{BUDGET_ID}/withdraw", {"amount": "1"}, 422, "request_id"),
        ("POST", f"/budgets/{BUDGET_ID}/shrink", {"to": "-1", "request_id": "r"}, 422, "to"),
        ("POST", f"/budgets/{BUDGET_ID}/entries/maybe", None, 422, "switch"),
        ("POST", "/panic", {"kind": "FREEZE", "scope": "bot"}, 422, "target"),
        ("POST", "/panic", {"kind": "FREEZE", "scope": "all", "target": "x"}, 422, "target"),
        ("POST", "/panic", {"kind": "NO_NEW", "scope": "account", "target": "x"}, 404, "account_id"),
        ("POST", "/resume", {"stop_id": "all-1"}, 404, "stop_id"),
        ("GET", "/bots?limit=0", None, 422, "limit"),
        ("GET", "/bots?next=moon", None, 422, "next"),
        ("GET", "/orders/nothing/timeline", None, 404, "intent_id"),
    ],
)
def test_a_wrong_request_names_the_field_and_changes_nothing(
    ready: Api, method: str, path: str, body: Any, status: int, field: str
) -> None:
    before = everything(ready)
    answered, problem = ready(method, path, body)
    assert (answered, problem["field"]) == (status, field), problem
    assert problem["detail"]
    assert everything(ready) == before


def test_an_account_not_read_yet_says_when_to_come_back(api: Api) -> None:
    api("POST", "/accounts", ACCOUNT)
    status, problem = api("POST", "/budgets", BUDGET)
    assert (status, problem["field"]) == (409, "account_id")
    assert "every 5 minutes" in problem["detail"]


def test_an_open_position_keeps_what_it_rests_on(cloud: Cloud, ready: Api) -> None:
    ready("POST", "/bots", {**BOT, "auto_start": True})
    bot = cloud.store.get(Bot, "trend")
    assert bot is not None
    assert ready("PATCH", "/bots/trend", {"strategy": "rsi_macd"})[1]["field"] == "strategy"
    slot = Slot(
        market_key="binance|BTC/USDT", owner_key="live-binance-main|trend", bot_id="trend", state=SlotState.OPEN,
        entry_intent_id="e" * 32, quantity=Decimal("0.01"), cost=Decimal(500), take_profit=Decimal(51_500),
    )  # fmt: skip
    cloud.store.replace(slot)
    ready("POST", "/bots/trend/pause")
    for change in ({"strategy": "rsi_macd"}, {"params": {"rsi_period": 9}}, {"timeframe": "5m"}):
        status, problem = ready("PATCH", "/bots/trend", change)
        assert (status, problem["field"]) == (409, next(iter(change)))
    assert ready("PATCH", "/bots/trend", {"take_profit_percent": "5"})[1]["take_profit_percent"] == "5"
    assert cloud.store.get(Slot, slot.market_key, slot.owner_key) == slot
    assert ready("DELETE", "/bots/trend")[0] == 409
    cloud.store.replace(replace(slot, state=SlotState.EMPTY, quantity=Decimal(0)))
    assert ready("PATCH", "/bots/trend", {"strategy": "rsi_macd"})[1]["strategy"] == "rsi_macd"


def test_levels_of_a_position_can_change(cloud: Cloud, ready: Api) -> None:
    ready("POST", "/bots", BOT)
    where = {"bot_id": "trend", "symbol": "BTC/USDT"}
    assert ready("PATCH", "/positions", {**where, "stop_loss_percent": "1"})[0] == 409
    slot = Slot(
        market_key="binance|BTC/USDT", owner_key="live-binance-main|trend", bot_id="trend", state=SlotState.OPEN,
        entry_intent_id="e" * 32, quantity=Decimal("0.01"), cost=Decimal(500), take_profit=Decimal(51_500),
        take_profit_percent=Decimal(3), open_key="open", slot_key="k",
    )  # fmt: skip
    cloud.store.replace(slot)
    changed = ready("PATCH", "/positions", {**where, "stop_loss_percent": "1", "trailing_percent": "2"})[1]
    assert (Decimal(changed["stop_loss"]), Decimal(changed["take_profit"])) == (49_500, 51_500)
    assert changed["exit_rules"]["trailing_percent"] == "2"
    assert ready("PATCH", "/positions", {**where, "stop_loss_percent": "0"})[1]["field"] == "stop_loss_percent"
    assert ready("PATCH", "/positions", {**where, "take_profit_percent": "-1"})[1]["field"] == "take_profit_percent"
    (event,) = ready("GET", "/bots/trend/exit-events")[1]["items"]
    assert event["numbers"] == {"stop_loss_percent": "1", "trailing_percent": "2", "who": "unknown"}
    (position,) = ready("GET", "/positions?bot=trend")[1]["items"]
    assert (position["symbol"], position["venue"]) == ("BTC/USDT", "binance")
    assert ready("GET", "/positions?bot=other")[1]["items"] == []


def test_times_are_told_with_their_zone(ready: Api) -> None:
    created = ready("POST", "/bots", BOT)[1]["created_at"]
    assert parse_time(created).tzinfo is not None
