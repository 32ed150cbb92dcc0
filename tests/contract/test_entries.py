"""Claim, record, release and adopt of a buy, with every guard failing once and named with the numbers it saw."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from surefill.domain.kinds import BotState
from surefill.domain.money import ZERO
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, Budget, Intent, Slot
from surefill.domain.states import IntentState, SlotState
from surefill.ports import Store
from surefill.protocol.entry import adopt_entry, claim_entry, record_entry, record_entry_held, release_entry
from surefill.protocol.funds import switch_entries
from surefill.protocol.order import mark_absent, mark_accepted, mark_unknown, send_gate
from surefill.protocol.parts import slot_key_of
from surefill.protocol.transaction import GuardFailedError, Transaction, Update
from tests.contract.world import T0, World, at, budget_of, fill, result_of, send, slot_of


def refused(store: Store, transaction: Transaction) -> GuardFailedError:
    """The refusal of a transaction; the budget must be as before."""
    with pytest.raises(GuardFailedError) as caught:
        store.commit(transaction)
    assert caught.value.transaction == transaction.name
    return caught.value


def test_claim_reserves_takes_the_slot_and_writes_intent_and_ledger(store: Store, world: World) -> None:
    intent = world.entry()
    store.commit(claim_entry(intent))
    budget, slot = budget_of(store, world), slot_of(store, intent)
    assert (budget.available, budget.reserved) == (Decimal(900), Decimal(100))
    assert (budget.open_positions, budget.trades_today) == (1, 1)
    assert (slot.state, slot.entry_intent_id, slot.bot_id) == (SlotState.OPENING, intent.intent_id, world.bot_id)
    assert store.get(Intent, intent.intent_id) == intent
    assert {entry.entry_key: entry.reserved for entry in store.ledger_of(world.budget_id)} == {
        "funds#first": Decimal(0),
        f"{intent.intent_id}#claim": Decimal(100),
    }


def _spend(store: Store, world: World) -> None:
    store.commit(claim_entry(world.entry(symbol="ETH/USDT", reserved="950")))


def _switch_off(store: Store, world: World) -> None:
    store.update(switch_entries(world.budget_id, allowed=False))


def _pause(store: Store, world: World) -> None:
    store.replace(world.bot(state=BotState.PAUSED, cadence_key=None))


def _limit(**limits: object) -> Callable[[Store, World], None]:
    def arrange(store: Store, world: World) -> None:
        store.replace(replace(budget_of(store, world), **limits))  # type: ignore[arg-type]

    return arrange


def _take(store: Store, world: World) -> None:
    store.commit(claim_entry(world.entry(tick=T0 - timedelta(seconds=60), reserved="1")))


@pytest.mark.parametrize(
    ("arrange", "guard", "row", "numbers"),
    [
        (_spend, "available_covers", Budget, {"available": Decimal(50), "reserved": Decimal(950)}),
        (_switch_off, "entries_allowed", Budget, {"entries_allowed": False}),
        (_limit(max_open_positions=0), "open_positions_below_limit", Budget, {"max_open_positions": 0}),
        (_limit(max_trades_per_day=3, trades_today=3), "trades_below_limit", Budget, {"trades_today": 3}),
        (
            _limit(max_daily_loss=Decimal("20.5"), loss_today=Decimal("20.50")),
            "loss_below_limit",
            Budget,
            {"loss_today": Decimal("20.5")},
        ),
        (_limit(day="2026-11-19"), "same_day", Budget, {"day": "2026-11-19"}),
        (_take, "slot_empty", Slot, {"state": SlotState.OPENING}),
        (_pause, "bot_active", Bot, {"state": BotState.PAUSED}),
    ],
)
def test_each_guard_of_a_claim_refuses_alone_and_says_what_it_saw(
    store: Store,
    world: World,
    arrange: Callable[[Store, World], None],
    guard: str,
    row: type[Budget | Slot | Bot],
    numbers: dict[str, object],
) -> None:
    arrange(store, world)
    before, intent = budget_of(store, world), world.entry()
    error = refused(store, claim_entry(intent))
    assert error.names() == {guard}
    seen = error.row_of(row)
    assert {name: getattr(seen, name) for name in numbers} == numbers
    assert budget_of(store, world) == before
    assert store.get(Intent, intent.intent_id) is None


def test_a_claim_whose_intent_exists_is_refused_with_the_stored_one(store: Store, world: World) -> None:
    intent = world.entry()
    store.commit(claim_entry(intent))
    store.commit(release_entry(intent, to=IntentState.VOID, outcome=Reason.NEVER_SENT, now=at(40)))
    error = refused(store, claim_entry(replace(intent, created_at=at(50))))
    assert error.names() == {"intent_is_new", "is_new"}
    stored = error.row_of(Intent)
    assert isinstance(stored, Intent)
    assert stored.state is IntentState.VOID


def test_all_guards_that_fail_are_named_at_once(store: Store, world: World) -> None:
    _limit(max_open_positions=0, entries_allowed=False)(store, world)
    _pause(store, world)
    store.update(Update(key=slot_key_of(world.entry()), set={"state": SlotState.HELD}))
    error = refused(store, claim_entry(world.entry(reserved="5000")))
    assert error.names() == {
        "available_covers",
        "entries_allowed",
        "open_positions_below_limit",
        "slot_empty",
        "bot_active",
    }


def test_a_claim_without_budget_or_bot_names_their_guards_without_a_row(store: Store) -> None:
    error = refused(store, claim_entry(World().entry()))
    assert {"available_covers", "entries_allowed", "bot_active"} <= error.names()
    assert {guard.row for guard in error.failed} == {None}


def test_a_budget_without_limits_passes_and_zero_of_one_passes_once(store: Store, world: World) -> None:
    _limit(max_open_positions=1, max_trades_per_day=1, max_daily_loss=Decimal(1))(store, world)
    store.commit(claim_entry(world.entry()))
    error = refused(store, claim_entry(world.entry(symbol="ETH/USDT")))
    assert error.names() == {"open_positions_below_limit", "trades_below_limit"}


def test_the_first_claim_of_a_day_starts_the_daily_numbers_anew(store: Store, world: World) -> None:
    _limit(day="2026-11-19", trades_today=9, loss_today=Decimal(50), max_trades_per_day=9, max_daily_loss=Decimal(50))(
        store, world
    )
    store.commit(claim_entry(world.entry(), budget_day="2026-11-19"))
    budget = budget_of(store, world)
    assert (budget.day, budget.trades_today, budget.loss_today) == ("2026-11-20", 1, Decimal(0))
    error = refused(store, claim_entry(world.entry(symbol="ETH/USDT"), budget_day="2026-11-19"))
    assert error.names() == {"day_unchanged"}


def test_a_slot_remembering_only_a_signal_is_empty(store: Store, world: World) -> None:
    intent = world.entry()
    store.update(Update(key=slot_key_of(intent), set={"signal_since": T0, "bot_id": world.bot_id}))
    store.commit(claim_entry(intent))
    slot = slot_of(store, intent)
    assert (slot.state, slot.signal_since) == (SlotState.OPENING, None)


def test_the_send_gate_has_one_winner_and_shows_who(store: Store, world: World) -> None:
    intent = world.entry()
    store.commit(claim_entry(intent))
    sent = store.update(send_gate(intent, worker="first", now=at(2)))
    assert sent == replace(intent, state=IntentState.SENT, sent_at=at(2), worker="first")
    with pytest.raises(GuardFailedError) as caught:
        store.update(send_gate(intent, worker="second", now=at(3)))
    assert caught.value.names() == {"not_sent_yet"}
    seen = caught.value.row_of(Intent)
    assert isinstance(seen, Intent)
    assert (seen.worker, seen.state) == ("first", IntentState.SENT)


def test_the_send_gate_is_shut_for_other_terms_than_those_claimed(store: Store, world: World) -> None:
    intent = world.entry()
    store.commit(claim_entry(intent))
    later = replace(intent, deadline=intent.deadline + timedelta(seconds=60))
    with pytest.raises(GuardFailedError) as caught:
        store.update(send_gate(later, worker="late", now=at(50)))
    assert caught.value.names() == {"terms_as_claimed"}


def test_the_send_gate_of_no_intent_is_refused_without_a_row(store: Store, world: World) -> None:
    with pytest.raises(GuardFailedError) as caught:
        store.update(send_gate(replace(world.entry(), intent_id="0" * 32), worker="first", now=T0))
    names = {guard.name: guard.row for guard in caught.value.failed}
    assert names == {"not_sent_yet": None, "terms_as_claimed": None}


def test_looking_for_an_unknown_order_moves_its_next_look(store: Store, world: World) -> None:
    intent = world.entry()
    store.commit(claim_entry(intent))
    store.update(send_gate(intent, worker="w", now=at(2)))
    unknown = store.update(mark_unknown(intent, look_again_at=at(60)))
    assert isinstance(unknown, Intent)
    assert (unknown.state, unknown.next_check_at) == (IntentState.UNKNOWN, "2026-11-20T09:01:00.000Z")
    store.update(mark_absent(intent, now=at(61), look_again_at=at(90)))
    with pytest.raises(GuardFailedError) as caught:
        store.update(mark_absent(intent, now=at(62), look_again_at=at(91)))
    assert caught.value.names() == {"first_absence"}
    accepted = store.update(mark_accepted(intent, venue_order_id="7", look_again_at=at(95)))
    assert isinstance(accepted, Intent)
    assert (accepted.state, accepted.absent_since) == (IntentState.ACCEPTED, None)


def test_a_full_fill_opens_the_slot_and_gives_the_rest_back(store: Store, world: World) -> None:
    intent = world.entry()
    send(store, intent)
    bought = result_of(intent, fill(1, quantity="0.0016", price="60100.01", fee="0.0000016"))
    store.commit(
        record_entry(intent, result=bought, take_profit=Decimal("61001.51"), stop_loss=Decimal(59499), now=at(4))
    )
    budget, slot, stored = budget_of(store, world), slot_of(store, intent), store.get(Intent, intent.intent_id)
    assert (budget.available, budget.reserved, budget.deployed) == (Decimal("903.839984"), ZERO, Decimal("96.160016"))
    assert (slot.state, slot.quantity, slot.cost) == (SlotState.OPEN, Decimal("0.0015984"), Decimal("96.160016"))
    assert (slot.take_profit, slot.stop_loss, slot.opened_at) == (Decimal("61001.51"), Decimal(59499), at(4))
    assert stored is not None
    assert (stored.state, stored.outcome, stored.work_key) == (IntentState.FILLED, Reason.FILLED, None)
    assert (stored.fills, stored.filled_cost) == (bought.fills, bought.filled_cost)


def test_a_partial_fill_is_recorded_as_what_it_was(store: Store, world: World) -> None:
    intent = world.entry()
    send(store, intent)
    bought = result_of(intent, *(fill(n, quantity="0.0004", price="60100") for n in range(2)))
    store.commit(record_entry(intent, result=bought, take_profit=None, stop_loss=None, now=at(4)))
    stored = store.get(Intent, intent.intent_id)
    assert stored is not None
    assert (stored.outcome, stored.filled_quantity) == (Reason.PARTIALLY_FILLED, Decimal("0.0008"))
    assert budget_of(store, world).deployed == Decimal("48.08")


def test_an_order_that_filled_nothing_gives_everything_back(store: Store, world: World) -> None:
    intent = world.entry()
    send(store, intent)
    store.commit(record_entry(intent, result=result_of(intent), take_profit=None, stop_loss=None, now=at(4)))
    budget, slot, stored = budget_of(store, world), slot_of(store, intent), store.get(Intent, intent.intent_id)
    assert (budget.available, budget.reserved, budget.open_positions) == (Decimal(1000), ZERO, 0)
    assert (slot.state, slot.idle_since, slot.entry_intent_id) == (SlotState.EMPTY, at(4), None)
    assert stored is not None
    assert (stored.state, stored.outcome) == (IntentState.EMPTY, Reason.NOT_FILLED)


def test_a_cost_above_the_reservation_is_paid_from_what_is_free_and_stops_entries(store: Store, world: World) -> None:
    intent = world.entry(reserved="90")
    send(store, intent)
    bought = result_of(intent, fill(1, quantity="0.0016", price="60000"))
    store.commit(record_entry(intent, result=bought, take_profit=None, stop_loss=None, now=at(4)))
    budget = budget_of(store, world)
    assert (budget.available, budget.deployed, budget.entries_allowed) == (Decimal(904), Decimal(96), False)


def test_a_cost_the_budget_cannot_cover_is_held(store: Store, world: World) -> None:
    intent = world.entry(reserved="1000")
    send(store, intent)
    bought = result_of(intent, fill(1, quantity="0.02", price="60000"))
    error = refused(store, record_entry(intent, result=bought, take_profit=None, stop_loss=None, now=at(4)))
    assert error.names() == {"available_covers"}
    store.commit(record_entry_held(intent, result=bought, now=at(4)))
    budget, slot = budget_of(store, world), slot_of(store, intent)
    assert (budget.available, budget.deployed, budget.entries_allowed) == (ZERO, Decimal(1000), False)
    assert (slot.state, slot.held_reason, slot.cost) == (SlotState.HELD, Reason.OVERRUN, Decimal(1000))


def test_an_order_recorded_twice_is_recorded_once(store: Store, world: World) -> None:
    intent = world.entry()
    send(store, intent)
    bought = result_of(intent, fill(1, quantity="0.0016", price="60000"))
    store.commit(record_entry(intent, result=bought, take_profit=None, stop_loss=None, now=at(4)))
    before = budget_of(store, world)
    # Told differently (a second later), so not a resend: the guards must hold it off.
    error = refused(store, record_entry(intent, result=bought, take_profit=None, stop_loss=None, now=at(5)))
    assert {"intent_not_finished", "slot_in_state", "is_new"} <= error.names()
    assert budget_of(store, world) == before


def test_an_order_thought_void_that_did_buy_is_adopted(store: Store, world: World) -> None:
    intent = world.entry()
    store.commit(claim_entry(intent))
    store.commit(release_entry(intent, to=IntentState.VOID, outcome=Reason.PROVEN_ABSENT, now=at(90)))
    bought = result_of(intent, fill(1, quantity="0.0016", price="60000"))
    store.commit(adopt_entry(intent, result=bought, take_profit=None, stop_loss=Decimal(59000), now=at(120)))
    budget, slot, stored = budget_of(store, world), slot_of(store, intent), store.get(Intent, intent.intent_id)
    assert (budget.available, budget.deployed, budget.open_positions) == (Decimal(904), Decimal(96), 1)
    assert (slot.state, slot.open_key, slot.stop_loss) == (SlotState.OPEN, "open", Decimal(59000))
    assert stored is not None
    assert stored.state is IntentState.ADOPTED
