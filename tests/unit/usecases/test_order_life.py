"""One order from claim to record, through everything a venue may answer."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account, AccountState, Intent, LedgerEntry, OrderKind
from surefill.domain.states import IntentState, SlotState
from surefill.domain.times import parse_time
from surefill.protocol.funds import switch_entries
from surefill.protocol.transaction import Key, Update
from surefill.usecases.book import Outcome
from surefill.usecases.claim import claim
from surefill.usecases.exits import exit_intent
from surefill.usecases.reconcile import Reconciler
from tests.fakes.world import TICK, World, entry_of, rules


@pytest.fixture
def world() -> World:
    return World()


def entry(world: World) -> Intent:
    return entry_of(world)


def claimed(world: World) -> Intent:
    intent = entry(world)
    assert claim(intent, store=world.store, observer=world.observer).claimed
    return intent


def opened(world: World) -> Intent:
    intent = claimed(world)
    assert world.placer.place(intent, worker="w") is Outcome.RECORDED
    return intent


def conserved(world: World) -> bool:
    money = world.money()
    entries = list(world.store.ledger_of(money.budget_id))
    folded = sum((row.available for row in entries), Decimal(1000))
    return (
        money.available + money.reserved + money.deployed == money.funded + money.realised
        and folded == money.available
        and min(money.available, money.reserved, money.deployed) >= 0
    )


def closing(world: World, reason: Reason = Reason.TAKE_PROFIT) -> Intent:
    intent = exit_intent(world.slot(), reason=reason, tick=TICK, now=world.clock.now(), rules=rules())
    assert claim(intent, store=world.store, observer=world.observer).claimed
    return intent


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


def test_claiming_twice_reserves_once(world: World) -> None:
    intent = claimed(world)
    again = claim(intent, store=world.store, observer=world.observer)
    assert again.claimed
    assert world.money().reserved == intent.reserved


def test_a_second_bot_cannot_spend_the_same_money(world: World) -> None:
    """Incident N11: the reservation is the approval."""
    world.store.replace(replace(world.money(), available=Decimal(250), funded=Decimal(250)))
    first = claimed(world)
    second = replace(first, intent_id="f" * 32, bot_id="other", reserved=Decimal(100))
    world.store.insert(replace(world.bot, bot_id="other"))
    world.store.replace(replace(world.money(), available=Decimal(50)))
    refused = claim(second, store=world.store, observer=world.observer)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.BUDGET_TOO_SMALL
    assert (refused.refusal.numbers["need"], refused.refusal.numbers["have"]) == ("100", "50")


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


def test_a_claim_whose_worker_died_is_released_after_the_deadline(world: World) -> None:
    intent = claimed(world)
    assert world.settler.settle(intent.intent_id) is Outcome.PENDING
    world.clock.forward(seconds=31)
    assert world.settler.settle(intent.intent_id) is Outcome.RELEASED
    assert world.intent(intent.intent_id).outcome is Reason.NEVER_SENT


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


def test_dust_is_recorded_and_does_not_block_the_slot(world: World) -> None:
    """Incident N36: what the fee leaves below one step."""
    opened(world)
    assert world.slot().quantity % Decimal("0.001") != 0
    world.placer.place(closing(world), worker="w")
    dust = [row.dust for row in world.store.ledger_of("live-binance-main-b") if row.dust]
    assert world.slot().state is SlotState.EMPTY
    assert len(dust) == 1
    assert 0 < dust[0] < Decimal("0.001")


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


def test_a_resting_limit_order_is_cancelled_after_its_lifetime(world: World) -> None:
    intent = replace(entry(world), kind=OrderKind.LIMIT)
    assert claim(intent, store=world.store, observer=world.observer).claimed
    world.venue.script = ["resting"]
    assert world.placer.place(intent, worker="w") is Outcome.PENDING
    assert world.settler.settle(intent.intent_id) is Outcome.PENDING
    world.clock.forward(minutes=3)
    world.settler.settle(intent.intent_id)
    assert world.settler.settle(intent.intent_id) is Outcome.RELEASED
    assert world.intent(intent.intent_id).state is IntentState.EMPTY


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


def test_a_voided_order_that_did_fill_is_adopted(world: World) -> None:
    from surefill.usecases.book import Book

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


def test_a_ledger_entry_that_does_not_conserve_cannot_exist() -> None:
    with pytest.raises(AssertionError, match="must conserve money"):
        LedgerEntry(budget_id="b", entry_key="e", at=TICK, available=Decimal(1))


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


def test_settle_of_something_never_claimed_is_nothing(world: World) -> None:
    assert world.settler.settle("0" * 32) is Outcome.NOTHING


def test_a_bot_that_was_paused_meanwhile_does_not_claim(world: World) -> None:
    intent = entry(world)
    world.store.update(Update(key=Key(type(world.bot), ("trend",)), set={"state": "PAUSED"}))
    refused = claim(intent, store=world.store, observer=world.observer)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.BOT_NOT_ACTIVE


def test_the_first_seconds_after_sending_prove_nothing(world: World) -> None:
    intent = claimed(world)
    world.venue.script = ["lost"]
    world.placer.place(intent, worker="w")
    world.clock.current = TICK + timedelta(seconds=14)
    world.settler.settle(intent.intent_id)
    assert world.intent(intent.intent_id).absent_since is None
