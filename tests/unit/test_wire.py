"""Rows as JSON and back, exactly."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from surefill.domain.rows import Bot, Intent
from surefill.wire import WireError, from_wire, to_wire
from tests.fakes.orders import entry_of, opened
from tests.fakes.rows import bot
from tests.fakes.world import World


def test_a_row_survives_the_wire_exactly() -> None:
    world = World()
    for row in (entry_of(world), world.intent(opened(world).intent_id)):
        assert from_wire(Intent, json.loads(json.dumps(to_wire(row)))) == row
    subject = bot(params={"rsi_period": 7, "weight_rsi": 0.5})
    assert from_wire(Bot, json.loads(json.dumps(to_wire(subject)))) == subject


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quantity": 1.5}, "Intent.quantity"), ({"tick": "yesterday"}, "Intent.tick"), ({"side": "UP"}, "Intent.side"),
        ({"attempt": "1"}, "Intent.attempt"), ({"moon": 1}, "no field 'moon'"), ({"fills": 3}, "Intent.fills"),
        ({"venue": None}, "Intent.venue"),
    ],
)  # fmt: skip
def test_a_body_that_does_not_fit_names_the_field(change: dict[str, object], message: str) -> None:
    body = {**to_wire(entry_of(World())), **change}
    with pytest.raises(WireError, match=message):
        from_wire(Intent, body)


def test_a_missing_field_is_named() -> None:
    body = to_wire(entry_of(World()))
    del body["symbol"]
    with pytest.raises(WireError, match="symbol"):
        from_wire(Intent, body)


def test_none_is_left_out_and_comes_back() -> None:
    intent = replace(entry_of(World()), limit_price=None)
    assert "limit_price" not in to_wire(intent)
    assert from_wire(Intent, {**to_wire(intent), "limit_price": None}) == intent


@pytest.mark.parametrize(
    ("value", "text"), [("0E-8", "0.00000000"), ("1E-8", "0.00000001"), ("1E+3", "1000"), ("12.50", "12.50")]
)
def test_amounts_are_written_without_an_exponent(value: str, text: str) -> None:
    spent = replace(entry_of(World()), filled_cost=Decimal(value))
    written = to_wire(spent)["filled_cost"]
    assert written == text
    assert from_wire(Intent, to_wire(spent)) == spent
