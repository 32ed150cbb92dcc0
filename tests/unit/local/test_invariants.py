"""Every invariant holds on consistent rows, and each one catches what it is for, with the numbers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from local.invariants import INVARIANTS, check_all, check_steps
from local.rows import Rows
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent, Slot
from surefill.domain.states import IntentState, SlotState
from tests.unit.local.invariant_rows import (
    BTC_ENTRY,
    BTC_EXIT,
    ETH_ENTRY,
    NOW,
    consistent_rows,
    fill,
    unfinished,
)


def test_consistent_rows_violate_nothing() -> None:
    assert check_all(consistent_rows()) == []


def test_an_order_under_way_violates_nothing() -> None:
    rows = consistent_rows()
    budget = replace(rows.budgets[0], available=Decimal("879.79"), reserved=Decimal(50), open_positions=2)
    slot = replace(rows.slots[0], market_key="binance|SOL/USDT", state=SlotState.OPENING, entry_intent_id="4" * 32)
    claim = replace(rows.ledger[1], entry_key="4#claim", available=Decimal(-50), reserved=Decimal(50))
    moving = replace(
        rows,
        budgets=(budget,),
        slots=(*rows.slots, slot),
        intents=(*rows.intents, unfinished(IntentState.UNKNOWN)),
        ledger=(*rows.ledger, claim),
    )
    assert check_all(moving) == []


def test_the_twelve_are_all_there() -> None:
    assert [invariant.code for invariant in INVARIANTS] == [f"I{number}" for number in range(1, 13)]


def _budget(rows: Rows, **changes: Any) -> Rows:
    return replace(rows, budgets=(replace(rows.budgets[0], **changes),))


def _slot(rows: Rows, **changes: Any) -> Rows:
    return replace(rows, slots=(rows.slots[0], replace(rows.slots[1], **changes)))


def _intent(rows: Rows, intent_id: str, **changes: Any) -> Rows:
    changed = [replace(item, **changes) if item.intent_id == intent_id else item for item in rows.intents]
    return replace(rows, intents=tuple(changed))


def _add(rows: Rows, *intents: Intent, slots: tuple[Slot, ...] = ()) -> Rows:
    return replace(rows, intents=(*rows.intents, *intents), slots=(*rows.slots, *slots))


def _exchange(rows: Rows, **changes: Any) -> Rows:
    return replace(rows, exchange={**rows.exchange, **changes})


_VOID = {"state": IntentState.VOID, "fills": (), "filled_quantity": Decimal(0), "filled_cost": Decimal(0)}
BROKEN: dict[str, tuple[str, Callable[[Rows], Rows], str]] = {
    "money appears": ("I1", lambda rows: _budget(rows, available=Decimal(930)), "1010"),
    "a balance is negative": (
        "I1",
        lambda rows: _budget(rows, available=Decimal(-1), deployed=Decimal("1010.79")),
        "available must not be negative, was -1",
    ),
    "money reserved for nothing": (
        "I2",
        lambda rows: _budget(rows, available=Decimal("919.79"), reserved=Decimal(10)),
        "its open buys hold 0",
    ),
    "a reservation is missing": ("I2", lambda rows: _add(rows, unfinished(IntentState.SENT)), "its open buys hold 50"),
    "two slots for one symbol": (
        "I3",
        lambda rows: replace(rows, slots=(*rows.slots, rows.slots[1])),
        "2 slots are taken",
    ),
    "a slot without its entry": ("I3", lambda rows: _slot(rows, entry_intent_id="9" * 32), "does not exist"),
    "positions miscounted": ("I3", lambda rows: _budget(rows, open_positions=0), "open_positions is 0"),
    "posted twice": ("I4", lambda rows: _exchange(rows, order_posts={BTC_ENTRY: 2}), "2 requests to place it"),
    "posted by nobody": ("I4", lambda rows: _exchange(rows, order_posts={"x": 1}), "no intent stands for"),
    "filled twice": (
        "I5",
        lambda rows: _exchange(rows, orders=[*rows.exchange["orders"], rows.exchange["orders"][0]]),
        "2 orders of it filled",
    ),
    "more than the fills say": ("I6", lambda rows: _slot(rows, quantity=Decimal(2)), "explain 1.998"),
    "cost and deployed differ": ("I6", lambda rows: _slot(rows, cost=Decimal(79)), "deployed is 80"),
    "the venue holds less": (
        "I6",
        lambda rows: _exchange(rows, accounts={"main": {"ETH": {"free": "1", "locked": "0"}}}),
        "the venue holds 1",
    ),
    "the venue filled more": (
        "I6",
        lambda rows: _exchange(rows, orders=[{"clientOrderId": BTC_ENTRY, "executedQty": "3"}]),
        "the venue filled 3",
    ),
    "open without a fill": (
        "I7",
        lambda rows: _intent(rows, ETH_ENTRY, fills=()),
        "has no fill",
    ),
    "one trade, two orders": (
        "I7",
        lambda rows: _intent(rows, BTC_EXIT, fills=(fill(1, quantity="0.999", price="110", fee="0.1", asset="USDT"),)),
        f"is also a fill of {BTC_ENTRY}",
    ),
    "fills of an order that is void": (
        "I7",
        lambda rows: _intent(rows, BTC_ENTRY, state=IntentState.VOID),
        "must have no fills, has 1",
    ),
    "finished without an end": ("I8", lambda rows: _intent(rows, BTC_ENTRY, finished_at=None), "with end None"),
    "finished but still in the work index": (
        "I8",
        lambda rows: _intent(rows, BTC_ENTRY, work_key="work"),
        "work key work",
    ),
    "filled but never sent": ("I8", lambda rows: _intent(rows, BTC_ENTRY, sent_at=None), "was never sent"),
    "open with an entry under way": (
        "I8",
        lambda rows: _intent(rows, ETH_ENTRY, state=IntentState.SENT),
        "while its entry",
    ),
    "void but posted": (
        "I9",
        lambda rows: _intent(rows, BTC_ENTRY, **_VOID, sent_at=None, outcome=Reason.NEVER_SENT),
        "VOID as never sent, but 1 requests",
    ),
    "void without evidence": (
        "I9",
        lambda rows: _intent(rows, BTC_ENTRY, **_VOID, outcome=Reason.PROVEN_ABSENT),
        "without evidence",
    ),
    "missed before the fence": (
        "I9",
        lambda rows: _intent(
            rows, BTC_ENTRY, **_VOID, outcome=Reason.PROVEN_ABSENT, absent_since=NOW + timedelta(seconds=14)
        ),
        "evidence counts after",
    ),
    "voided at the first miss": (
        "I9",
        lambda rows: _intent(
            rows,
            BTC_ENTRY,
            **_VOID,
            outcome=Reason.PROVEN_ABSENT,
            absent_since=NOW + timedelta(seconds=16),
            finished_at=NOW + timedelta(seconds=17),
        ),
        "too soon",
    ),
    "sold more than bought": (
        "I10",
        lambda rows: _intent(rows, BTC_EXIT, filled_quantity=Decimal(1)),
        "exits sold 1",
    ),
    "proceeds not credited": (
        "I10",
        lambda rows: replace(rows, ledger=tuple(item for item in rows.ledger if BTC_EXIT not in item.entry_key)),
        "the ledger credits None",
    ),
    "ledger entry lost": ("I11", lambda rows: replace(rows, ledger=rows.ledger[:-1]), "add up to"),
    "cost above the reservation": (
        "I12",
        lambda rows: _intent(rows, BTC_ENTRY, reserved=Decimal(90)),
        "above the reserved 90",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_invariant_catches_its_case(name: str) -> None:
    code, break_rows, words = BROKEN[name]
    found = [violation for violation in check_all(break_rows(consistent_rows())) if violation.invariant == code]
    assert any(words in str(violation) for violation in found), [str(violation) for violation in found]


def test_every_invariant_has_a_case() -> None:
    assert {code for code, _, _ in BROKEN.values()} == {invariant.code for invariant in INVARIANTS}


def test_an_overrun_that_is_recorded_and_switched_entries_off_is_allowed() -> None:
    rows = _budget(_intent(consistent_rows(), BTC_ENTRY, reserved=Decimal(90)), entries_allowed=False)
    overrun = replace(rows.ledger[2], entry_key="overrun", intent_id=BTC_ENTRY, overrun=Decimal(10))
    found = check_all(replace(rows, ledger=(*rows.ledger, overrun)))
    assert "I12" not in {violation.invariant for violation in found}


def test_states_may_only_go_listed_ways_between_two_looks() -> None:
    before = consistent_rows()
    assert check_steps(before, before) == []
    back = _intent(before, BTC_ENTRY, state=IntentState.SENT)
    assert [violation.invariant for violation in check_steps(before, back)] == ["I8"]
    assert check_steps(back, before) == []
