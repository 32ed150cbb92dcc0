"""The corners of the money path: what can't happen is refused loudly, what was done before is agreed with."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from surefill.domain.fills import FillError, OrderResult
from surefill.domain.money import AmountError, not_negative
from surefill.domain.orders import VenueError, VenueOrder
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account, AccountState, Bot, Budget, Fill, Intent, MarketRules, Mode, Side, Slot
from surefill.domain.states import INTENT_TRANSITIONS, IntentState, SlotState, require_transition
from surefill.ports import StoreUnavailableError
from surefill.protocol.entry import adopt_entry, claim_entry
from surefill.protocol.exit import claim_exit, closing_of
from surefill.protocol.funds import open_budget
from surefill.protocol.order import mark_accepted
from surefill.protocol.transaction import (
    FailedGuard,
    Guard,
    GuardFailedError,
    Key,
    Op,
    Put,
    Transaction,
    Update,
    _compare,
    holds,
)
from surefill.usecases.book import Book, Outcome
from surefill.usecases.claim import claim
from surefill.usecases.exits import exit_intent
from surefill.usecases.reconcile import Reconciler
from surefill.usecases.refusals import refusal_of
from surefill.usecases.settle import postpone
from tests.fakes.world import MARKET, OWNER, TICK, World, budget, rules
from tests.unit.usecases.test_order_life import claimed, closing, conserved, entry, opened


@pytest.fixture
def world() -> World:
    return World()


def book(world: World) -> Book:
    return Book(store=world.store, clock=world.clock, observer=world.observer)


# --- place -----------------------------------------------------------------------------------------------------------


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
    intent = entry(world)
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


# --- settle ----------------------------------------------------------------------------------------------------------


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


# --- book ------------------------------------------------------------------------------------------------------------


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


def test_an_exit_without_its_slot_is_a_defect(world: World) -> None:
    opened(world)
    intent = closing(world)
    world.venue.script = ["fill_unseen"]
    world.placer.place(intent, worker="w")
    world.store.delete(Key(Slot, (MARKET, OWNER)))
    with pytest.raises(AssertionError, match="slot of EXIT"):
        world.settler.settle(intent.intent_id)


def test_a_rest_of_unknown_market_stays_a_position(world: World) -> None:
    opened(world)
    intent = closing(world)
    world.store.delete(Key(MarketRules, (MARKET,)))
    world.venue.script = ["half"]
    world.placer.place(intent, worker="w")
    assert world.slot().state is SlotState.OPEN


def test_a_sale_that_fills_nothing_is_open_again(world: World) -> None:
    opened(world)
    world.venue.script = ["nothing"]
    assert world.placer.place(closing(world), worker="w") is Outcome.RELEASED
    assert (world.slot().state, world.slot().exit_attempt) == (SlotState.OPEN, 1)


def test_a_loss_on_a_new_day_starts_the_days_count(world: World) -> None:
    opened(world)
    world.clock.forward(days=1)
    world.venue.bid = Decimal(90)
    world.placer.place(closing(world), worker="w")
    money = world.money()
    assert (money.day, money.trades_today) == ("2026-01-06", 0)
    assert money.loss_today == -money.realised
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


# --- claim -----------------------------------------------------------------------------------------------------------


def test_an_exit_of_a_position_that_is_gone_is_refused(world: World) -> None:
    opened(world)
    late = exit_intent(world.slot(), reason=Reason.STOP_LOSS, tick=TICK, now=TICK, rules=rules())
    world.placer.place(closing(world, Reason.TAKE_PROFIT), worker="w")
    late = replace(late, intent_id="b" * 32)
    refused = claim(late, store=world.store, observer=world.observer)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.SLOT_TAKEN
    world.store.delete(Key(Slot, (MARKET, OWNER)))
    refused = claim(replace(late, intent_id="c" * 32), store=world.store, observer=world.observer)
    assert refused.refusal is not None


def test_an_exit_must_name_its_position(world: World) -> None:
    opened(world)
    intent = exit_intent(world.slot(), reason=Reason.STOP_LOSS, tick=TICK, now=TICK, rules=rules())
    with pytest.raises(ValueError, match="must name the entry of its position"):
        claim_exit(replace(intent, entry_intent_id=None))
    with pytest.raises(AssertionError, match="must have an entry"):
        exit_intent(
            Slot(market_key=MARKET, owner_key=OWNER), reason=Reason.STOP_LOSS, tick=TICK, now=TICK, rules=rules()
        )


def test_a_missing_budget_and_an_unknown_guard_have_their_words(world: World) -> None:
    intent = entry(world)
    world.store.delete(Key(Budget, (intent.budget_id,)))
    refused = claim(intent, store=world.store, observer=world.observer)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.BUDGET_MISSING
    strange = GuardFailedError(transaction="t", failed=(FailedGuard("moon_phase", Key(Bot, ("b",)), None),))
    assert refusal_of(strange, intent=intent).reason is Reason.CLAIM_BUSY


def test_on_a_new_day_the_budget_may_have_vanished(world: World) -> None:
    intent = entry(world)
    world.store.replace(budget(day="2020-01-01"))
    assert claim(intent, store=world.store, observer=world.observer).claimed


# --- the protocol's own assertions -----------------------------------------------------------------------------------


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
    intent = entry(world)
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


def test_the_claims_token_is_its_own_per_day(world: World) -> None:
    intent = entry(world)
    assert claim_entry(intent).token != claim_entry(intent, budget_day="2026-01-01").token


def test_accepting_keeps_the_venues_number(world: World) -> None:
    intent = claimed(world)
    world.store.replace(replace(intent, state=IntentState.SENT))
    row = world.store.update(mark_accepted(intent, venue_order_id="42", look_again_at=TICK + timedelta(seconds=1)))
    assert isinstance(row, Intent)
    assert row.venue_order_id == "42"


# --- reconcile -------------------------------------------------------------------------------------------------------


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
            replace(entry(world), intent_id=f"{index}" * 32, next_check_at="2020", state=IntentState.SENT)
        )

    class Slow:
        def settle(self, intent_id: str) -> Outcome:
            world.clock.forward(seconds=30)
            return Outcome.NOTHING

    reconciler = Reconciler(
        store=world.store, settler=Slow(), clock=world.clock, observer=world.observer  # type: ignore[arg-type]
    )  # fmt: skip
    assert reconciler.reconcile(tick=TICK) == {"NOTHING": 2}


def test_paper_and_live_share_no_key(world: World) -> None:
    """Incident N20."""
    live = entry(world)
    paper = replace(live, account_id="paper-binance-main")
    account = Account(account_id="paper-binance-main", venue="binance", mode=Mode.PAPER, currency="USDT")
    assert account.account_id.startswith("paper")
    from surefill.protocol.parts import slot_key_of

    assert slot_key_of(live) != slot_key_of(paper)


def test_a_sale_that_somebody_else_recorded_is_agreed_with(world: World) -> None:
    """Found by the models: the slot is empty by then, and "sell more than 0" was raised for nothing wrong."""
    opened(world)
    sale = closing(world)
    world.placer.place(sale, worker="w")
    world.clock.forward(seconds=1)
    assert book(world).record(sale, order=world.venue.orders[sale.intent_id]) is Outcome.RECORDED
    assert conserved(world)


def test_the_first_claims_of_a_day_do_not_refuse_each_other(world: World) -> None:
    """Found by the races: whoever lost the start of the day twice was refused, although there was money and room."""
    intent = entry(world)

    class Crowded:
        """Between our look at the budget and our claim, somebody else begins the day."""

        def __getattr__(self, name: str) -> object:
            return getattr(world.store, name)

        def commit(self, transaction: Transaction) -> None:
            days = [write.set.get("day") for write in transaction.writes if isinstance(write, Update)]
            if "2026-01-05" in days:
                world.store.replace(replace(world.money(), day="2026-01-05", trades_today=1))
            world.store.commit(transaction)

    assert claim(intent, store=Crowded(), observer=world.observer).claimed  # type: ignore[arg-type]
    assert world.money().trades_today == 2


def test_a_day_that_will_not_settle_ends_in_a_refusal(world: World) -> None:
    class Restless:
        def __getattr__(self, name: str) -> object:
            return getattr(world.store, name)

        def commit(self, transaction: Transaction) -> None:
            key = Key(Budget, ("live-binance-main-b",))
            raise GuardFailedError(transaction="t", failed=(FailedGuard("same_day", key, world.money()),))

    refused = claim(entry(world), store=Restless(), observer=world.observer)  # type: ignore[arg-type]
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.CLAIM_BUSY


def test_a_claim_stamped_before_midnight_does_not_turn_the_day_back(world: World) -> None:
    """The new day has begun without it: it counts there, under the new day's limits."""
    intent = entry(world)
    world.store.replace(budget(day="2026-01-06", trades_today=5, loss_today=Decimal(7), max_trades_per_day=6))
    assert claim(intent, store=world.store, observer=world.observer).claimed
    assert (world.money().day, world.money().trades_today, world.money().loss_today) == ("2026-01-06", 6, 7)
    world.store.replace(replace(world.slot(), state=SlotState.EMPTY))
    late = replace(intent, intent_id="d" * 32)
    refused = claim(late, store=world.store, observer=world.observer)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.LIMIT_TRADES


def test_a_loss_stamped_before_midnight_does_not_turn_the_day_back(world: World) -> None:
    opened(world)
    world.venue.bid = Decimal(90)
    sale = closing(world)
    world.store.replace(replace(world.money(), day="2026-01-06", loss_today=Decimal(7)))
    world.placer.place(sale, worker="w")
    assert world.money().day == "2026-01-06"
    assert world.money().loss_today == 7 - world.money().realised
