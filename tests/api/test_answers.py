"""Every route answers what its description says, and nothing beside it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema_rs import Draft202012Validator, ValidationError

from surefill.api.answers import ANSWERS, COMPONENTS
from surefill.api.services import Services
from tests.api.lives import ACCOUNT, BUDGET, SYMBOL, Life, lived, new, troubled, unanswered
from tests.api.openapi import closed, openapi
from tests.api.served import Api

pytestmark = [pytest.mark.xdist_group("api"), pytest.mark.timeout(300)]
LIVES = {life.__name__: life for life in (new, lived, troubled)}
READS = sorted(operation for operation in ANSWERS if operation.startswith("GET "))
PLACE = {"bot_id": "trend", "symbol": SYMBOL}
BOT = {"name": "other", "budget_id": BUDGET, "symbols": [SYMBOL], "strategy": "composite", "sizing": {"mode": "kelly"}}
CHANGES: list[tuple[str, Mapping[str, str], object]] = [
    ("POST /accounts", {}, {"name": "a", "venue": "binance", "mode": "live", "currency": "usdt", "secret_name": "s"}),
    ("POST /accounts", {}, {"name": "p", "venue": "binance", "mode": "paper", "currency": "x1", "paper_balance": "9"}),
    ("DELETE /accounts/{account_id}", {"account_id": "paper-binance-spare"}, None),
    ("POST /accounts/{account_id}/import", {}, {"symbols": [SYMBOL], "since": "2026-01-01T00:00:00.5Z"}),
    ("POST /budgets", {}, {"account_id": ACCOUNT, "name": "n", "amount": "10.50", "max_drawdown": "0.00000001"}),
    ("PATCH /budgets/{budget_id}", {}, {"max_trades_per_day": 3, "time_zone": "Europe/Berlin"}),
    ("POST /budgets/{budget_id}/fund", {}, {"amount": "0.00000001", "request_id": "r"}),
    ("POST /budgets/{budget_id}/withdraw", {}, {"amount": "1", "request_id": "r"}),
    ("POST /budgets/{budget_id}/shrink", {}, {"to": "900", "request_id": "r"}),
    ("POST /budgets/{budget_id}/entries/{switch}", {"switch": "off"}, None),
    ("POST /bots", {}, BOT),
    ("PATCH /bots/{bot_id}", {}, {"cooldown_seconds": 60, "exit_rules": {"ladder": [{"percent": "1", "share": "1"}]}}),
    ("DELETE /bots/{bot_id}", {"bot_id": "listener"}, None),
    ("POST /bots/{bot_id}/start", {}, None),
    ("POST /bots/{bot_id}/pause", {}, None),
    ("POST /bots/{bot_id}/drain", {}, None),
    ("POST /bots/{bot_id}/halt", {}, None),
    ("POST /bots/{bot_id}/evaluate", {}, {"dry": False}),
    ("POST /bots/{bot_id}/evaluate", {}, {"dry": True}),
    ("POST /bots/{bot_id}/simulate", {}, {"signal": "SELL"}),
    ("POST /bots/{bot_id}/hook", {"bot_id": "listener"}, None),
    ("DELETE /bots/{bot_id}/hook", {"bot_id": "listener"}, None),
    ("PATCH /positions", {}, {**PLACE, "take_profit_percent": "7", "trailing_percent": "1"}),
    ("POST /positions/close", {}, PLACE),
    ("POST /panic", {}, {"kind": "FREEZE", "scope": "all", "why": "drill"}),
    ("POST /panic", {}, {"kind": "CLOSE_ALL", "scope": "bot", "target": "trend"}),
    ("POST /resume", {}, None),
    ("POST /reconcile", {}, {"dry": True}),
    ("POST /reconcile", {}, {"dry": False}),
]


@cache
def validator(operation: str, status: int) -> Draft202012Validator:
    """What holds an answer against its description; an object has no other fields than those described."""
    method, _, path = operation.partition(" ")
    made = _description()
    content = made["paths"][path][method.lower()]["responses"][str(status)]["content"]
    schema = content["application/json" if status == 200 else "application/problem+json"]["schema"]
    return Draft202012Validator({**schema, "components": made["components"]}, validate_formats=True)


@cache
def _description() -> Mapping[str, Any]:
    return closed(openapi())


class Client:
    """Asks the API, and holds every answer against its description."""

    def __init__(self, services: Services) -> None:
        self._api = Api(services)

    def ask(self, operation: str, body: object = None, *, query: str = "", status: int = 200, **ids: str) -> Any:
        method, _, path = operation.partition(" ")
        target = path.format(**{name: quote(value, safe="") for name, value in ids.items()})
        sent = b"" if body is None else json.dumps(body).encode()
        made = self._api.call(method, target + query, headers={"Content-Type": "application/json"}, body=sent)
        assert made["statusCode"] == status, made["body"]
        answer = json.loads(made["body"])
        validator(operation, status).validate(answer)
        return answer


def ids_of(life: Life) -> dict[str, str]:
    return {
        "bot_id": life.bot_id, "intent_id": life.intent_id, "stop_id": life.stop_id, "account_id": ACCOUNT,
        "budget_id": BUDGET, "name": "composite",
    }  # fmt: skip


@pytest.fixture(scope="module", params=sorted(LIVES))
def life(request: pytest.FixtureRequest) -> Life:
    return LIVES[request.param]()


@pytest.mark.parametrize("operation", READS)
def test_every_view_is_as_described(life: Life, operation: str) -> None:
    client, ids = Client(life.services), ids_of(life)
    answer = client.ask(operation, **ids)
    if "next" in answer:
        page = client.ask(operation, query="?limit=1", **ids)
        assert page["items"] == answer["items"][:1]
        assert page["next"] or len(answer["items"]) < 2


def test_every_list_is_looked_at_with_something_in_it() -> None:
    lists, filled = set(), set()
    for make in LIVES.values():
        made = make()
        for operation in READS:
            query = "?scope=account" if operation == "GET /panic" else ""
            answer = Client(made.services).ask(operation, query=query, **ids_of(made))
            lists |= {operation} if "items" in answer else set()
            filled |= {operation} if answer.get("items") else set()
    assert len(lists) > 15
    assert lists == filled


def test_what_may_be_absent_is_there_when_it_is_known() -> None:
    """A field that no answer ever has is described in vain."""
    well, ill = lived(), troubled()
    (position,) = Client(well.services).ask("GET /positions")["items"]
    assert {"bid", "unrealised", "priced_at"} <= set(position)
    (sale,) = Client(well.services).ask("GET /bots/{bot_id}/positions/closed", bot_id="trend")["items"]
    assert set(COMPONENTS["Sale"]["properties"]) - set(sale) == {"rung"}
    statistics = Client(well.services).ask("GET /bots/{bot_id}/statistics", bot_id="trend")
    assert set(statistics) == set(COMPONENTS["Statistics"]["properties"])
    account = Client(ill.services).ask("GET /health/detailed")["accounts"][0]
    assert set(account) == set(COMPONENTS["AccountHealth"]["properties"])
    account = Client(ill.services).ask("POST /reconcile", {"dry": True})["accounts"][0]
    assert set(account) == set(COMPONENTS["ComparedAccount"]["properties"])


def test_what_does_not_answer_is_null() -> None:
    life = unanswered()
    client = Client(life.services)
    told = client.ask("GET /health/detailed")
    assert (told["evaluations_waiting"], told["dead_letters"]) == (None, None)
    assert told["tables"]["accounts"].startswith("does not answer")
    told = client.ask("GET /bots/{bot_id}/why", bot_id="trend")
    assert (told["stories"][0]["symbol"], told.get("mode"), told["healthy"]) == ("", None, False)
    client.ask("GET /accounts/{account_id}", status=503, account_id=ACCOUNT)


@pytest.mark.parametrize(("operation", "ids", "body"), CHANGES)
def test_every_change_is_answered_as_described(operation: str, ids: Mapping[str, str], body: object) -> None:
    life = new()
    if operation == "POST /resume":
        body = {"stop_id": life.stop_id}
    Client(life.services).ask(operation, body, **{**ids_of(life), **ids})


def test_an_alert_is_answered_as_described() -> None:
    life = new()
    client = Client(life.services)
    client.ask("POST /resume", {"stop_id": life.stop_id})
    token = client.ask("POST /bots/{bot_id}/hook", bot_id="listener")["token"]
    assert client.ask("GET /bots/{bot_id}", bot_id="listener")["takes_alerts"] is True
    for body in ({"action": "buy", "token": token}, {"action": "sell", "token": token, "price": 1e-7}):
        assert client.ask("POST /hooks/{bot_id}", body, bot_id="listener")["bot_id"] == "listener"
    client.ask("POST /hooks/{bot_id}", {"action": "buy", "token": "no"}, status=401, bot_id="listener")


def test_every_changing_route_is_asked() -> None:
    assert {operation for operation, _, _ in CHANGES} | {"POST /hooks/{bot_id}"} == set(ANSWERS) - set(READS)


@pytest.mark.parametrize("signal", ["BUY", "HOLD", None])
def test_a_simulation_tells_the_order_it_would_start(signal: str | None) -> None:
    life = new()
    client = Client(life.services)
    client.ask("POST /bots", {**BOT, "sizing": {}, "auto_start": True})
    (one,) = client.ask("POST /bots/{bot_id}/simulate", {"signal": signal}, bot_id="other")["results"]
    assert (one["symbol"], len(one["intents"])) == (SYMBOL, 1 if signal == "BUY" else 0), one


def test_what_is_not_as_described_is_noticed() -> None:
    bot = Client(new().services).ask("GET /bots/{bot_id}", bot_id="trend")
    found = validator("GET /bots/{bot_id}", 200)
    for wrong in (
        {**bot, "hook_hash": "x"},
        {**bot, "budget_percent": 20},
        {**bot, "budget_percent": "a fifth"},
        {**bot, "state": "ASLEEP"},
        {**bot, "created_at": "2026-01-05 12:00"},
        {**bot, "state_reason": None},
        {**bot, "slots": [{**bot["slots"][0], "slot_key": "k"}]},
        {name: value for name, value in bot.items() if name != "next_run_at"},
    ):
        with pytest.raises(ValidationError):
            found.validate(wrong)


def test_the_function_does_not_load_the_descriptions() -> None:
    """They are for readers; a start pays for what it runs."""
    asked = "import sys, tests.api.openapi as made; made.of_the_routes(); print(*sys.modules)"
    loading = "import sys, functions.bot_api.handler; print(*sys.modules)"
    environment = {**os.environ, "POWERTOOLS_SERVICE_NAME": "s", "POWERTOOLS_METRICS_NAMESPACE": "n"}
    with_them, without = (
        subprocess.run(
            [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
        ).stdout.split()
        for code in (asked, loading)
    )
    described = {"surefill.api.answers", "surefill.api.schemas"}
    assert described <= set(with_them)
    assert not described & set(without)
