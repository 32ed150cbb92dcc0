"""Placing: posted at most once, in time, by whoever passed the gate; and what each answer of the venue leads to."""

from dataclasses import replace

import pytest

from surefill.domain.kinds import AccountState, OrderKind
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account
from surefill.domain.states import IntentState, SlotState
from surefill.protocol.funds import switch_entries
from surefill.protocol.transaction import FailedGuard, GuardFailedError, Key, Update
from surefill.usecases.book import Outcome
from surefill.usecases.claim import claim
from surefill.usecases.exits import exit_intent
from tests.fakes.orders import claimed, closing, conserved, entry_of, opened
from tests.fakes.rows import TICK, rules
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    return World()


def test_placing_twice_posts_once(world: World) -> None:
    """Incident N33."""
    intent = claimed(world)
    world.venue.script = ["fill_unseen"]
    assert world.placer.place(intent, worker="first") is Outcome.PENDING
    assert world.placer.place(intent, worker="second") is Outcome.PENDING
    assert len(world.venue.posts) == 1


def test_the_order_is_signed_with_the_moment_of_the_gate(world: World) -> None:
    opened(world)
    assert world.venue.posts[0].signed_at == TICK
    assert world.venue.posts[0].window_ms == 5_000


@pytest.mark.parametrize("answer", [Reason.BALANCE_SHORT, Reason.BELOW_MINIMUM, Reason.MARKET_CLOSED])
def test_a_definite_rejection_gives_everything_back(world: World, answer: Reason) -> None:
    intent = claimed(world)
    world.venue.script = [answer]
    assert world.placer.place(intent, worker="w") is Outcome.RELEASED
    assert world.intent(intent.intent_id).outcome is answer
    assert (world.slot().state, world.money().available) == (SlotState.EMPTY, 1000)
    assert conserved(world)


def test_rejected_credentials_block_the_account_and_keep_positions(world: World) -> None:
    """Incident N25."""
    opened(world)
    exit_ = closing(world)
    world.venue.script = [Reason.CREDENTIALS_REJECTED]
    world.placer.place(exit_, worker="w")
    account = world.store.get(Account, "live-binance-main")
    assert account is not None
    assert account.state is AccountState.AUTH_FAILED
    assert world.slot().state is SlotState.OPEN
    assert world.slot().exit_attempt == 1


