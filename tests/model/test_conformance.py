"""The model's steps are those of the product on a real store: nothing is left out, nothing is invented."""

from typing import Any

import pytest

from surefill.adapters.memory import MemoryStore
from surefill.domain.records import MarketRules
from surefill.domain.rows import Account, Intent, JournalEntry
from surefill.protocol.transaction import GuardFailedError, Key, Transaction, Update
from surefill.usecases.book import Outcome
from surefill.usecases.claim import claim
from tests.fakes.orders import entry_of
from tests.fakes.world import World
from tests.model import laws
from tests.model.machine import DONE, Machine
from tests.model.process import Call
from tests.model.scenarios import buy

_OUTCOMES = {
    "fill": "accepted, 2 of 2",
    "half": "accepted, 1 of 2",
    "nothing": "accepted, 0 of 2",
    "lost": "is lost",
    "not_sent": "not sent",
}


class Recording:
    """A store that writes down what is asked of it, in the model's words."""

    def __init__(self, store: MemoryStore, seen: list[str]) -> None:
        self.store, self.seen = store, seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def get(self, row: Any, *values: str) -> Any:
        if row not in (Account, MarketRules):
            self.seen.append(laws.told(Call("store", "get", Key(row, values))))
        return self.store.get(row, *values)

    def insert(self, row: Any) -> None:
        if not isinstance(row, JournalEntry):
            self.seen.append("insert")
        self.store.insert(row)

    def commit(self, transaction: Transaction) -> None:
        self._write(transaction, transaction.name, self.store.commit)

    def update(self, update: Update) -> Any:
        if update.key.row is Account:
            return self.store.update(update)
        return self._write(update, laws.told(Call("store", "update", update)), self.store.update)

    def _write(self, change: Any, name: str, write: Any) -> Any:
        self.seen.append(name)
        try:
            return write(change)
        except GuardFailedError as error:
            self.seen[-1] += f" refused by {', '.join(guard.name for guard in error.failed)}"
            raise


def real(script: str) -> list[str]:
    """What claim, place and settle do of a buy when the venue does `script`."""
    world = World()
    seen: list[str] = []
    world.store.replace(entry_of(world))
    world.store.delete(Key(Intent, (entry_of(world).intent_id,)))
    intent = entry_of(world)
    world.store = Recording(world.store, seen)
    world.venue.script = [script]
    assert claim(intent, store=world.store, observer=world.observer).claimed
    seen.append("place")
    if world.placer.place(intent, worker="first") is Outcome.PENDING:
        seen.append("settle")
        world.settler.settle(intent.intent_id)
    return seen


def modelled(script: str) -> list[str]:
    """The same of the model: one process, the clock standing still, the same answer of the venue."""
    scenario = buy(processes=(buy().processes[0],), faults=1)
    machine = Machine(scenario)
    store, venue, moment, _, _, node = machine.first()
    seen: list[str] = []
    while node != DONE:
        stage, call = machine.nodes[node].stage, machine.nodes[node].call
        assert stage is not None
        assert call is not None
        moves, sets_store, sets_venue = machine.moves(node, store, venue, moment)
        wanted = _OUTCOMES[script] if call.name == "post" else ""
        move = next(one for one in moves if not one.crash and wanted in one.text)
        if call.world == "store" and call.name != "begins":
            refused = " refused by " + move.text.split("refused by ")[1] if "refused by" in move.text else ""
            seen.append(laws.told(call) + refused)
        node = move.node
        store = move.store if sets_store else store
        venue = move.venue if sets_venue else venue
        following = machine.nodes[node].stage
        if following is not None and following[0] != stage[0]:
            seen.append(following[0])
    return seen


@pytest.mark.parametrize("script", list(_OUTCOMES))
def test_the_model_takes_the_steps_of_the_product(script: str) -> None:
    # The real budget has not traded yet, the model's has: the first claim of a day takes one look more.
    done = real(script)
    first_of_day = ["claim_entry refused by same_day", "reads Budget"]
    assert done[: len(first_of_day)] == first_of_day
    assert done[len(first_of_day) :] == modelled(script)
