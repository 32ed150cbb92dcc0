"""Every guard means on DynamoDB what it means in the protocol, also on rows with fields that were never written."""

import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from surefill.adapters.dynamodb import DynamoStore
from surefill.adapters.dynamodb.codec import encode
from surefill.adapters.writes import is_required
from surefill.domain.reasons import Reason
from surefill.domain.rows import Budget, Row, Slot
from surefill.domain.states import SlotState
from surefill.protocol.transaction import Check, FieldOf, Guard, GuardFailedError, Op, Transaction, holds, key_of
from tests.contract.engines import Engine

COMPARISONS = [Op.EQUAL, Op.LESS, Op.AT_MOST, Op.AT_LEAST]
amounts = st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(1)])
counts = st.sampled_from([0, 1, 2])
FIELDS: dict[type[Row], dict[str, st.SearchStrategy[Any]]] = {
    Budget: {
        "available": amounts,
        "reserved": amounts,
        "loss_today": amounts,
        "max_daily_loss": amounts,
        "open_positions": counts,
        "max_open_positions": counts,
        "entries_allowed": st.booleans(),
        "day": st.sampled_from(["", "2026-11-20"]),
    },
    Slot: {
        "state": st.sampled_from(SlotState),
        "exit_attempt": counts,
        "quantity": amounts,
        "take_profit": amounts,
        "entry_intent_id": st.sampled_from(["a", "b"]),
        "held_reason": st.sampled_from([Reason.OVERRUN, Reason.DUST]),
    },
}
# Fields that can be compared with each other, and fields that have an order.
PAIRS: dict[type[Row], list[tuple[str, str]]] = {
    Budget: [
        ("open_positions", "max_open_positions"),
        ("loss_today", "max_daily_loss"),
        ("max_daily_loss", "reserved"),
        ("reserved", "available"),
        ("reserved", "loss_today"),
    ],
    Slot: [("quantity", "take_profit"), ("take_profit", "quantity")],
}
UNORDERED = {"entries_allowed", "state", "held_reason"}


@st.composite
def guards(draw: st.DrawFn, row: type[Row]) -> Guard:
    """A guard on one field, of any kind."""
    or_missing = draw(st.booleans())
    if draw(st.integers(0, 3)) == 0:
        left, right = draw(st.sampled_from(PAIRS[row]))
        op = draw(st.sampled_from(COMPARISONS))
        return Guard(name="pair", field=left, op=op, value=FieldOf(right), or_missing=or_missing)
    field = draw(st.sampled_from(sorted(FIELDS[row])))
    op = draw(st.sampled_from([Op.EQUAL, Op.ONE_OF, Op.MISSING, Op.PRESENT] if field in UNORDERED else list(Op)))
    if op in (Op.MISSING, Op.PRESENT):
        return Guard(name="presence", field=field, op=op)
    value = draw(FIELDS[row][field])
    if op is Op.ONE_OF:
        return Guard(name="one_of", field=field, op=op, value=draw(st.sampled_from([(), (value,), (value,) * 2])))
    value = draw(st.sampled_from([value, value, None]))
    return Guard(name="value", field=field, op=op, value=value, or_missing=or_missing)


@st.composite
def stored_rows(draw: st.DrawFn, row: type[Row]) -> tuple[Row, set[str]] | None:
    """A row and the fields of it that were never written; None for no row at all."""
    if draw(st.integers(0, 5)) == 0:
        return None
    values = {name: draw(st.none() | strategy) for name, strategy in FIELDS[row].items()}
    given_values = {name: value for name, value in values.items() if value is not None}
    base: dict[str, Any] = (
        {"budget_id": "b", "account_id": "a", "currency": "USDT", "funded": Decimal(1), "available": Decimal(1)}
        if row is Budget
        else {"market_key": "m", "owner_key": "o"}
    )
    made: Any = row
    unwritten = {name for name in values if name not in given_values and not is_required(row, name)}
    return made(**{**base, **given_values}), unwritten


@pytest.mark.parametrize("engine", ["ministack", "moto"], indirect=True)
@pytest.mark.parametrize("row", [Budget, Slot], ids=lambda row: str(row.__name__))
@settings(
    max_examples=100,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_guard_means_the_same_everywhere(store: DynamoStore, row: type[Row], data: st.DataObject) -> None:
    guard, stored = data.draw(guards(row)), data.draw(stored_rows(row))
    one = stored[0] if stored else _any_row(row)
    store.delete(key_of(one))
    if stored:
        item = {name: value for name, value in encode(one).items() if name not in stored[1]}
        table = store._gateway.tables[row.TABLE].table_name
        store._gateway.send("PutItem", {"TableName": table, "Item": item})
        assert store.get(row, *key_of(one).values) == one
    check = Check(key=key_of(one), guards=(guard,))
    try:
        store.commit(Transaction(name="check", token=str(uuid.uuid4()), writes=(check,)))
        passed = True
    except GuardFailedError as error:
        assert error.names() == {guard.name}
        passed = False
    assert passed == holds(guard, stored[0] if stored else None)


def _any_row(row: type[Row]) -> Row:
    if row is Slot:
        return Slot(market_key="m", owner_key="o")
    return Budget(budget_id="b", account_id="a", currency="USDT", funded=Decimal(1), available=Decimal(1))


def test_an_order_of_short_times_is_refused(engine: Engine) -> None:
    """ "09:00:00Z" sorts after "09:00:00.5Z": a guard that orders such times would lie, so it is refused."""
    if engine.name == "memory":
        pytest.skip("only stored text has no order")
    store = engine.store()
    guard = Guard(name="opened_before", field="opened_at", op=Op.LESS, value=None)
    check = Check(key=key_of(_any_row(Slot)), guards=(guard,))
    with pytest.raises(ValueError, match="must order a number or a text"):
        store.commit(Transaction(name="check", token="t", writes=(check,)))
