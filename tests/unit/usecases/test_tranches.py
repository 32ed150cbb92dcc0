"""More of what is held: tranches from claim to record, against everything else that may happen to the position."""

from dataclasses import replace
from decimal import Decimal

import pytest

from surefill.domain.identity import tranche_intent_id
from surefill.domain.kinds import BotState, Leg
from surefill.domain.reasons import Reason
from surefill.domain.rows import Exposure, Intent, Slot
from surefill.domain.states import IntentState, SlotState
from surefill.protocol.entry import price_of
from surefill.protocol.tranche import claim_tranche
from surefill.protocol.transaction import Key, Update
from surefill.usecases.book import Outcome
from surefill.usecases.claim import claim
from surefill.usecases.exits import exit_intent
from tests.fakes.orders import entry_of, opened
from tests.fakes.rows import MARKET, OWNER, TICK, rules
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    """A position bought at 100 that may be added to."""
    made = World()
    opened(made)
    made.clock.forward(seconds=60)
    made.venue.quoted_at = made.clock.now()
    return made


def tranche(world: World) -> Intent:
    return entry_of(world, adds=True)


def claimed(world: World) -> Intent:
    intent = tranche(world)
    assert claim(intent, store=world.store, observer=world.observer).claimed
    return intent


def conserved(world: World) -> bool:
    money = world.money()
    return money.available + money.reserved + money.deployed == money.funded + money.realised


def test_a_tranche_grows_the_position_and_moves_its_levels_to_the_average(world: World) -> None:
    before = world.slot()
    world.venue.ask = world.venue.bid = Decimal(90)
    intent = claimed(world)
    assert world.slot().state is SlotState.ADDING
    assert world.placer.place(intent, worker="w") is Outcome.RECORDED
    after = world.slot()
    assert (after.state, after.tranches, after.last_price, after.last_at) == (
        SlotState.OPEN,
        2,
        Decimal(90),
        intent.tick,
    )
    assert after.quantity == before.quantity + intent.quantity * Decimal("0.999")
    assert after.bought == after.quantity
    average = after.cost / after.quantity
    assert before.take_profit is not None
    assert after.take_profit is not None
    assert after.take_profit < before.take_profit
    assert abs(after.take_profit - average * Decimal("1.03")) < Decimal("0.0001")
    assert world.money().open_positions == 1
    assert conserved(world)


def test_a_tranche_is_named_after_its_position_and_tick(world: World) -> None:
    intent = tranche(world)
    entry = world.slot().entry_intent_id
    assert entry is not None
    assert intent.intent_id == tranche_intent_id(entry_intent_id=entry, tick=intent.tick)
    assert (intent.leg, intent.entry_intent_id, intent.attempt) == (Leg.TRANCHE, entry, 1)


def test_the_same_tick_twice_adds_once(world: World) -> None:
    first = claimed(world)
    assert claim(first, store=world.store, observer=world.observer).claimed
    assert world.money().reserved == first.reserved


def test_while_a_tranche_is_on_its_way_nothing_is_sold_and_the_next_attempt_sells_all(world: World) -> None:
    stale = exit_intent(world.slot(), reason=Reason.STOP_LOSS, tick=TICK, now=world.clock.now(), rules=rules())
    intent = claimed(world)
    refused = claim(stale, store=world.store, observer=world.observer)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.SLOT_TAKEN
    world.placer.place(intent, worker="w")
    # Planned before the tranche, it knows less than what is held now: it must not sell a part and call the rest dust.
    assert not claim(stale, store=world.store, observer=world.observer).claimed
    fresh = exit_intent(world.slot(), reason=Reason.STOP_LOSS, tick=TICK, now=world.clock.now(), rules=rules())
    assert claim(fresh, store=world.store, observer=world.observer).claimed
    assert world.placer.place(fresh, worker="w") is Outcome.RECORDED
    assert world.slot().state is SlotState.EMPTY
    assert conserved(world)


