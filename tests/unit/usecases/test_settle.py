"""Settling: an order is looked for until there is proof of what became of it, and never posted again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from surefill.domain.kinds import AccountState, OrderKind
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account
from surefill.domain.states import IntentState, SlotState
from surefill.protocol.transaction import Transaction
from surefill.usecases.book import Outcome
from surefill.usecases.claim import claim
from surefill.usecases.settle import postpone
from tests.fakes.orders import claimed, conserved, entry_of, opened
from tests.fakes.rows import TICK
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    return World()


def test_a_lost_reply_is_found_and_recorded(world: World) -> None:
    """Incident N17: filled at the exchange, pending in the tables."""
    intent = claimed(world)
    world.venue.script = ["fill_unseen"]
    world.placer.place(intent, worker="w")
    assert world.intent(intent.intent_id).state is IntentState.UNKNOWN
    assert world.settler.settle(intent.intent_id) is Outcome.RECORDED
    assert world.slot().state is SlotState.OPEN
    assert world.settler.settle(intent.intent_id) is Outcome.RECORDED
    assert conserved(world)


def test_a_lost_request_is_void_only_with_proof(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["lost"]
    world.placer.place(intent, worker="w")
    seconds = []
    for _ in range(12):
        if world.settler.settle(intent.intent_id) is not Outcome.PENDING:
            break
        assert world.money().reserved == intent.reserved
        seconds.append((world.clock.now() - TICK).total_seconds())
        world.clock.forward(seconds=5)
    stored = world.intent(intent.intent_id)
    assert (stored.state, stored.outcome) == (IntentState.VOID, Reason.PROVEN_ABSENT)
    assert max(seconds) >= 25  # window 5 s + lag 10 s, then a second denial 10 s later
    assert world.money().available == 1000
    assert conserved(world)


def test_the_first_seconds_after_sending_prove_nothing(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["lost"]
    world.placer.place(intent, worker="w")
    world.clock.current = TICK + timedelta(seconds=14)
    world.settler.settle(intent.intent_id)
    assert world.intent(intent.intent_id).absent_since is None


def test_an_order_that_only_the_lists_know_is_not_voided(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["fill_unseen"]
    world.placer.place(intent, worker="w")
    world.venue.hidden.add(intent.intent_id)
    outcome = Outcome.PENDING
    for _ in range(12):
        outcome = world.settler.settle(intent.intent_id)
        world.clock.forward(seconds=5)
        if outcome is not Outcome.PENDING:
            break
    assert outcome is Outcome.RECORDED
    assert world.slot().state is SlotState.OPEN


def test_while_the_venue_does_not_answer_nothing_is_concluded(world: World) -> None:
    """Incident N26: unknowns stay unknown."""
    intent = claimed(world)
    world.venue.script = ["lost"]
    world.placer.place(intent, worker="w")
    world.venue.look_error = VenueError(Reason.MAINTENANCE, "503")
    for _ in range(20):
        world.clock.forward(minutes=5)
        assert world.settler.settle(intent.intent_id) is Outcome.PENDING
    assert world.money().reserved == intent.reserved


def test_a_claim_whose_worker_died_is_released_after_the_deadline(world: World) -> None:
    intent = claimed(world)
    assert world.settler.settle(intent.intent_id) is Outcome.PENDING
    world.clock.forward(seconds=31)
    assert world.settler.settle(intent.intent_id) is Outcome.RELEASED
    assert world.intent(intent.intent_id).outcome is Reason.NEVER_SENT


def test_settle_of_something_never_claimed_is_nothing(world: World) -> None:
    assert world.settler.settle("0" * 32) is Outcome.NOTHING


def test_a_resting_limit_order_is_cancelled_after_its_lifetime(world: World) -> None:
    intent = replace(entry_of(world), kind=OrderKind.LIMIT)
    assert claim(intent, store=world.store, observer=world.observer).claimed
    world.venue.script = ["resting"]
    assert world.placer.place(intent, worker="w") is Outcome.PENDING
    assert world.settler.settle(intent.intent_id) is Outcome.PENDING
    world.clock.forward(minutes=3)
    world.settler.settle(intent.intent_id)
    assert world.settler.settle(intent.intent_id) is Outcome.RELEASED
    assert world.intent(intent.intent_id).state is IntentState.EMPTY


def test_rejected_credentials_found_while_settling_block_the_account(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["fill_unseen"]
    world.placer.place(intent, worker="w")
    world.venue.look_error = VenueError(Reason.CREDENTIALS_REJECTED, "-2015")
    assert world.settler.settle(intent.intent_id) is Outcome.PENDING
    account = world.store.get(Account, intent.account_id)
    assert account is not None
    assert account.state is AccountState.AUTH_FAILED
    assert world.money().reserved == intent.reserved


def test_fills_that_do_not_add_up_yet_are_waited_for(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["fill_unseen"]
    world.placer.place(intent, worker="w")
    complete = world.venue.orders[intent.intent_id]
    world.venue.orders[intent.intent_id] = replace(complete, fills=())
    assert world.settler.settle(intent.intent_id) is Outcome.PENDING
    world.venue.orders[intent.intent_id] = replace(complete, fills=None)
    assert world.settler.settle(intent.intent_id) is Outcome.PENDING
    assert world.intent(intent.intent_id).state is IntentState.ACCEPTED
    world.venue.orders[intent.intent_id] = complete
    assert world.settler.settle(intent.intent_id) is Outcome.RECORDED


def test_a_market_order_still_open_is_not_cancelled(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["resting"]
    world.placer.place(intent, worker="w")
    world.clock.forward(minutes=10)
    assert world.settler.settle(intent.intent_id) is Outcome.PENDING
    assert not world.venue.orders[intent.intent_id].finished


def test_an_accepted_order_that_disappears_is_never_voided(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["resting"]
    world.placer.place(intent, worker="w")
    world.venue.orders.clear()
    for _ in range(30):
        world.clock.forward(minutes=1)
        assert world.settler.settle(intent.intent_id) is Outcome.PENDING
    assert world.intent(intent.intent_id).state is IntentState.ACCEPTED


def test_an_unsent_order_that_is_sent_while_it_is_being_voided_is_looked_for(world: World) -> None:
    intent = claimed(world)
    world.clock.forward(minutes=1)

    class Slow:
        def __getattr__(self, name: str) -> object:
            return getattr(world.store, name)

        def commit(self, transaction: Transaction) -> None:
            world.store.replace(replace(world.intent(intent.intent_id), state=IntentState.SENT, sent_at=TICK))
            world.store.commit(transaction)

    settler = replace(world.settler, store=Slow())  # type: ignore[arg-type]
    assert settler.settle(intent.intent_id) is Outcome.PENDING


def test_a_void_that_fails_for_no_known_reason_is_a_defect(world: World) -> None:
    intent = claimed(world)
    world.clock.forward(minutes=1)
    world.store.replace(replace(world.slot(), entry_intent_id="0" * 32))
    with pytest.raises(AssertionError, match="could not be booked"):
        world.settler.settle(intent.intent_id)


def test_a_step_that_somebody_else_made_is_told_and_not_repeated(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["fill_unseen"]
    world.placer.place(intent, worker="w")
    order = world.venue.orders[intent.intent_id]
    world.venue.orders[intent.intent_id] = replace(order, finished=False)
    before = world.intent(intent.intent_id)
    world.settler.settle(intent.intent_id)
    world.settler._found(before, order=replace(order, finished=False), venue=world.venue)
    assert Reason.CLAIM_BUSY in world.observer.reasons()


def test_a_finished_order_is_not_postponed(world: World) -> None:
    intent = opened(world)
    postpone(intent, store=world.store, clock=world.clock)
    assert world.intent(intent.intent_id).next_check_at is None
