"""The committed description is the one of the routes, and it is complete."""

import json
from typing import Any

import pytest

from tests.api.openapi import PATH, openapi, text


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return openapi()


def test_the_description_in_the_repository_is_that_of_the_routes() -> None:
    assert PATH.read_text(encoding="utf-8") == text(), "make openapi"


def test_every_changing_route_takes_a_key_and_every_route_tells_problems(made: dict[str, Any]) -> None:
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            names = {parameter["name"] for parameter in operation.get("parameters", [])}
            assert ("Idempotency-Key" in names) is (method != "get" and path != "/hooks/{bot_id}"), (method, path)
            assert {"404", "409", "422", "503"} <= set(operation["responses"])
            assert operation["summary"]


def test_every_list_goes_page_by_page(made: dict[str, Any]) -> None:
    lists = {
        path
        for path, methods in made["paths"].items()
        if {"limit", "next"} <= {one["name"] for one in methods.get("get", {}).get("parameters", [])}
    }
    assert lists == {
        "/accounts", "/budgets", "/bots", "/positions", "/reservations", "/panic", "/panic/{stop_id}",
        "/budgets/{budget_id}/ledger", "/budgets/{budget_id}/dust", "/bots/{bot_id}/decisions",
        "/bots/{bot_id}/risk-events", "/bots/{bot_id}/exit-events", "/bots/{bot_id}/orders", "/bots/{bot_id}/fills",
        "/bots/{bot_id}/positions/closed", "/accounts/{account_id}/trades",
    }  # fmt: skip


def test_amounts_are_text_everywhere(made: dict[str, Any]) -> None:
    bodies = {name: schema for name, schema in made["components"]["schemas"].items() if name.endswith("Body")}
    assert bodies
    # Of an alert the price is what a charting service sends.
    numbers = {name for name, schema in bodies.items() if '"number"' in json.dumps(schema)}
    assert numbers <= {"AlertBody", "BotBody", "BotChangeBody"}, "only parameters of strategies are plain numbers"


def test_only_alerts_need_no_signature(made: dict[str, Any]) -> None:
    open_to_all = [
        path for path, methods in made["paths"].items() for one in methods.values() if one.get("security") == []
    ]
    assert open_to_all == ["/hooks/{bot_id}"]
