"""The text of conditions and updates: short where it can be, explicit where a field may never have been written."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from surefill.adapters.dynamodb.expressions import actions_of, condition_of
from surefill.adapters.writes import require_sense
from surefill.domain.rows import Bot, Budget, Intent, Slot
from surefill.domain.states import IntentState, SlotState
from surefill.protocol.transaction import Check, FieldOf, Guard, Key, Op, Put, Update, Write

BUDGET, SLOT, INTENT = Key(Budget, ("b",)), Key(Slot, ("m", "o")), Key(Intent, ("i",))


@dataclass
class Text:
    """An expression with its names and values put back in."""

    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def of(self, expression: Any) -> str:
        text: str = expression.serialize(self.names, self.values)
        for name, placeholder in sorted(self.names.items(), key=lambda pair: -len(pair[1])):
            text = text.replace(placeholder, name)
        for placeholder, value in sorted(self.values.items(), key=lambda pair: -len(pair[0])):
            text = text.replace(placeholder, repr(next(iter(value.values()))))
        return text


def condition(write: Write) -> str | None:
    made = condition_of(write)
    return None if made is None else Text().of(made)


def guard(field: str, op: Op, value: Any = None, *, or_missing: bool = False) -> Guard:
    return Guard(name="guard", field=field, op=op, value=value, or_missing=or_missing)


@pytest.mark.parametrize(
    ("key", "one", "text"),
    [
        (BUDGET, guard("available", Op.AT_LEAST, Decimal("0.10")), "available >= '0.1'"),
        (BUDGET, guard("day", Op.EQUAL, "2026-11-20"), "day = '2026-11-20'"),
        (
            BUDGET,
            guard("entries_allowed", Op.EQUAL, True),
            "(entries_allowed = True OR (attribute_not_exists (entries_allowed) AND attribute_exists (budget_id)))",
        ),
        (SLOT, guard("state", Op.EQUAL, SlotState.OPEN), "state = 'OPEN'"),
        (
            SLOT,
            guard("state", Op.EQUAL, SlotState.EMPTY, or_missing=True),
            "(state = 'EMPTY' OR attribute_not_exists (state))",
        ),
        (
            SLOT,
            guard("state", Op.EQUAL, SlotState.OPEN, or_missing=True),
            "(state = 'OPEN' OR attribute_not_exists (market_key))",
        ),
        (
            SLOT,
            guard("entry_intent_id", Op.EQUAL, "i", or_missing=True),
            "(entry_intent_id = 'i' OR attribute_not_exists (entry_intent_id))",
        ),
        (
            SLOT,
            guard("entry_intent_id", Op.EQUAL, None),
            "(attribute_exists (market_key) AND attribute_not_exists (market_key))",
        ),
        (SLOT, guard("state", Op.ONE_OF, ()), "(attribute_exists (market_key) AND attribute_not_exists (market_key))"),
        (INTENT, guard("state", Op.ONE_OF, (IntentState.SENT, IntentState.UNKNOWN)), "state IN ('SENT', 'UNKNOWN')"),
        (INTENT, guard("absent_since", Op.MISSING), "attribute_not_exists (absent_since)"),
        (INTENT, guard("worker", Op.PRESENT), "attribute_exists (worker)"),
        (SLOT, guard("quantity", Op.PRESENT), "attribute_exists (market_key)"),
        (
            BUDGET,
            guard("open_positions", Op.LESS, FieldOf("max_open_positions"), or_missing=True),
            "((open_positions < max_open_positions"
            " OR (attribute_not_exists (open_positions) AND '0' < max_open_positions))"
            " OR attribute_not_exists (max_open_positions))",
        ),
    ],
)
def test_a_guard_as_a_condition(key: Key, one: Guard, text: str) -> None:
    assert condition(Check(key=key, guards=(one,))) == text


def test_a_put_is_of_a_new_row() -> None:
    slot = Slot(market_key="m", owner_key="o")
    assert condition(Put(row=slot)) == "attribute_not_exists (market_key)"


def test_an_update_that_could_make_half_a_row_asks_for_the_row() -> None:
    change: dict[str, Any] = {"entries_allowed": False}
    assert condition(Update(key=BUDGET, set=change)) == "attribute_exists (budget_id)"
    covers = guard("available", Op.AT_LEAST, Decimal(1))
    assert condition(Update(key=BUDGET, set=change, guards=(covers,))) == "available >= '1'"
    missing = guard("max_daily_loss", Op.MISSING)
    assert condition(Update(key=BUDGET, set=change, guards=(missing,))) == (
        "(attribute_not_exists (max_daily_loss) AND attribute_exists (budget_id))"
    )
    assert condition(Update(key=SLOT, set={"quantity": Decimal(1)})) is None


def test_a_change_sets_removes_and_adds() -> None:
    update = Update(key=BUDGET, set={"day": "2026-11-20", "max_daily_loss": None}, add={"available": Decimal("-0.5")})
    assert [Text().of(action) for action in actions_of(update)] == [
        "day = '2026-11-20'",
        "max_daily_loss",
        "available '-0.5'",
    ]


def test_a_mapping_named_like_a_type_is_sent_as_text() -> None:
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    update = Update(key=Key(Bot, ("b",)), set={"params": {"N": 5}})
    actions_of(update)[0].serialize(names, values)
    assert values == {":0": {"S": '{"N":5}'}}


@pytest.mark.parametrize(
    ("write", "error"),
    [
        (Check(key=BUDGET, guards=(guard("avaliable", Op.PRESENT),)), AttributeError),
        (Check(key=BUDGET, guards=(guard("available", Op.LESS, FieldOf("nothing")),)), AttributeError),
        (Update(key=BUDGET, set={"day": "x"}, add={"day": 1}), ValueError),
        (Update(key=BUDGET, set={"currency": None}), ValueError),
        (Update(key=Key(Budget, ("b", "c")), set={"day": "x"}), ValueError),
    ],
)
def test_a_write_without_sense_is_refused(write: Write, error: type[Exception]) -> None:
    with pytest.raises(error):
        require_sense(write)
