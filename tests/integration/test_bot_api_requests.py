"""What holds for every request: its size, its key, pages, unknown routes, and how it fails."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from surefill.domain.records import Request, ScheduleRow
from surefill.domain.rows import Slot
from surefill.domain.states import SlotState
from surefill.domain.times import format_time
from surefill.ports import StoreUnavailableError
from tests.api.served import furnished
from tests.fakes.rows import bot
from tests.integration.conftest import PREFIX, Cloud
from tests.integration.test_bot_api import ACCOUNT, BOT, BUDGET_ID, ready  # noqa: F401  (a fixture)

Api = Callable[..., tuple[int, Any]]


def test_the_same_key_gives_the_same_answer_once(ready: Api, cloud: Cloud) -> None:  # noqa: F811
    key = {"Idempotency-Key": "k-1"}
    path = f"/budgets/{BUDGET_ID}/fund"
    first = ready("POST", path, {"amount": "100"}, key)
    assert first[1]["funded"] == "1100"
    ready("POST", path, {"amount": "7", "request_id": "other"})
    assert ready("POST", path, {"amount": "100"}, key) == first
    status, problem = ready("POST", path, {"amount": "200"}, key)
    assert (status, problem["field"]) == (409, "Idempotency-Key")
    assert ready("GET", f"/budgets/{BUDGET_ID}")[1]["funded"] == "1107"


def test_a_refusal_is_an_answer_too(ready: Api) -> None:  # noqa: F811
    key = {"idempotency-key": "k-2"}
    assert ready("POST", "/bots", {**BOT, "strategy": "moon"}, key)[0] == 422
    assert ready("POST", "/bots", {**BOT, "strategy": "moon"}, key)[0] == 422
    assert ready("POST", "/bots", BOT, key)[0] == 409


def test_a_request_under_way_is_not_begun_again_until_it_is_lost(ready: Api, cloud: Cloud) -> None:  # noqa: F811
    key = {"Idempotency-Key": "k-3"}
    assert ready("POST", "/bots", BOT, key)[0] == 200
    (request,) = cloud.store.all_rows(Request)
    assert request.at is not None
    cloud.store.replace(replace(request, status=None))
    assert ready("POST", "/bots", BOT, key)[1]["detail"].startswith("the first request with this key is still")
    cloud.store.replace(replace(request, status=None, at=request.at - timedelta(minutes=1)))
    assert ready("POST", "/bots", BOT, key)[1]["field"] == "name"


@pytest.mark.parametrize("key", ["", "x" * 129, "ä", "a\nb"])
def test_a_key_that_is_none_is_refused(ready: Api, key: str) -> None:  # noqa: F811
    assert ready("POST", "/bots", BOT, {"Idempotency-Key": key})[1]["field"] == "Idempotency-Key"


def test_a_large_body_and_a_long_path_are_refused_unread(api: Api) -> None:
    assert api("POST", "/accounts", "x" * 65_537)[0] == 413
    assert api("GET", f"/bots/{'x' * 1_100}")[0] == 414


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"])
def test_a_body_that_is_no_json_is_refused(api: Api, kind: str) -> None:
    status, problem = api("POST", "/accounts", ACCOUNT, {"content-type": kind})
    assert (status, problem["field"]) == (415, "Content-Type")


def test_unknown_routes_and_wrong_methods_are_problems(api: Api) -> None:
    status, problem = api("GET", "/nowhere")
    assert (status, problem["title"], problem["field"]) == (404, "Not Found", "path")
    status, problem = api("PUT", "/bots")
    assert (status, problem["detail"]) == (405, "/bots takes GET, POST, not PUT")
    assert api("DELETE", "/positions")[1]["detail"] == "/positions takes GET, PATCH, not DELETE"


def test_lists_go_on_where_they_ended(cloud: Cloud, ready: Api) -> None:  # noqa: F811
    for number in range(7):
        cloud.store.insert(bot(bot_id=f"b{number}", definition_hash=f"h{number}"))
    ready("POST", "/accounts", {**ACCOUNT, "name": "second"})
    cloud.store.insert(bot(bot_id="c", account_id="live-binance-second"))
    seen, token, pages = [], "", 0
    while pages == 0 or token:
        status, page = ready("GET", f"/bots?limit=3{token}")
        assert status == 200
        seen += [item["bot_id"] for item in page["items"]]
        token, pages = f"&next={page['next']}" if page["next"] else "", pages + 1
    assert (seen, pages) == ([*(f"b{number}" for number in range(7)), "c"], 3)
    only = ready("GET", "/bots?account=live-binance-second")[1]
    assert [item["bot_id"] for item in only["items"]] == ["c"]
    assert [item["account_id"] for item in ready("GET", "/accounts?limit=1")[1]["items"]] == ["live-binance-main"]


def test_lists_never_scan_a_table(cloud: Cloud, ready: Api, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    from functions.bot_api import handler

    ready("POST", "/bots", BOT)
    calls: list[str] = []
    store: Any = handler.build()[0].store
    monkeypatch.setattr(store._gateway.connection, "on_call", lambda call: calls.append(call.operation))
    paths = (
        "/accounts", "/budgets", "/bots", "/positions", "/reservations", "/panic", "/health/detailed", "/schedules",
        "/bots/trend", "/bots/trend/orders", "/bots/trend/decisions", f"/budgets/{BUDGET_ID}/ledger",
        "/accounts/live-binance-main/trades",
    )  # fmt: skip
    for path in paths:
        assert ready("GET", path)[0] == 200
    ready("POST", "/panic", {"kind": "FREEZE", "scope": "all"})
    assert calls
    assert "Scan" not in calls


def test_health_tells_what_is_wrong_and_no_secrets(cloud: Cloud, ready: Api) -> None:  # noqa: F811
    told = ready("GET", "/health/detailed")[1]
    assert set(told["tables"].values()) == {"ok"}
    assert (told["evaluations_waiting"], told["dead_letters"]) == (0, {"dispatch": 0, "evaluate": 0})
    assert told["problems"] == [
        f"schedule {name} is late or never ran"
        for name in ("dispatch", "watch_exits", "reconcile", "sync_account", "refresh_markets")
    ]
    assert ready("GET", "/health")[1] == {"ok": False, "problems": told["problems"]}
    assert (told["venues"], told["secrets"]) == (
        [{"venue": "binance", "clock_skew_ms": None}],
        [{"account_id": "live-binance-main", "readable": None}],
    )
    assert str(ACCOUNT["secret_name"]) not in str(told)
    assert told["accounts"][0]["differences"] == {}
    assert ready("GET", "/schedules")[1]["running"] is False


def test_health_counts_what_failed_for_good(cloud: Cloud, ready: Api) -> None:  # noqa: F811
    queue = cloud.queue_url.rpartition("/")[0] + f"/{PREFIX}evaluate-dlq"
    cloud.sqs.send_message(QueueUrl=queue, MessageBody="{}")
    told = ready("GET", "/health/detailed")[1]
    assert told["dead_letters"] == {"dispatch": 0, "evaluate": 1}
    assert "evaluate: 1 failed for good and wait in its dead letters" in told["problems"]
    cloud.sqs.delete_queue(QueueUrl=queue)
    told = ready("GET", "/health/detailed")[1]
    assert (told["dead_letters"], told["ok"]) == (None, False)
    assert "the queues of dead letters do not answer" in told["problems"]


def test_a_position_says_what_it_is_worth_where_a_price_was_seen(cloud: Cloud, ready: Api) -> None:  # noqa: F811
    assert ready("POST", "/bots", BOT)[0] == 200
    now = datetime.now(UTC)
    cloud.store.replace(
        Slot(
            market_key="binance|BTC/USDT", owner_key="live-binance-main|trend", bot_id="trend",
            account_id="live-binance-main", budget_id=BUDGET_ID, state=SlotState.OPEN, open_key="open",
            slot_key="binance|BTC/USDT|live-binance-main|trend", entry_intent_id="e" * 32, quantity=Decimal(2),
            cost=Decimal(200), opened_at=now,
        )
    )  # fmt: skip
    (held,) = ready("GET", "/positions")[1]["items"]
    assert "unrealised" not in held, "nobody has seen a price"
    seen = {"binance|BTC/USDT": "103.5"}
    cloud.store.replace(ScheduleRow(schedule_name="watch_exits", last_tick=now, finished_at=now, prices=seen))
    (held,) = ready("GET", "/positions")[1]["items"]
    assert (held["bid"], held["unrealised"], held["priced_at"]) == ("103.5", "7", format_time(now))
    assert ready("GET", "/bots/trend")[1]["slots"][0]["unrealised"] == "7"
    assert ready("GET", "/bots/trend/statistics")[1]["unrealised"] == "7.0"


def test_a_failure_is_a_problem_without_its_inside(ready: Api, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    from functions.bot_api import handler

    store = handler.build()[0].store

    def broken(*_: object) -> None:
        raise ValueError("the inside of it")

    def busy(*_: object) -> None:
        raise StoreUnavailableError("no answer")

    monkeypatch.setattr(store, "get", broken)
    status, problem = ready("GET", "/bots/trend")
    assert (status, "inside" in str(problem)) == (500, False)
    monkeypatch.setattr(store, "get", busy)
    assert ready("GET", "/bots/trend")[0] == 503


def test_dry_runs_and_settling_ask_other_functions(
    cloud: Cloud,
    ready: Api,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from functions.bot_api import handler

    class Called:
        def __init__(self) -> None:
            self.asked: list[tuple[str, Any]] = []

        def ask(self, name: str, event: Any) -> Any:
            self.asked.append((name, event))
            return {"results": [{"reason": "signal.hold"}]}

        def wake(self, name: str, event: Any) -> None:
            self.asked.append((name, event))

    ready("POST", "/bots", BOT)
    called = Called()
    common, services = handler.build()
    made = replace(services, functions=called)
    monkeypatch.setattr(handler, "build", lambda: (common, made))
    assert ready("POST", "/bots/trend/evaluate", {"dry": True})[1]["results"] == [{"reason": "signal.hold"}]
    assert ready("POST", "/bots/trend/simulate", {"signal": "BUY", "symbol": "BTC/USDT"})[0] == 200
    assert ready("POST", "/bots/trend/simulate", {"symbol": "X/Y"})[1]["field"] == "symbol"
    assert [(name, event["dry_run"]["signal"]) for name, event in called.asked] == [
        ("evaluate", None),
        ("evaluate", "BUY"),
    ]
    dry = ready("POST", "/reconcile", {})[1]
    assert (dry["started"], dry["accounts"][0]["account_id"]) == ([], "live-binance-main")
    assert ready("POST", "/reconcile", {"dry": False})[1]["started"] == ["reconcile", "sync_account"]
    assert called.asked[-1][1]["schedule"] == "sync_account"
    assert cloud.messages() == []


def test_everything_about_an_order_can_be_read(cloud: Cloud, api: Api) -> None:
    world = furnished(cloud.store)
    (order,) = api("GET", "/bots/trend/orders")[1]["items"]
    assert api("GET", "/bots/trend/orders?state=VOID")[1]["items"] == []
    assert api("GET", "/bots/trend/orders?leg=ENTRY")[1]["items"] == [order]
    assert api("GET", f"/orders/{order['intent_id']}")[1] == order
    story = api("GET", f"/orders/{order['intent_id']}/timeline")[1]
    assert [moment["what"] for moment in story["moments"]] == [
        "decided", "claimed", "sent", "known to the venue", "filled", "finished",
    ]  # fmt: skip
    assert story["execution"] == order["intent_id"]
    assert [entry["entry_key"].partition("#")[2] for entry in story["ledger"]] == ["claim", "record"]
    (fill,) = api("GET", "/bots/trend/fills")[1]["items"]
    assert (fill["intent_id"], fill["side"], fill["fee_asset"]) == (order["intent_id"], "BUY", "BTC")
    (position,) = api("GET", "/positions")[1]["items"]
    assert position["entry_intent_id"] == order["intent_id"]
    decisions = api("GET", "/bots/trend/decisions?limit=2")[1]
    assert [entry["reason"] for entry in decisions["items"]] == ["signal.hold"] * 2
    rest = api("GET", f"/bots/trend/decisions?next={decisions['next']}")[1]
    assert (len(rest["items"]), rest["next"]) == (3, None)
    assert api("GET", "/bots/trend/decisions?symbol=X/Y")[1]["items"] == []
    assert world.money().deployed > 0


def test_bots_explain_themselves(cloud: Cloud, api: Api) -> None:
    furnished(cloud.store)
    told = api("GET", "/bots/trend/why")[1]
    assert told["bot_id"] == "trend"
    assert told["verdict"]["says"]
    ready_for = api("GET", "/bots/trend/readiness")[1]
    assert [one["symbol"] for one in ready_for["items"]] == ["BTC/USDT"]
    assert ready_for["ready"] is False
    assert api("GET", "/bots/trend/why?symbol=X/Y")[1]["field"] == "symbol"
    for path in ("bots/trend", "budgets/live-binance-main-b", "accounts/live-binance-main"):
        figures = api("GET", f"/{path}/statistics")[1]
        assert (figures["mode"], figures["currency"], figures["open_positions"]) == ("live", "USDT", 1)


def test_tables_that_do_not_answer_never_hide_what_was_done(
    ready: Api,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from functions.bot_api import handler

    requests = handler.build()[1].requests
    key = {"Idempotency-Key": "k-9"}

    def busy(*_: object, **__: object) -> None:
        raise StoreUnavailableError("no answer")

    monkeypatch.setattr(type(requests), "finish", busy)
    assert ready("POST", "/bots", BOT, key)[0] == 200
    monkeypatch.setattr(type(requests), "begin", busy)
    assert ready("POST", "/bots", BOT, key)[0] == 503