def test_a_tranche_for_a_position_that_is_gone_is_refused(world: World) -> None:
    intent = tranche(world)
    sale = exit_intent(world.slot(), reason=Reason.MANUAL_EXIT, tick=TICK, now=world.clock.now(), rules=rules())
    claim(sale, store=world.store, observer=world.observer)
    world.placer.place(sale, worker="w")
    refused = claim(intent, store=world.store, observer=world.observer)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.SLOT_TAKEN
    assert world.money().reserved == 0


def test_a_second_tranche_waits_for_the_first(world: World) -> None:
    claimed(world)
    world.clock.forward(seconds=60)
    later = replace(tranche_of(world), attempt=1)
    assert not claim(later, store=world.store, observer=world.observer).claimed


def tranche_of(world: World) -> Intent:
    slot = world.slot()
    assert slot.entry_intent_id is not None
    entry = world.intent(slot.entry_intent_id)
    name = tranche_intent_id(entry_intent_id=slot.entry_intent_id, tick=world.clock.now())
    return replace(
        entry,
        intent_id=name,
        leg=Leg.TRANCHE,
        entry_intent_id=slot.entry_intent_id,
        tick=world.clock.now(),
        created_at=world.clock.now(),
        attempt=slot.tranches,
        state=IntentState.RESERVED,
    )


@pytest.mark.parametrize("state", [BotState.PAUSED, BotState.DRAINING, BotState.HALTED])
def test_a_bot_that_was_stopped_adds_nothing(world: World, state: BotState) -> None:
    intent = tranche(world)
    world.store.update(Update(key=Key(type(world.bot), (world.bot.bot_id,)), set={"state": state}))
    refused = claim(intent, store=world.store, observer=world.observer)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.BOT_NOT_ACTIVE


def test_a_tranche_that_fills_nothing_leaves_the_position_as_it_was(world: World) -> None:
    before = world.slot()
    intent = claimed(world)
    world.venue.script = ["nothing"]
    assert world.placer.place(intent, worker="w") is Outcome.RELEASED
    after = world.slot()
    assert (after.state, after.quantity, after.cost, after.tranches) == (
        SlotState.OPEN, before.quantity, before.cost, 1,
    )  # fmt: skip
    assert after.tranche_intent_id is None
    assert conserved(world)


def test_a_tranche_that_was_never_sent_is_given_back(world: World) -> None:
    intent = claimed(world)
    world.clock.forward(seconds=31)
    assert world.settler.settle(intent.intent_id) is Outcome.RELEASED
    assert world.slot().state is SlotState.OPEN
    assert world.money().reserved == 0
    assert world.money().open_positions == 1


def test_entries_switched_off_after_the_claim_stop_a_tranche_too(world: World) -> None:
    intent = claimed(world)
    world.store.replace(replace(world.money(), entries_allowed=False))
    assert world.placer.place(intent, worker="w") is Outcome.RELEASED
    assert world.intent(intent.intent_id).outcome is Reason.ENTRIES_OFF


def test_a_tranche_above_its_reservation_is_covered_and_stops_entries(world: World) -> None:
    intent = claimed(world)
    world.venue.ask = Decimal(120)
    assert world.placer.place(intent, worker="w") is Outcome.RECORDED
    assert not world.money().entries_allowed
    assert conserved(world)


def test_a_tranche_that_nothing_covers_holds_the_position(world: World) -> None:
    intent = claimed(world)
    world.store.replace(
        replace(world.money(), available=Decimal(0), funded=world.money().funded - world.money().available)
    )
    world.venue.ask = Decimal(500)
    assert world.placer.place(intent, worker="w") is Outcome.HELD
    slot = world.slot()
    assert (slot.state, slot.held_reason, slot.tranches) == (SlotState.HELD, Reason.OVERRUN, 2)
    assert world.settler.settle(intent.intent_id) is Outcome.HELD
    assert conserved(world)