def test_what_never_left_is_taken_back_at_once(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["not_sent"]
    assert world.placer.place(intent, worker="w") is Outcome.RELEASED
    assert world.money().available == 1000


def test_an_existing_client_id_is_evidence_to_look_for(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["duplicate"]
    assert world.placer.place(intent, worker="w") is Outcome.PENDING
    assert world.intent(intent.intent_id).state is IntentState.UNKNOWN


def test_an_unsent_order_is_not_sent_after_its_time(world: World) -> None:
    intent = claimed(world)
    world.clock.forward(seconds=26)
    assert world.placer.place(intent, worker="w") is Outcome.RELEASED
    assert not world.venue.posts
    assert world.money().available == 1000


def test_a_second_start_of_a_claimed_exit_does_not_outlive_its_deadline(world: World) -> None:
    """Found by simulation: the exit of the next minute has the same name and a deadline of its own."""
    opened(world)
    closing(world)
    world.clock.forward(seconds=59)
    again = exit_intent(world.slot(), reason=Reason.TAKE_PROFIT, tick=TICK, now=world.clock.now(), rules=rules())
    assert claim(again, store=world.store, observer=world.observer).claimed
    posted = len(world.venue.posts)
    assert world.placer.place(again, worker="late") is Outcome.PENDING
    assert len(world.venue.posts) == posted
    assert world.settler.settle(again.intent_id) is Outcome.RELEASED
    assert world.slot().state is SlotState.OPEN


def test_entries_switched_off_after_the_claim_are_not_sent(world: World) -> None:
    intent = claimed(world)
    world.store.update(switch_entries(intent.budget_id, allowed=False))
    assert world.placer.place(intent, worker="w") is Outcome.RELEASED
    assert not world.venue.posts
    assert world.intent(intent.intent_id).outcome is Reason.ENTRIES_OFF


def test_exits_go_on_while_entries_are_off(world: World) -> None:
    opened(world)
    world.store.update(switch_entries("live-binance-main-b", allowed=False))
    assert world.placer.place(closing(world), worker="w") is Outcome.RECORDED


def test_two_exits_are_one_sale(world: World) -> None:
    """Incident N34: take profit and a manual close at the same moment."""
    opened(world)
    first, second = (
        closing(world),
        exit_intent(
            replace(world.slot(), state=SlotState.OPEN), reason=Reason.MANUAL_EXIT, tick=TICK, now=TICK, rules=rules()
        ),
    )
    assert first.intent_id == second.intent_id
    assert claim(second, store=world.store, observer=world.observer).claimed
    world.placer.place(first, worker="a")
    world.placer.place(second, worker="b")
    assert len([post for post in world.venue.posts if post.kind is OrderKind.MARKET]) == 1


def test_a_sale_the_balance_does_not_cover_holds_the_position(world: World) -> None:
    """Incident N35: a human sold the coins."""
    opened(world)
    world.venue.script = [Reason.BALANCE_SHORT]
    assert world.placer.place(closing(world), worker="w") is Outcome.HELD
    assert (world.slot().state, world.slot().held_reason) == (SlotState.HELD, Reason.BALANCE_SHORT)
    assert world.money().deployed > 0


def test_an_order_of_an_account_that_is_gone_is_a_defect(world: World) -> None:
    intent = claimed(world)
    world.store.delete(Key(Account, (intent.account_id,)))
    with pytest.raises(AssertionError, match="must exist"):
        world.placer.place(intent, worker="w")
    replaced = replace(world.intent(intent.intent_id), state=IntentState.SENT)
    world.store.replace(replaced)
    with pytest.raises(AssertionError, match="must exist"):
        world.settler.settle(intent.intent_id)


@pytest.mark.parametrize(
    ("reason", "state"),
    [(Reason.CREDENTIALS_REJECTED, AccountState.AUTH_FAILED), (Reason.VENUE_DOWN, AccountState.OK)],
)
def test_without_an_adapter_nothing_is_sent_and_the_reason_is_kept(
    world: World, reason: Reason, state: AccountState
) -> None:
    class NoVenues:
        def of_account(self, account: Account) -> None:
            raise VenueError(reason, "secret can't be read")

    intent = claimed(world)
    placer = replace(world.placer, venues=NoVenues())  # type: ignore[arg-type]
    assert placer.place(intent, worker="w") is Outcome.RELEASED
    assert world.intent(intent.intent_id).outcome is reason
    account = world.store.get(Account, intent.account_id)
    assert account is not None
    assert account.state is state


def test_an_order_that_was_never_claimed_is_not_sent(world: World) -> None:
    intent = entry_of(world)
    assert world.placer.place(intent, worker="w") is Outcome.PENDING
    world.clock.forward(minutes=1)
    assert world.placer.place(intent, worker="w") is Outcome.NOTHING
    assert not world.venue.posts


def test_an_order_already_sent_is_left_to_settling_even_when_late(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["lost"]
    world.placer.place(intent, worker="w")
    world.clock.forward(minutes=1)
    assert world.placer.place(intent, worker="again") is Outcome.PENDING


def test_a_lost_reply_of_the_gate_does_not_lose_the_order(world: World) -> None:
    """The resend of our own write fails on our own state: the row carries our name, so we may post."""
    intent = claimed(world)

    class Resent:
        def __getattr__(self, name: str) -> object:
            return getattr(world.store, name)

        def update(self, update: Update) -> object:
            row = world.store.update(update)
            if update.set.get("state") is not IntentState.SENT:
                return row
            raise GuardFailedError(transaction="gate", failed=(FailedGuard("not_sent_yet", update.key, row),))

    placer = replace(world.placer, store=Resent())  # type: ignore[arg-type]
    assert placer.place(intent, worker="w") is Outcome.RECORDED
    assert len(world.venue.posts) == 1
