"""One world per test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract_venue.worlds import WORLDS, World, in_process, over_http

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """The account at each of the three places."""
    with WORLDS[request.param]() as one:
        yield one


@pytest.fixture(params=[in_process, over_http], ids=["in process", "over http"])
def live(request: pytest.FixtureRequest) -> Iterator[World]:
    """The account at the simulated exchange."""
    with request.param() as one:
        yield one
