"""Orders that wait at the venue for their price: a grid's buys and sales."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from surefill.domain.kinds import OrderKind
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent, Slot
from surefill.domain.states import IntentState, SlotState
from surefill.protocol.order import rest_no_longer
from surefill.strategies.base import Rung
from surefill.usecases.book import Outcome
from surefill.usecases.claim import claim
from surefill.usecases.exits import exit_intent
from surefill.usecases.reconcile import Reconciler
from tests.fakes.rows import MARKET, OWNER, TICK, rules
from tests.fakes.world import World

RUNG = Rung(name="r07", buy_price=Decimal(95), sell_price=Decimal(97))


@pytest.fixture
def world() -> World:
    return World()


def resting(world: World) -> Intent:
    intent = world.planner.plan_rung(world.bot, slot=rung_slot(world), rung=RUNG)
    assert isinstance(intent, Intent), intent
    assert claim(intent, store=world.store, observer=world.observer).claimed
    world.venue.script = ["resting"]
    assert world.placer.place(intent, worker="w") is Outcome.RESTING
    return world.intent(intent.intent_id)


def rung_slot(world: World) -> Slot:
    key = f"{OWNER}|{RUNG.name}"
    return world.store.get(Slot, MARKET, key) or Slot(market_key=MARKET, owner_key=key)


def filled(world: World, intent: Intent) -> None:
    """The market reached the order's price."""
    order = world.venue.orders[intent.intent_id]
    price = intent.limit_price
    assert price is not None
    world.venue.ask = world.venue.bid = price
    whole = world.venue._execute(world.venue.posts[-1], share=Decimal(1))
    world.venue.orders[intent.intent_id] = replace(whole, venue_order_id=order.venue_order_id)


def test_a_rung_has_a_place_of_its_own(world: World) -> None:
    intent = resting(world)
    assert (intent.kind, intent.limit_price, intent.rung) == (OrderKind.LIMIT, Decimal(95), "r07")
    assert rung_slot(world).state is SlotState.OPENING
    assert rung_slot(world).rung == "r07"
    assert world.slot().state is SlotState.EMPTY
    assert world.money().reserved == intent.reserved


def test_it_rests_until_its_price_comes_and_is_booked_then(world: World) -> None:
    intent = resting(world)
    world.clock.forward(hours=5)
    assert world.settler.settle(intent.intent_id) is Outcome.RESTING
    filled(world, intent)
    assert world.settler.settle(intent.intent_id) is Outcome.RECORDED
    assert rung_slot(world).state is SlotState.OPEN


def test_reconcile_looks_once_a_minute_and_does_not_call_it_late(world: World) -> None:
    intent = resting(world)
    world.clock.forward(hours=5)
    reconciler = Reconciler(store=world.store, settler=world.settler, clock=world.clock, observer=world.observer)
    reconciler.reconcile(tick=world.clock.now())
    assert ("OldestUnfinishedAgeSeconds", 0.0) in world.observer.metrics
    assert not world.store.unfinished_intents(due_until=world.clock.now() + timedelta(seconds=50))
    assert list(world.store.unfinished_intents(due_until=world.clock.now() + timedelta(seconds=61))) == [
        intent.intent_id
    ]


def test_it_is_cancelled_when_its_time_is_over(world: World) -> None:
    intent = resting(world)
    world.clock.forward(days=8)
    assert world.settler.settle(intent.intent_id) is Outcome.PENDING
    assert world.settler.settle(intent.intent_id) is Outcome.RELEASED
    assert rung_slot(world).state is SlotState.EMPTY
    assert world.money().reserved == 0


def test_it_can_be_called_back(world: World) -> None:
    intent = resting(world)
    world.clock.forward(minutes=1)
    world.store.update(rest_no_longer(intent, now=world.clock.now()))
    assert intent.intent_id in world.store.unfinished_intents(due_until=world.clock.now())
    world.clock.forward(seconds=1)
    assert world.settler.settle(intent.intent_id) is Outcome.PENDING
    assert world.settler.settle(intent.intent_id) is Outcome.RELEASED


def test_a_sale_rests_at_its_price(world: World) -> None:
    bought = resting(world)
    filled(world, bought)
    world.settler.settle(bought.intent_id)
    sale = exit_intent(
        rung_slot(world),
        reason=Reason.GRID_SELL,
        tick=TICK,
        now=world.clock.now(),
        rules=rules(),
        limit_price=Decimal(97),
    )
    assert claim(sale, store=world.store, observer=world.observer).claimed
    world.venue.script = ["resting"]
    assert world.placer.place(sale, worker="w") is Outcome.RESTING
    assert rung_slot(world).state is SlotState.CLOSING
    stored = world.intent(sale.intent_id)
    assert (stored.kind, stored.state, stored.rung) == (OrderKind.LIMIT, IntentState.ACCEPTED, "r07")
    filled(world, stored)
    assert world.settler.settle(sale.intent_id) is Outcome.RECORDED
    assert rung_slot(world).state is SlotState.EMPTY
    assert world.money().open_positions == 0
    assert world.money().realised > 0
