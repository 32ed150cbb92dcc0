"""What only the store in memory has: copies, listings, and tokens that end with its clock."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from time import process_time

import pytest

from surefill.adapters.dynamodb.schema import ROWS
from surefill.adapters.memory import MemoryStore
from surefill.domain.money import AmountError
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, Budget, Intent, Slot
from surefill.domain.states import IntentState
from surefill.protocol.entry import claim_entry, release_entry
from surefill.protocol.funds import fund
from surefill.protocol.parts import budget_key
from surefill.protocol.transaction import Guard, GuardFailedError, Op, Put, Transaction, Update, key_of
from tests.contract.world import T0, World, at, budget_of


@dataclass
class HandClock:
    """A clock set by hand."""

    time: datetime = T0

    def now(self) -> datetime:
        return self.time


def test_a_token_is_remembered_for_ten_minutes() -> None:
    clock, world = HandClock(), World()
    store = MemoryStore(clock=clock)
    world.settle_in(store)
    more = fund(world.budget_id, amount=Decimal(5), request_id="a", now=T0)
    store.commit(more)
    clock.time = at(600)
    store.commit(more)
    assert budget_of(store, world).funded == 1005
    clock.time = at(601)
    with pytest.raises(GuardFailedError) as caught:
        store.commit(more)
    assert caught.value.names() == {"is_new"}


def test_a_token_with_other_content_is_judged_by_the_guards() -> None:
    store, world = MemoryStore(), World()
    world.settle_in(store)
    first = Transaction(name="a", token="t", writes=(Update(key=budget_key(world.budget_id), set={"day": "1"}),))
    other = Transaction(name="a", token="t", writes=(Update(key=budget_key(world.budget_id), set={"day": "2"}),))
    store.commit(first)
    store.commit(other)
    store.commit(other)
    assert budget_of(store, world).day == "2"


def test_a_snapshot_is_everything_and_stays_as_it_was() -> None:
    store, world = MemoryStore(), World()
    world.settle_in(store)
    claim = claim_entry(world.entry())
    store.commit(claim)
    then = store.snapshot()
    store.commit(claim_entry(world.entry(symbol="ETH/USDT")))
    store.delete(key_of(world.bot()))
    copy = MemoryStore()
    copy.restore(then)
    store.restore(then)
    for one in (store, copy):
        assert budget_of(one, world).reserved == 100
        assert len(one.rows(Intent)) == len(one.rows(Slot)) == len(one.open_slot_keys()) == 1
        assert one.unfinished_intents(due_until=None) == [world.entry().intent_id]
        assert one.bots_of_cadence("60") == [world.bot()]
        one.commit(claim)  # the token is part of the snapshot
    copy.commit(claim_entry(world.entry(symbol="ETH/USDT")))
    assert budget_of(store, world).reserved == 100


def test_a_refused_transaction_leaves_nothing_behind() -> None:
    store, world = MemoryStore(), World()
    world.settle_in(store, entries_allowed=False)
    before = {row: store.rows(row) for row in ROWS}
    with pytest.raises(GuardFailedError):
        store.commit(claim_entry(world.entry()))
    assert {row: store.rows(row) for row in ROWS} == before
    assert store.unfinished_intents(due_until=None) == []


def test_additions_keep_their_kind() -> None:
    store, world = MemoryStore(), World()
    world.settle_in(store)
    there = Guard(name="there", field="budget_id", op=Op.PRESENT)
    key = budget_key(world.budget_id)
    made = store.update(Update(key=key, add={"open_positions": 2, "max_trades_per_day": 1}, guards=(there,)))
    assert isinstance(made, Budget)
    assert (made.open_positions, made.max_trades_per_day) == (2, 1)
    with pytest.raises(AmountError, match="its own kind of number"):
        store.update(Update(key=key, add={"open_positions": Decimal(1)}, guards=(there,)))
    with pytest.raises(AmountError, match="its own kind of number"):
        store.update(Update(key=key, add={"available": 1}, guards=(there,)))
    with pytest.raises(AmountError, match="decimal number"):
        store.commit(Transaction(name="a", token="t", writes=(Put(row=World().budget(funded=0.1)),)))


def test_it_is_fast_enough_to_carry_a_simulation() -> None:
    """A bot-year of a busy bot is some 10,000 transactions; this pins the order of magnitude, not the machine."""
    store, world = MemoryStore(), World(funded=Decimal(10**9))
    world.settle_in(store)
    transactions: list[Transaction] = []
    for number in range(500):
        intent = world.entry(tick=at(number))
        void, why = IntentState.VOID, Reason.NEVER_SENT
        transactions += [claim_entry(intent), release_entry(intent, to=void, outcome=why, now=intent.created_at)]
    started = process_time()
    for transaction in transactions:
        store.commit(transaction)
    took = process_time() - started
    print({"transactions a second": round(len(transactions) / took)})
    assert took < 1.0
    assert [bot.bot_id for bot in store.rows(Bot)] == [world.bot_id]
