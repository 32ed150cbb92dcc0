"""Every route with generated requests: whatever comes, the service does not fail, and every answer is as described."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.openapi import closed, openapi
from tests.api.served import Api, furnished, problem_of, served, services_on

pytestmark = [pytest.mark.xdist_group("api"), pytest.mark.timeout(600)]
EXAMPLES = int(os.environ.get("API_FUZZ_EXAMPLES", "15"))
KNOWN = {
    "bot_id": "trend", "budget_id": "live-binance-main-b", "account_id": "live-binance-main", "name": "composite",
    "switch": "off", "symbol": "BTC/USDT", "strategy": "composite", "venue": "binance",
}  # fmt: skip

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)

schema = schemathesis.openapi.from_dict(closed(openapi()))


@schema.hook("map_path_parameters")
def known_ids(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Every other request is about something that exists."""
    return _known(path_parameters)


@schema.hook("map_body")
def known_fields(context: Any, body: Any) -> Any:
    """Every other body names things that exist."""
    return _known(body) if isinstance(body, dict) else body


def _known(values: dict[str, Any] | None) -> dict[str, Any] | None:
    if values is None or sum(map(len, map(str, values.values()))) % 2:
        return values
    return {name: KNOWN.get(name, value) for name, value in values.items()}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(Api(services_on(furnished()))) as address:
        yield address


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described_and_none_a_failure(case: Any, address: str) -> None:
    response = case.call(base_url=address)
    case.validate_response(response, checks=CHECKS)
    if response.status_code >= 400:
        assert response.headers["content-type"] == ["application/problem+json"], response.text
        assert problem_of(response.text)["status"] == response.status_code
