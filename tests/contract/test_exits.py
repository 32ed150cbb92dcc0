"""Claim, record, reopen and dust of a sale: the position is sold once, and nothing of it is left unexplained."""

from dataclasses import replace
from decimal import Decimal

import pytest

from surefill.domain.money import ZERO
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent, Slot
from surefill.domain.states import IntentState, SlotState
from surefill.ports import Store
from surefill.protocol.entry import record_entry, record_entry_held
from surefill.protocol.exit import claim_exit, close_as_dust, record_exit, reopen
from surefill.protocol.order import send_gate
from surefill.protocol.transaction import GuardFailedError, Transaction, Update, key_of
from tests.contract.world import World, at, budget_of, fill, result_of, send, slot_of


def opened(store: Store, world: World, *, fee: str = "0.0000016") -> Slot:
    """A position of 0.0016 BTC less fee, for 96 USDT."""
    intent = world.entry()
    send(store, intent)
    bought = result_of(intent, fill(1, quantity="0.0016", price="60000", fee=fee))
    store.commit(record_entry(intent, result=bought, take_profit=Decimal(61000), stop_loss=Decimal(59000), now=at(4)))
    return slot_of(store, intent)


def closing(store: Store, world: World, **changes: object) -> tuple[Slot, Intent]:
    """The same position with a sale on its way."""
    slot = opened(store, world)
    intent = world.exit(slot, **changes)  # type: ignore[arg-type]
    store.commit(claim_exit(intent))
    store.update(send_gate(intent, worker="w", now=at(61)))
    return slot_of(store, intent), intent


def refused(store: Store, transaction: Transaction) -> GuardFailedError:
    with pytest.raises(GuardFailedError) as caught:
        store.commit(transaction)
    return caught.value


def test_two_exits_of_one_position_are_one(store: Store, world: World) -> None:
    slot = opened(store, world)
    first, second = world.exit(slot), world.exit(slot, reason=Reason.STOP_LOSS, created_at=at(61))
    assert first.intent_id == second.intent_id
    store.commit(claim_exit(first))
    assert slot_of(store, first).exit_intent_id == first.intent_id
    error = refused(store, claim_exit(second))
    assert error.names() == {"slot_open", "intent_is_new"}
    seen = error.row_of(Slot)
    assert isinstance(seen, Slot)
    assert (seen.state, seen.exit_intent_id) == (SlotState.CLOSING, first.intent_id)


@pytest.mark.parametrize(
    ("changes", "guard"),
    [
        ({"state": SlotState.HELD}, "slot_open"),
        ({"entry_intent_id": "f" * 32}, "same_position"),
        ({"exit_attempt": 1}, "same_attempt"),
        ({"quantity": Decimal("0.001")}, "quantity_covers"),
    ],
)
def test_each_guard_of_an_exit_refuses_alone(
    store: Store, world: World, changes: dict[str, object], guard: str
) -> None:
    slot = opened(store, world)
    store.update(Update(key=key_of(slot), set=changes))
    error = refused(store, claim_exit(world.exit(slot)))
    assert error.names() == {guard}
    assert error.row_of(Slot) == replace(slot, **changes)  # type: ignore[arg-type]


def test_a_full_sale_empties_the_slot_and_pays_the_budget(store: Store, world: World) -> None:
    slot, intent = closing(store, world)
    sold = result_of(intent, fill(2, quantity="0.0015984", price="61000", fee="0.0975024", fee_asset="USDT"))
    store.commit(record_exit(intent, slot=slot, result=sold, sellable=True, now=at(63)))
    budget, after = budget_of(store, world), slot_of(store, intent)
    proceeds = Decimal("0.0015984") * 61000 - Decimal("0.0975024")
    assert (budget.deployed, budget.available) == (ZERO, 904 + proceeds)
    assert (budget.realised, budget.open_positions, budget.loss_today) == (proceeds - 96, 0, ZERO)
    assert after == Slot(
        market_key=slot.market_key,
        owner_key=slot.owner_key,
        bot_id=world.bot_id,
        account_id=world.account_id,
        budget_id=world.budget_id,
        idle_since=at(63),
    )


def test_a_loss_counts_towards_the_day(store: Store, world: World) -> None:
    slot, intent = closing(store, world, reason=Reason.STOP_LOSS)
    sold = result_of(intent, fill(2, quantity="0.0015984", price="50000"))
    store.commit(record_exit(intent, slot=slot, result=sold, sellable=True, now=at(63)))
    budget = budget_of(store, world)
    assert (budget.realised, budget.loss_today) == (Decimal("-16.08"), Decimal("16.08"))


