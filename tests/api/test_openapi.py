"""The committed description is the one of the routes, and it is complete."""

import json
import re
from typing import Any

import pytest

from surefill.api.answers import ANSWERS, COMPONENTS
from tests.api.openapi import PATH, of_the_routes, openapi, text


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return openapi()


def test_the_description_in_the_repository_is_that_of_the_routes() -> None:
    assert PATH.read_text(encoding="utf-8") == text(), "make openapi"


def test_every_route_has_an_answer_and_every_answer_a_route() -> None:
    """Whoever adds, renames or takes away a route does the same in `surefill.api.answers`."""
    routes = {f"{method.upper()} {path}" for path, methods in of_the_routes()["paths"].items() for method in methods}
    assert set(ANSWERS) == routes


def test_every_answer_says_what_is_in_it(made: dict[str, Any]) -> None:
    schemas = made["components"]["schemas"]
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            (success,) = (status for status in operation["responses"] if status < "300")
            answer = operation["responses"][success]["content"]["application/json"]["schema"]
            options = [_followed(option, schemas) for option in answer.get("anyOf", [answer])]
            assert all(option["type"] == "object" and option["properties"] for option in options), (method, path)


def test_every_name_is_used_and_leads_somewhere(made: dict[str, Any]) -> None:
    schemas = made["components"]["schemas"]
    used = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(made)))
    assert used == set(schemas)
    assert set(COMPONENTS) <= used


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
    numbers = {name for name, schema in COMPONENTS.items() if '"number"' in json.dumps(schema)}
    assert numbers == {"Bot", "BotWithSlots"}


def _followed(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    return schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def test_only_alerts_need_no_signature(made: dict[str, Any]) -> None:
    open_to_all = [
        path for path, methods in made["paths"].items() for one in methods.values() if one.get("security") == []
    ]
    assert open_to_all == ["/hooks/{bot_id}"]