def test_recording_a_tranche_twice_counts_once(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["fill_unseen"]
    world.placer.place(intent, worker="w")
    stale = world.intent(intent.intent_id)
    assert world.settler.settle(intent.intent_id) is Outcome.RECORDED
    order = world.venue.orders[intent.intent_id]
    once = world.slot()
    assert world.settler._book().record(stale, order=order) is Outcome.RECORDED
    assert world.slot() == once


def test_a_tranche_without_its_slot_is_a_defect(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["fill_unseen"]
    world.placer.place(intent, worker="w")
    world.store.delete(Key(Slot, (MARKET, OWNER)))
    with pytest.raises(AssertionError, match="slot of TRANCHE"):
        world.settler.settle(intent.intent_id)


def test_other_refusals_of_a_record_are_not_taken_for_an_overrun(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["fill_unseen"]
    world.placer.place(intent, worker="w")
    world.store.replace(replace(world.money(), reserved=Decimal(0)))
    with pytest.raises(AssertionError, match="could not be booked"):
        world.settler.settle(intent.intent_id)


def test_a_tranche_must_name_its_position(world: World) -> None:
    with pytest.raises(ValueError, match="must name the entry"):
        claim_tranche(replace(tranche(world), entry_intent_id=None))


def test_an_empty_slot_has_nothing_to_add_to(world: World) -> None:
    world.store.delete(Key(Slot, (MARKET, OWNER)))
    with pytest.raises(AssertionError, match="must hold a position to add to"):
        tranche(world)


def test_money_at_work_in_an_asset_is_limited_over_all_bots(world: World) -> None:
    made = World()
    made.store.replace(replace(made.money(), max_exposure_per_asset=Decimal(250)))
    first = entry_of(made)
    assert claim(first, store=made.store, observer=made.observer).claimed
    other = replace(first, intent_id="e" * 32, bot_id="other")
    made.store.insert(replace(made.bot, bot_id="other"))
    refused = claim(other, store=made.store, observer=made.observer)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.LIMIT_EXPOSURE
    assert refused.refusal.numbers["at_work"] == str(first.reserved)
    assert made.placer.place(first, worker="w") is Outcome.RECORDED
    at_work = made.store.get(Exposure, first.budget_id, "BTC")
    assert at_work is not None
    assert at_work.amount == made.slot().cost
    sale = exit_intent(made.slot(), reason=Reason.MANUAL_EXIT, tick=TICK, now=made.clock.now(), rules=rules())
    claim(sale, store=made.store, observer=made.observer)
    made.placer.place(sale, worker="w")
    nothing = made.store.get(Exposure, first.budget_id, "BTC")
    assert nothing is not None
    assert nothing.amount == 0


def test_a_drawdown_limit_stops_buying(world: World) -> None:
    intent = tranche(world)
    world.store.replace(replace(world.money(), realised=Decimal(-60), realised_floor=Decimal(-50)))
    refused = claim(intent, store=world.store, observer=world.observer)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.LIMIT_DRAWDOWN


def test_what_filled_nothing_has_no_price() -> None:
    from surefill.domain.fills import order_result
    from surefill.domain.kinds import Side

    nothing = order_result(
        venue_order_id="1", side=Side.BUY, base="BTC", quote="USDT", filled_quantity=Decimal(0), fills=()
    )
    with pytest.raises(ValueError, match="filled nothing"):
        price_of(nothing)


def test_the_day_of_a_budget_is_that_of_its_zone() -> None:
    made = World()
    made.clock.current = TICK.replace(hour=23)
    made.venue.quoted_at = made.clock.now()
    made.store.replace(replace(made.money(), time_zone="Europe/Berlin"))
    made.store.replace(rules(fetched_at=made.clock.now()))
    entry = entry_of(made)
    claim(entry, store=made.store, observer=made.observer)
    assert made.money().day == "2026-01-06"


def test_what_costs_more_than_reserved_counts_in_the_asset_too() -> None:
    made = World()
    made.store.replace(replace(made.money(), max_exposure_per_asset=Decimal(250)))
    first = entry_of(made)
    claim(first, store=made.store, observer=made.observer)
    made.venue.ask = Decimal(130)
    assert made.placer.place(first, worker="w") is Outcome.RECORDED
    at_work = made.store.get(Exposure, first.budget_id, "BTC")
    assert at_work is not None
    assert at_work.amount == made.slot().cost > first.reserved
