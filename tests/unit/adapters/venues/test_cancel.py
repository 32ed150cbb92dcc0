"""Cancelling: what is gone needs none, and what was not heard is a failure."""

from __future__ import annotations

import pytest

from surefill.domain.orders import VenueError
from tests.unit.adapters.venues.helpers import CLIENT_ID, Reply, Scripted, error, venue


@pytest.mark.parametrize("code", [-2011, -2013])
def test_cancelling_what_is_gone_is_no_failure(code: int) -> None:
    venue(Scripted(lambda seen: error(code, "Unknown order sent."))).cancel(
        symbol="BTC/USDT", client_order_id=CLIENT_ID
    )


@pytest.mark.parametrize("reply", [error(-1003, "Too many.", status=429), Reply(status=504), Reply(body="")])
def test_cancelling_that_was_not_heard_is_one(reply: Reply) -> None:
    with pytest.raises(VenueError):
        venue(Scripted(lambda seen: reply)).cancel(symbol="BTC/USDT", client_order_id=CLIENT_ID)
