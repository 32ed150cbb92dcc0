"""What holds for every write: exact amounts, harmless resends, rows under their keys."""

from decimal import Decimal

import pytest

from surefill.domain.rows import Bot, Intent
from surefill.ports import Store
from surefill.protocol.entry import claim_entry
from surefill.protocol.funds import switch_entries
from surefill.protocol.transaction import GuardFailedError, Key, key_of
from tests.contract.engines import SMALLEST_ON_MOTO, Engine
from tests.contract.world import World, budget_of

EXACT = Decimal("0.12345678901234567890")


def test_amounts_come_back_digit_for_digit(store: Store) -> None:
    world = World(funded=Decimal("98765432.1234567890123456789"))
    world.settle_in(store)
    intent = world.entry(reserved=str(EXACT))
    store.commit(claim_entry(intent))
    budget = budget_of(store, world)
    assert (budget.reserved, budget.available) == (EXACT, Decimal("98765432.0000000000000000000"))
    stored = store.get(Intent, intent.intent_id)
    assert stored is not None
    assert stored.reserved == EXACT


@pytest.mark.parametrize("grid", ["0.00000001", "0.1", "1E-18"])
def test_many_small_changes_lose_nothing(engine: Engine, store: Store, world: World, grid: str) -> None:
    step = Decimal(grid)
    if engine.name == "moto" and step < SMALLEST_ON_MOTO:
        pytest.skip("moto writes sums below 0.000001 with an exponent and can't add to them again")
    for number in range(3):
        store.commit(claim_entry(world.entry(symbol=f"A{number}/USDT", reserved=str(step * (number + 1)))))
    budget = budget_of(store, world)
    assert (budget.reserved, budget.available) == (step * 6, Decimal(1000) - step * 6)


def test_a_resend_of_the_same_claim_is_a_success_and_changes_nothing(
    engine: Engine, store: Store, world: World
) -> None:
    if not engine.honours_tokens:
        pytest.skip("moto ignores request tokens")
    claim = claim_entry(world.entry())
    store.commit(claim)
    before = budget_of(store, world)
    store.commit(claim)
    assert budget_of(store, world) == before


def test_a_refused_transaction_may_be_sent_again(store: Store, world: World) -> None:
    store.update(switch_entries(world.budget_id, allowed=False))
    claim = claim_entry(world.entry())
    with pytest.raises(GuardFailedError):
        store.commit(claim)
    store.update(switch_entries(world.budget_id, allowed=True))
    store.commit(claim)
    assert budget_of(store, world).reserved == 100


def test_a_row_is_put_in_and_taken_out_under_its_key(store: Store, world: World) -> None:
    bot = world.bot(timeframe="5m")
    with pytest.raises(GuardFailedError) as caught:
        store.insert(bot)
    assert [(guard.name, guard.row) for guard in caught.value.failed] == [("is_new", world.bot())]
    store.replace(bot)
    assert store.get(Bot, world.bot_id) == bot
    store.delete(key_of(bot))
    store.delete(Key(Bot, (world.bot_id,)))
    assert store.get(Bot, world.bot_id) is None