def test_a_loss_on_a_new_day_starts_the_day_anew(store: Store, world: World) -> None:
    slot, intent = closing(store, world)
    sold = result_of(intent, fill(2, quantity="0.0015984", price="50000"))
    tomorrow = at(24 * 3600)
    error = refused(store, record_exit(intent, slot=slot, result=sold, sellable=True, now=tomorrow))
    assert error.names() == {"same_day"}
    store.commit(
        record_exit(intent, slot=slot, result=sold, sellable=True, now=tomorrow, budget_day=budget_of(store, world).day)
    )
    budget = budget_of(store, world)
    assert (budget.day, budget.trades_today, budget.loss_today) == ("2026-11-21", 0, Decimal("16.08"))


def test_a_partial_sale_opens_the_rest_for_the_next_attempt(store: Store, world: World) -> None:
    slot, intent = closing(store, world)
    sold = result_of(intent, fill(2, quantity="0.0007992", price="60000"))
    store.commit(record_exit(intent, slot=slot, result=sold, sellable=True, now=at(63)))
    rest = slot_of(store, intent)
    assert (rest.state, rest.quantity, rest.cost, rest.exit_attempt) == (
        SlotState.OPEN,
        Decimal("0.0007992"),
        Decimal(48),
        1,
    )
    assert budget_of(store, world).open_positions == 1
    again = world.exit(rest, tick=at(120))
    assert again.intent_id != intent.intent_id
    store.commit(claim_exit(again))


def test_a_rest_too_small_to_sell_is_dust(store: Store, world: World) -> None:
    slot, intent = closing(store, world)
    sold = result_of(intent, fill(2, quantity="0.0015", price="60000"))
    store.commit(record_exit(intent, slot=slot, result=sold, sellable=False, now=at(63)))
    assert slot_of(store, intent).state is SlotState.EMPTY
    entries = {entry.entry_key: entry for entry in store.ledger_of(world.budget_id)}
    assert entries[f"{intent.intent_id}#record"].dust == Decimal("0.0000984")
    assert budget_of(store, world).realised == Decimal(-6)


def test_a_sale_recorded_against_a_changed_position_is_refused(store: Store, world: World) -> None:
    slot, intent = closing(store, world)
    sold = result_of(intent, fill(2, quantity="0.0015", price="60000"))
    store.update(Update(key=key_of(slot), set={"quantity": Decimal("0.0015985")}))
    error = refused(store, record_exit(intent, slot=slot, result=sold, sellable=False, now=at(63)))
    assert error.names() == {"quantity_unchanged"}


def test_a_sale_that_did_not_happen_opens_the_position_again(store: Store, world: World) -> None:
    slot, intent = closing(store, world)
    store.commit(record_exit(intent, slot=slot, result=result_of(intent), sellable=True, now=at(63)))
    after, stored = slot_of(store, intent), store.get(Intent, intent.intent_id)
    assert (after.state, after.exit_attempt, after.exit_intent_id) == (SlotState.OPEN, 1, None)
    assert stored is not None
    assert stored.state is IntentState.EMPTY


def test_a_sale_nobody_can_explain_is_held(store: Store, world: World) -> None:
    _, intent = closing(store, world)
    store.commit(
        reopen(intent, to=IntentState.VOID, outcome=Reason.BALANCE_SHORT, now=at(63), held=Reason.BALANCE_SHORT)
    )
    after = slot_of(store, intent)
    assert (after.state, after.held_reason, after.open_key) == (SlotState.HELD, Reason.BALANCE_SHORT, "open")


def test_a_position_too_small_to_sell_is_closed_as_dust(store: Store, world: World) -> None:
    slot = opened(store, world)
    store.commit(close_as_dust(slot, now=at(63)))
    budget = budget_of(store, world)
    moved = (budget.deployed, budget.realised, budget.loss_today)
    assert (*moved, budget.open_positions) == (ZERO, Decimal(-96), Decimal(96), 0)
    error = refused(store, close_as_dust(slot, now=at(64)))
    assert {"slot_open", "same_position", "deployed_covers", "is_new"} <= error.names()


def test_a_field_never_written_is_judged_by_its_default(store: Store, world: World) -> None:
    """A held entry writes no `exit_attempt`: the guard that it is 0 must hold all the same once a person reopens it."""
    intent = world.entry(reserved="90")
    send(store, intent)
    bought = result_of(intent, fill(1, quantity="0.0016", price="60000"))
    store.commit(record_entry_held(intent, result=bought, now=at(4)))
    store.update(Update(key=key_of(slot_of(store, intent)), set={"state": SlotState.OPEN, "held_reason": None}))
    slot = slot_of(store, intent)
    store.commit(claim_exit(world.exit(slot)))
    assert slot_of(store, intent).state is SlotState.CLOSING
