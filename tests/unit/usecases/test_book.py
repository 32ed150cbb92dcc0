"""Booking: what was filled becomes a position, a sale or nothing, every amount accounted for, once."""

from dataclasses import replace
from decimal import Decimal

import pytest

from surefill.domain.fills import FillError
from surefill.domain.kinds import Side
from surefill.domain.orders import VenueOrder
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rows import Slot
from surefill.domain.states import IntentState, SlotState
from surefill.protocol.transaction import Key
from surefill.usecases.book import Book, Outcome
from tests.fakes.orders import claimed, closing, conserved, opened
from tests.fakes.rows import MARKET, OWNER
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    return World()


def book(world: World) -> Book:
    return Book(store=world.store, clock=world.clock, observer=world.observer)


def test_a_filled_entry_is_one_protected_position(world: World) -> None:
    intent = opened(world)
    slot = world.slot()
    assert slot.state is SlotState.OPEN
    assert slot.quantity == intent.quantity * Decimal("0.999")
    assert (slot.take_profit, slot.stop_loss) == (Decimal(103), Decimal(98))
    assert world.money().reserved == 0
    assert conserved(world)


def test_a_full_round_trip_books_its_profit_and_frees_the_slot(world: World) -> None:
    opened(world)
    world.venue.bid = Decimal(110)
    intent = closing(world)
    assert world.placer.place(intent, worker="w") is Outcome.RECORDED
    assert world.slot().state is SlotState.EMPTY
    assert world.money().realised > 0
    assert world.money().open_positions == 0
    assert conserved(world)


def test_a_partial_fill_books_what_was_bought_and_releases_the_rest(world: World) -> None:
    """Incident N18."""
    intent = claimed(world)
    world.venue.script = ["half"]
    assert world.placer.place(intent, worker="w") is Outcome.RECORDED
    money = world.money()
    assert money.deployed == intent.quantity / 2 * 100
    assert money.available == 1000 - money.deployed
    assert world.intent(intent.intent_id).outcome is Reason.PARTIALLY_FILLED


