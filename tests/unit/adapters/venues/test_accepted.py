"""What the answer to a post says of an accepted order: fills that add up, or none yet."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from surefill.domain.orders import Accepted, VenueOrder
from tests.unit.adapters.venues.helpers import Scripted, fill_row, order_row, request, said, venue


def accepted(**changes: Any) -> VenueOrder:
    outcome = venue(Scripted(lambda seen: said(order_row(**changes)))).post(request())
    assert isinstance(outcome, Accepted)
    return outcome.order


def test_an_accepted_order_carries_its_fills_when_they_add_up() -> None:
    order = accepted(fills=[fill_row(tradeId=900, qty="0.001"), fill_row(tradeId=901, qty="0.00023")])
    assert order.fills is not None
    assert sum(fill.quantity for fill in order.fills) == order.filled_quantity == Decimal("0.00123")
    assert sum(fill.cost for fill in order.fills) == Decimal("79.95")
    assert {fill.fee_asset for fill in order.fills} == {"BTC"}


@pytest.mark.parametrize(
    "fills",
    [
        None,
        [],
        [fill_row(qty="0.001")],
        [fill_row(), fill_row()],
        [fill_row(price="64000")],
        [{key: value for key, value in fill_row().items() if key != "tradeId"}],
    ],
)
def test_otherwise_they_must_be_fetched(fills: list[dict[str, Any]] | None) -> None:
    order = accepted(fills=fills)
    assert order.finished and order.fills is None


def test_a_bare_acknowledgement_says_nothing_of_fills() -> None:
    row = {key: order_row()[key] for key in ("symbol", "orderId", "clientOrderId", "side")}
    outcome = venue(Scripted(lambda seen: said(row))).post(request())
    assert isinstance(outcome, Accepted)
    assert (outcome.order.finished, outcome.order.fills) == (False, None)


def test_an_ioc_order_that_found_nothing_is_finished_and_empty() -> None:
    order = accepted(status="EXPIRED", executedQty="0.00000000", cummulativeQuoteQty="0.00000000", fills=[])
    assert (order.finished, order.filled_quantity, order.fills) == (True, Decimal(0), ())
