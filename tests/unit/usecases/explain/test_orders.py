"""Claim, place, settle: how far the last order came."""

from datetime import timedelta
from decimal import Decimal

import pytest

from surefill.domain.reasons import Reason
from surefill.domain.states import IntentState, SlotState
from surefill.usecases.explain.model import LinkState
from surefill.usecases.explain.orders import claim_link, place_link, settle_link
from tests.fakes.rows import TICK, budget
from tests.unit.usecases.explain.places import (
    NOW,
    decided,
    entry,
    held,
    order,
    place,
    slot,
    stopped,
)


def test_nothing_has_come_to_the_claim() -> None:
    assert claim_link(place()).state is LinkState.UNKNOWN


def test_a_budget_that_does_not_cover_the_next_order() -> None:
    poor = budget(available=Decimal("84.54"), deployed=Decimal("915.46"))
    stopped(claim_link(place(budget=poor)), Reason.BUDGET_TOO_SMALL, "budget: need 200, have 84.54")


def test_a_claim_that_was_refused() -> None:
    refused = entry(Reason.LIMIT_TRADES, kind="claim-entry", trades_today="3 of 3")
    link = claim_link(place(journal=(refused,)))
    stopped(link, Reason.LIMIT_TRADES, "limit: trades today 3 of 3")


def test_a_refused_claim_of_before_the_newest_order_is_history() -> None:
    refused = entry(Reason.LIMIT_TRADES, kind="claim-entry", at=TICK - timedelta(minutes=10))
    assert claim_link(place(journal=(refused,), slot=held(), orders=(order(),))).state is LinkState.OK


def test_an_order_the_venue_refused() -> None:
    void = order(state=IntentState.VOID, outcome=Reason.QUANTITY_TOO_SMALL, filled_quantity=Decimal(0), fills=())
    told = entry(Reason.REJECTED, kind="place-entry", order_id="e", code="-1013", error="LOT_SIZE")
    link = place_link(place(orders=(void,), journal=(told,)))
    stopped(link, Reason.REJECTED, "place: refused by the venue, code -1013: LOT_SIZE")
    assert link.evidence["order"] == "e"


def test_a_refusal_of_yesterday_explains_nothing_now() -> None:
    old = TICK - timedelta(days=1)
    void = order(state=IntentState.VOID, outcome=Reason.QUANTITY_TOO_SMALL, created_at=old, finished_at=old)
    assert place_link(place(orders=(void,))).state is LinkState.UNKNOWN


def test_an_order_that_was_never_sent() -> None:
    void = order(state=IntentState.VOID, outcome=Reason.NEVER_SENT, sent_at=None)
    link = place_link(place(orders=(void,)))
    assert (link.state, link.reason) == (LinkState.STOPPED, Reason.NEVER_SENT)


@pytest.mark.parametrize(("minutes", "state"), [(1, LinkState.WAITING), (12, LinkState.STOPPED)])
def test_an_order_the_venue_says_nothing_about(minutes: int, state: LinkState) -> None:
    made = NOW - timedelta(minutes=minutes)
    waiting = order(state=IntentState.ACCEPTED, created_at=made, sent_at=made, finished_at=None, outcome=None, fills=())
    link = settle_link(place(orders=(waiting,), slot=slot(state=SlotState.OPENING, entry_intent_id="e")))
    assert (link.state, link.reason) == (state, Reason.WAITING_ON_VENUE)
    assert link.says.startswith("order: waiting on venue, age ")


def test_a_partial_fill_is_told() -> None:
    half = order(outcome=Reason.PARTIALLY_FILLED, filled_quantity=Decimal("0.5"))
    link = settle_link(place(orders=(half,), slot=held()))
    assert (link.state, link.says) == (LinkState.OK, "order: partially filled, 0.5 of 1")


def test_an_order_that_filled_nothing() -> None:
    nothing = order(state=IntentState.EMPTY, outcome=Reason.NOT_FILLED, filled_quantity=Decimal(0), fills=())
    stopped(settle_link(place(orders=(nothing,))), Reason.NOT_FILLED, "order: not filled at 101")


def test_an_order_that_rests_for_its_price() -> None:
    resting = order(state=IntentState.ACCEPTED, rests_until=TICK + timedelta(days=7), finished_at=None, rung="level3")
    waiting = slot(state=SlotState.OPENING, entry_intent_id="e", rung="level3")
    link = settle_link(place(orders=(resting,), slot=waiting, rung="level3"))
    assert (link.state, link.says) == (LinkState.WAITING, "grid: waiting for fill of level3 (buy) at 101")


def test_a_claim_refused_at_the_evaluation() -> None:
    told = decided(Reason.BUDGET_TOO_SMALL, need="147.63", have="84.54")
    stopped(claim_link(place(**told)), Reason.BUDGET_TOO_SMALL, "budget: need 147.63, have 84.54")


def test_a_place_that_is_taken_by_an_order_of_long_ago() -> None:
    link = claim_link(place(slot=held(), orders=()))
    assert (link.state, link.says) == (LinkState.OK, "claim: the place is OPEN")


@pytest.mark.parametrize(("seconds", "state"), [(10, LinkState.WAITING), (200, LinkState.STOPPED)])
def test_an_order_that_is_claimed_and_not_sent(seconds: int, state: LinkState) -> None:
    claimed = order(
        state=IntentState.RESERVED,
        created_at=NOW - timedelta(seconds=seconds),
        sent_at=None,
        finished_at=None,
        outcome=None,
    )
    opening = place(slot=slot(state=SlotState.OPENING, entry_intent_id="e"), orders=(claimed,))
    link = place_link(opening)
    assert link.state is state
    assert link.says.endswith("state RESERVED")
    assert settle_link(opening).state is LinkState.UNKNOWN


def test_an_order_taken_back_because_entries_were_stopped() -> None:
    void = order(state=IntentState.VOID, outcome=Reason.ENTRIES_OFF, sent_at=None)
    assert place_link(place(orders=(void,))).reason is Reason.ENTRIES_OFF


def test_an_order_the_venue_never_saw() -> None:
    void = order(state=IntentState.VOID, outcome=Reason.PROVEN_ABSENT, filled_quantity=Decimal(0), fills=())
    shown = place(orders=(void,))
    assert place_link(shown).state is LinkState.OK
    stopped(settle_link(shown), Reason.PROVEN_ABSENT, "order: never reached the venue, proven")


def test_an_order_that_rests_outside_a_grid() -> None:
    until = TICK + timedelta(days=7)
    resting = order(state=IntentState.ACCEPTED, rests_until=until, finished_at=None, fills=())
    link = settle_link(place(orders=(resting,), slot=slot(state=SlotState.OPENING, entry_intent_id="e")))
    assert (link.state, link.says) == (LinkState.WAITING, "order: resting at 101 until 2026-01-12T12:00:00Z")
