"""Money in and out of a budget, and what a store refuses whatever the guards say."""

from decimal import Decimal

import pytest

from surefill.domain.money import AmountError
from surefill.domain.records import PaperEntry
from surefill.domain.rows import Budget, Intent, Slot
from surefill.domain.states import SlotState
from surefill.ports import Store
from surefill.protocol.entry import claim_entry
from surefill.protocol.funds import fund, open_budget, switch_entries, withdraw
from surefill.protocol.parts import budget_key
from surefill.protocol.transaction import Check, Guard, GuardFailedError, Key, Op, Transaction, Update
from tests.contract.world import T0, World, at, budget_of


def test_funds_come_and_go_with_their_ledger(store: Store, world: World) -> None:
    store.commit(fund(world.budget_id, amount=Decimal("50.5"), request_id="a", now=at(1)))
    store.commit(withdraw(world.budget_id, amount=Decimal("0.25"), request_id="b", now=at(2)))
    budget = budget_of(store, world)
    assert (budget.funded, budget.available) == (Decimal("1050.25"), Decimal("1050.25"))
    moved = {entry.entry_key: entry.funded for entry in store.ledger_of(world.budget_id)}
    assert moved == {"funds#first": 1000, "funds#a": Decimal("50.5"), "funds#b": Decimal("-0.25")}


def test_a_request_for_funds_counts_once_even_told_differently(store: Store, world: World) -> None:
    store.commit(fund(world.budget_id, amount=Decimal(50), request_id="a", now=at(1)))
    with pytest.raises(GuardFailedError) as caught:
        store.commit(fund(world.budget_id, amount=Decimal(60), request_id="a", now=at(2)))
    assert caught.value.names() == {"is_new"}
    assert budget_of(store, world).funded == 1050


def test_more_than_is_free_cannot_be_withdrawn(store: Store, world: World) -> None:
    store.commit(claim_entry(world.entry(reserved="600")))
    with pytest.raises(GuardFailedError) as caught:
        store.commit(withdraw(world.budget_id, amount=Decimal("400.000001"), request_id="b", now=at(2)))
    assert caught.value.names() == {"available_covers"}
    seen = caught.value.row_of(Budget)
    assert isinstance(seen, Budget)
    assert (seen.available, seen.reserved) == (Decimal(400), Decimal(600))


def test_a_budget_is_opened_once(store: Store, world: World) -> None:
    with pytest.raises(GuardFailedError) as caught:
        store.commit(open_budget(world.budget(), request_id="second", now=at(1)))
    assert caught.value.names() == {"budget_is_new"}


def test_what_does_not_exist_is_not_made_by_an_update(store: Store) -> None:
    with pytest.raises(GuardFailedError) as caught:
        store.update(switch_entries("nobody", allowed=False))
    assert caught.value.names() == {"budget_exists"}
    with pytest.raises(GuardFailedError) as caught:
        store.update(Update(key=budget_key("nobody"), set={"entries_allowed": False}))
    assert caught.value.names() == {"row_exists"}
    assert store.get(Budget, "nobody") is None


def test_a_row_of_defaults_is_made_by_an_update(store: Store) -> None:
    key = Key(PaperEntry, ("paper-binance-a", "balance#USDT"))
    made = store.update(Update(key=key, set={"body": {"S": "5"}}))
    assert made == PaperEntry(account_id="paper-binance-a", entry_key="balance#USDT", body={"S": "5"})
    assert store.get(PaperEntry, *key.values) == made


def test_an_addition_returns_the_row_it_made(store: Store) -> None:
    key = Key(PaperEntry, ("paper-binance-a", "balance#USDT"))
    store.insert(PaperEntry(account_id=key.values[0], entry_key=key.values[1], free=Decimal("1.5")))
    enough = Guard(name="free_covers", field="free", op=Op.AT_LEAST, value=Decimal(1))
    paid = store.update(Update(key=key, add={"free": Decimal(-1)}, guards=(enough,)))
    assert isinstance(paid, PaperEntry)
    assert paid.free == Decimal("0.5")
    with pytest.raises(GuardFailedError) as caught:
        store.update(Update(key=key, add={"free": Decimal(-1)}, guards=(enough,)))
    assert caught.value.names() == {"free_covers"}
    assert caught.value.row_of(PaperEntry) == paid


@pytest.mark.parametrize(
    ("update", "error"),
    [
        (Update(key=budget_key("b"), add={"available": Decimal(1)}), AssertionError),
        (Update(key=budget_key("b")), ValueError),
        (Update(key=budget_key("b"), set={"budget_id": "c"}), ValueError),
        (Update(key=budget_key("b"), set={"currency": None}), ValueError),
        (Update(key=Key(Slot, ("binance|BTC/USDT",)), set={"state": SlotState.OPEN}), ValueError),
        (Update(key=budget_key(""), set={"day": "2026-11-20"}), ValueError),
        (Update(key=budget_key("b"), set={"avaliable": Decimal(1)}), AttributeError),
        (
            Update(
                key=budget_key("b"),
                set={"day": "2026-11-20"},
                guards=(Guard(name="typo", field="dya", op=Op.MISSING),),
            ),
            AttributeError,
        ),
    ],
)
def test_an_update_that_makes_no_sense_is_refused_before_it_is_sent(
    store: Store, update: Update, error: type[Exception]
) -> None:
    with pytest.raises(error):
        store.update(update)


def test_a_float_is_no_amount(store: Store, world: World) -> None:
    with pytest.raises(AmountError):
        store.update(Update(key=budget_key(world.budget_id), set={"max_daily_loss": 0.1}))


def test_a_check_without_guards_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="must have guards"):
        store.commit(Transaction(name="nothing", token="t" * 36, writes=(Check(key=Key(Intent, ("i",)), guards=()),)))


def test_a_check_against_no_value_never_holds(store: Store, world: World) -> None:
    """A guard that a field equals None is never met: it must not read as "missing"."""
    position = Guard(name="same_position", field="entry_intent_id", op=Op.EQUAL, value=None)
    key = Key(Slot, ("binance|BTC/USDT", f"{world.account_id}|{world.bot_id}"))
    store.insert(Slot(market_key=key.values[0], owner_key=key.values[1], signal_since=T0))
    with pytest.raises(GuardFailedError) as caught:
        store.commit(Transaction(name="check", token="t" * 36, writes=(Check(key=key, guards=(position,)),)))
    assert caught.value.names() == {"same_position"}