def test_an_order_that_fills_nothing_leaves_nothing(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["nothing"]
    assert world.placer.place(intent, worker="w") is Outcome.RELEASED
    assert world.slot().state is SlotState.EMPTY
    assert world.intent(intent.intent_id).state is IntentState.EMPTY


def test_a_partial_sale_keeps_the_rest_open_for_the_next_attempt(world: World) -> None:
    opened(world)
    before = world.slot()
    world.venue.script = ["half"]
    assert world.placer.place(closing(world), worker="w") is Outcome.RECORDED
    rest = world.slot()
    assert (rest.state, rest.exit_attempt) == (SlotState.OPEN, 1)
    assert 0 < rest.quantity < before.quantity
    assert 0 < rest.cost < before.cost
    assert conserved(world)


def test_a_sale_that_fills_nothing_is_open_again(world: World) -> None:
    opened(world)
    world.venue.script = ["nothing"]
    assert world.placer.place(closing(world), worker="w") is Outcome.RELEASED
    assert (world.slot().state, world.slot().exit_attempt) == (SlotState.OPEN, 1)


def test_dust_is_recorded_and_does_not_block_the_slot(world: World) -> None:
    """Incident N36: what the fee leaves below one step."""
    opened(world)
    assert world.slot().quantity % Decimal("0.001") != 0
    world.placer.place(closing(world), worker="w")
    dust = [row.dust for row in world.store.ledger_of("live-binance-main-b") if row.dust]
    assert world.slot().state is SlotState.EMPTY
    assert len(dust) == 1
    assert 0 < dust[0] < Decimal("0.001")


def test_a_rest_of_unknown_market_stays_a_position(world: World) -> None:
    opened(world)
    intent = closing(world)
    world.store.delete(Key(MarketRules, (MARKET,)))
    world.venue.script = ["half"]
    world.placer.place(intent, worker="w")
    assert world.slot().state is SlotState.OPEN


def test_a_cost_above_the_reservation_is_covered_and_stops_entries(world: World) -> None:
    """Invariant I12."""
    intent = claimed(world)
    world.venue.ask = Decimal(120)
    world.placer.place(intent, worker="w")
    assert world.money().entries_allowed is False
    assert [row.overrun for row in world.store.ledger_of(intent.budget_id) if row.overrun] == [
        intent.quantity * 120 - intent.reserved
    ]
    assert conserved(world)


def test_a_cost_that_nothing_covers_holds_the_position(world: World) -> None:
    intent = claimed(world)
    world.venue.ask = Decimal(2_000)
    assert world.placer.place(intent, worker="w") is Outcome.HELD
    assert (world.slot().state, world.slot().held_reason) == (SlotState.HELD, Reason.OVERRUN)
    assert conserved(world)


def test_held_overruns_stay_held_when_looked_at_again(world: World) -> None:
    intent = claimed(world)
    world.venue.ask = Decimal(2_000)
    world.placer.place(intent, worker="w")
    assert world.settler.settle(intent.intent_id) is Outcome.HELD


def test_any_other_guard_of_a_record_is_not_taken_for_an_overrun(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["fill_unseen"]
    world.placer.place(intent, worker="w")
    world.store.replace(replace(world.slot(), state=SlotState.HELD))
    with pytest.raises(AssertionError, match="could not be booked"):
        world.settler.settle(intent.intent_id)
    assert world.money().reserved == intent.reserved


def test_losses_count_for_the_day_and_start_anew_the_next(world: World) -> None:
    opened(world)
    world.venue.bid = Decimal(90)
    world.placer.place(closing(world), worker="w")
    lost = world.money().loss_today
    assert lost > 0
    world.clock.forward(days=1)
    world.venue.bid = Decimal(100)
    world.venue.quoted_at = world.clock.now()
    opened(world)
    assert (world.money().loss_today, world.money().trades_today) == (0, 1)


def test_a_loss_on_a_new_day_starts_the_days_count(world: World) -> None:
    opened(world)
    world.clock.forward(days=1)
    world.venue.bid = Decimal(90)
    world.placer.place(closing(world), worker="w")
    money = world.money()
    assert (money.day, money.trades_today) == ("2026-01-06", 0)
    assert money.loss_today == -money.realised
    assert conserved(world)


def test_a_loss_stamped_before_midnight_does_not_turn_the_day_back(world: World) -> None:
    opened(world)
    world.venue.bid = Decimal(90)
    sale = closing(world)
    world.store.replace(replace(world.money(), day="2026-01-06", loss_today=Decimal(7)))
    world.placer.place(sale, worker="w")
    assert world.money().day == "2026-01-06"
    assert world.money().loss_today == 7 - world.money().realised


def test_a_voided_order_that_did_fill_is_adopted(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["fill_unseen"]
    world.placer.place(intent, worker="w")
    order = world.venue.orders.pop(intent.intent_id)
    for _ in range(12):
        world.settler.settle(intent.intent_id)
        world.clock.forward(seconds=5)
    assert world.intent(intent.intent_id).state is IntentState.VOID
    book = Book(store=world.store, clock=world.clock, observer=world.observer)
    assert book.adopt(world.intent(intent.intent_id), order=order) is Outcome.RECORDED
    assert world.slot().state is SlotState.OPEN
    assert conserved(world)


def test_an_unfinished_order_is_not_booked(world: World) -> None:
    intent = claimed(world)
    order = VenueOrder(
        client_order_id=intent.intent_id, venue_order_id="v", symbol="BTC/USDT", side=Side.BUY, finished=False,
        filled_quantity=Decimal(0), fills=(),
    )  # fmt: skip
    with pytest.raises(FillError, match="must be finished"):
        book(world).record(intent, order=order)


def test_recording_what_is_recorded_agrees_with_it(world: World) -> None:
    intent = opened(world)
    order = world.venue.orders[intent.intent_id]
    world.clock.forward(seconds=1)
    assert book(world).record(intent, order=order) is Outcome.RECORDED
    assert conserved(world)


def test_recording_a_released_order_agrees_that_it_is_released(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["nothing"]
    world.placer.place(intent, worker="w")
    assert book(world).record(intent, order=world.venue.orders[intent.intent_id]) is Outcome.RELEASED


def test_a_sale_that_somebody_else_recorded_is_agreed_with(world: World) -> None:
    """Found by the models: the slot is empty by then, and "sell more than 0" was raised for nothing wrong."""
    opened(world)
    sale = closing(world)
    world.placer.place(sale, worker="w")
    world.clock.forward(seconds=1)
    assert book(world).record(sale, order=world.venue.orders[sale.intent_id]) is Outcome.RECORDED
    assert conserved(world)


def test_an_exit_without_its_slot_is_a_defect(world: World) -> None:
    opened(world)
    intent = closing(world)
    world.venue.script = ["fill_unseen"]
    world.placer.place(intent, worker="w")
    world.store.delete(Key(Slot, (MARKET, OWNER)))
    with pytest.raises(AssertionError, match="slot of EXIT"):
        world.settler.settle(intent.intent_id)
