"""Reconciling: what a workflow left is settled, in time, and no order stands in another's way."""

from dataclasses import replace

import pytest

from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.states import IntentState
from surefill.domain.times import parse_time
from surefill.ports import StoreUnavailableError
from surefill.usecases.book import Outcome
from surefill.usecases.reconcile import Reconciler
from tests.fakes.orders import claimed, entry_of
from tests.fakes.rows import TICK
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    return World()


def test_reconcile_settles_what_the_workflow_left(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["fill_unseen"]
    world.placer.place(intent, worker="w")
    world.clock.forward(minutes=1)
    reconciler = Reconciler(store=world.store, settler=world.settler, clock=world.clock, observer=world.observer)
    assert reconciler.reconcile(tick=world.clock.now()) == {"RECORDED": 1}
    assert reconciler.reconcile(tick=world.clock.now()) == {}
    assert Reason.RECOVERED in world.observer.reasons()


def test_reconcile_postpones_what_stays_open_and_reports_its_age(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["fill_unseen"]
    world.placer.place(intent, worker="w")
    world.venue.look_error = VenueError(Reason.VENUE_DOWN, "down")
    world.clock.forward(minutes=2)
    reconciler = Reconciler(store=world.store, settler=world.settler, clock=world.clock, observer=world.observer)
    assert reconciler.reconcile(tick=world.clock.now()) == {"PENDING": 1}
    assert ("OldestUnfinishedAgeSeconds", 120.0) in world.observer.metrics
    check = world.intent(intent.intent_id).next_check_at
    assert check is not None
    assert parse_time(check) > world.clock.now()


def test_one_intent_that_cannot_be_settled_does_not_stop_the_others(world: World) -> None:
    first = claimed(world)

    class Broken:
        def settle(self, intent_id: str) -> Outcome:
            raise StoreUnavailableError("away")

    world.clock.forward(minutes=1)
    reconciler = Reconciler(
        store=world.store, settler=Broken(), clock=world.clock, observer=world.observer  # type: ignore[arg-type]
    )  # fmt: skip
    assert reconciler.reconcile(tick=TICK) == {"FAILED": 1}
    assert world.intent(first.intent_id).state is IntentState.RESERVED


def test_an_intent_that_keeps_failing_is_put_behind_the_others(world: World) -> None:
    """Found in simulation: one intent that raised something unexpected stayed first and stopped every pass."""
    world.venue.script = ["fill_unseen"]
    first = claimed(world)
    world.placer.place(first, worker="w")

    class Broken:
        def settle(self, intent_id: str) -> Outcome:
            raise ArithmeticError("digits")

    world.clock.forward(minutes=1)
    before = world.intent(first.intent_id).next_check_at
    reconciler = Reconciler(
        store=world.store, settler=Broken(), clock=world.clock, observer=world.observer  # type: ignore[arg-type]
    )  # fmt: skip
    assert reconciler.reconcile(tick=TICK) == {"FAILED": 1}
    after = world.intent(first.intent_id).next_check_at
    assert before is not None
    assert after is not None
    assert after > before


def test_reconcile_stops_in_time(world: World) -> None:
    for index in range(3):
        world.store.insert(
            replace(entry_of(world), intent_id=f"{index}" * 32, next_check_at="2020", state=IntentState.SENT)
        )

    class Slow:
        def settle(self, intent_id: str) -> Outcome:
            world.clock.forward(seconds=30)
            return Outcome.NOTHING

    reconciler = Reconciler(
        store=world.store, settler=Slow(), clock=world.clock, observer=world.observer  # type: ignore[arg-type]
    )  # fmt: skip
    assert reconciler.reconcile(tick=TICK) == {"NOTHING": 2}
