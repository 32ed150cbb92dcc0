"""One world per test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from surefill.adapters.dynamodb import SharedConnection
from tests.contract.engines import REGION, Engine, ministack
from tests.contract_venue.worlds import World, in_process, on_paper, over_http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from surefill.ports import Store


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A local DynamoDB, for what a paper account keeps."""
    with pytest.MonkeyPatch.context() as patch, ministack(tmp_path_factory.mktemp("ministack")) as endpoint:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        yield Engine("ministack", SharedConnection(endpoint_url=endpoint, region=REGION))


@pytest.fixture
def stored(tables: Engine) -> Store:
    """An empty store in DynamoDB."""
    return tables.store()


@pytest.fixture(params=["in process", "over http", "on paper", "on paper in DynamoDB"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """The account at each of its places."""
    match request.param:
        case "in process":
            place = in_process()
        case "over http":
            place = over_http()
        case "on paper":
            place = on_paper()
        case _:
            place = on_paper(request.getfixturevalue("stored"))
    with place as one:
        yield one


@pytest.fixture(params=[in_process, over_http], ids=["in process", "over http"])
def live(request: pytest.FixtureRequest) -> Iterator[World]:
    """The account at the simulated exchange."""
    with request.param() as one:
        yield one
