"""The protocol's own assertions: what can't be is refused loudly, and every write says what it touches."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from surefill.domain.fills import OrderResult
from surefill.domain.kinds import Mode
from surefill.domain.money import AmountError, not_negative
from surefill.domain.rows import Account, Fill, Intent, LedgerEntry
from surefill.domain.states import INTENT_TRANSITIONS, IntentState, require_transition
from surefill.protocol.entry import adopt_entry, claim_entry
from surefill.protocol.exit import closing_of
from surefill.protocol.funds import open_budget
from surefill.protocol.order import mark_accepted
from surefill.protocol.parts import slot_key_of
from surefill.protocol.transaction import Guard, GuardFailedError, Op, Put, Transaction, _compare, holds
from tests.fakes.orders import claimed, entry_of, opened
from tests.fakes.rows import TICK, budget
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    return World()


def test_more_than_is_owned_cannot_be_sold(world: World) -> None:
    opened(world)
    sold = OrderResult(
        venue_order_id="v", filled_quantity=Decimal(5), filled_cost=Decimal(500), base_change=Decimal(-5),
        quote_change=Decimal(500), other_fees=(), fills=(),
    )  # fmt: skip
    with pytest.raises(AssertionError, match="must not sell more than"):
        closing_of(world.slot(), result=sold, sellable=True)


def test_a_new_budget_has_all_its_funds(world: World) -> None:
    with pytest.raises(AssertionError, match="must have all its funds"):
        open_budget(budget(available=Decimal(1)), request_id="r", now=TICK)


def test_a_transaction_touches_a_row_once_and_at_most_25(world: World) -> None:
    row = Put(row=budget())
    with pytest.raises(ValueError, match="twice"):
        Transaction(name="t", token="k", writes=(row, row))
    many = tuple(Put(row=budget(budget_id=f"b{index}")) for index in range(26))
    with pytest.raises(ValueError, match="at most 25"):
        Transaction(name="t", token="k", writes=many)


def test_guards_compare_as_they_say() -> None:
    row = budget(available=Decimal(5))
    assert holds(Guard(name="g", field="available", op=Op.AT_MOST, value=Decimal(5)), row)
    assert holds(Guard(name="g", field="day", op=Op.PRESENT), row)
    assert not holds(Guard(name="g", field="day", op=Op.MISSING), row)
    assert not holds(Guard(name="g", field="available", op=Op.AT_LEAST, value=Decimal(0)), None)
    with pytest.raises(AssertionError, match="not comparable"):
        _compare(Op.MISSING, 1, 1)


def test_adoption_needs_free_money(world: World) -> None:
    intent = entry_of(world)
    fill = Fill(
        trade_id="1", quantity=Decimal(1), price=Decimal(5_000), cost=Decimal(5_000), fee=Decimal(0), fee_asset="X"
    )
    bought = OrderResult(
        venue_order_id="v", filled_quantity=Decimal(1), filled_cost=Decimal(5_000), base_change=Decimal(1),
        quote_change=Decimal(-5_000), other_fees=(), fills=(fill,),
    )  # fmt: skip
    world.store.insert(replace(intent, state=IntentState.VOID))
    with pytest.raises(GuardFailedError) as refused:
        world.store.commit(adopt_entry(intent, result=bought, take_profit=None, stop_loss=None, now=TICK))
    assert refused.value.names() == {"available_covers"}


def test_a_legal_change_passes_and_amounts_are_not_negative() -> None:
    require_transition(INTENT_TRANSITIONS, IntentState.RESERVED, IntentState.SENT)
    assert not_negative(Decimal(0), name="amount") == 0
    with pytest.raises(AmountError):
        not_negative(Decimal(-1), name="amount")


def test_a_ledger_entry_that_does_not_conserve_cannot_exist() -> None:
    with pytest.raises(AssertionError, match="must conserve money"):
        LedgerEntry(budget_id="b", entry_key="e", at=TICK, available=Decimal(1))


def test_the_claims_token_is_its_own_per_day(world: World) -> None:
    intent = entry_of(world)
    assert claim_entry(intent).token != claim_entry(intent, budget_day="2026-01-01").token


def test_accepting_keeps_the_venues_number(world: World) -> None:
    intent = claimed(world)
    world.store.replace(replace(intent, state=IntentState.SENT))
    row = world.store.update(mark_accepted(intent, venue_order_id="42", look_again_at=TICK + timedelta(seconds=1)))
    assert isinstance(row, Intent)
    assert row.venue_order_id == "42"


def test_paper_and_live_share_no_key(world: World) -> None:
    """Incident N20."""
    live = entry_of(world)
    paper = replace(live, account_id="paper-binance-main")
    account = Account(account_id="paper-binance-main", venue="binance", mode=Mode.PAPER, currency="USDT")
    assert account.account_id.startswith("paper")
    assert slot_key_of(live) != slot_key_of(paper)
