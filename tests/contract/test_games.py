"""Random games: the money adds up on every store, and all stores agree on every move."""

import os
from collections import Counter
from decimal import Decimal
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from surefill.adapters.dynamodb.schema import ROWS
from surefill.adapters.memory import MemoryStore
from surefill.ports import Store
from surefill.protocol.transaction import key_of
from tests.contract.engines import Engine
from tests.contract.invariants import broken
from tests.contract.moves import Player, play
from tests.contract.world import World

MOVES = int(os.environ.get("SUREFILL_DIFFERENTIAL", "600"))
# Without Phase.explain: on an engine behind HTTP it takes minutes and tells little about a game.
PHASES = [Phase.explicit, Phase.generate, Phase.shrink]
COARSE, FINE = Decimal("0.0001"), Decimal("0.00000001")


def worlds_in(*stores: Store) -> list[World]:
    """Two bots with a budget each, in all stores."""
    worlds = [World(name="one"), World(name="two", funded=Decimal("500.25"))]
    for store in stores:
        for world in worlds:
            world.settle_in(store)
    return worlds


@settings(max_examples=60, deadline=None, database=None, phases=PHASES)
@given(random=st.randoms(use_true_random=False), length=st.integers(1, 60))
def test_the_money_adds_up_in_memory_after_any_game(random: Random, length: int) -> None:
    store = MemoryStore()
    player = Player(random, store, worlds_in(store), grid=FINE)
    for _ in range(length):
        play(store, player.draw())
        assert broken(store) == []


@pytest.mark.parametrize("engine", ["ministack", "moto"], indirect=True)
@settings(
    max_examples=3,
    deadline=None,
    database=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(random=st.randoms(use_true_random=False))
def test_the_money_adds_up_on_dynamodb_after_any_game(engine: Engine, random: Random) -> None:
    seen, store = MemoryStore(), engine.store()
    player = Player(random, seen, worlds_in(seen, store), grid=COARSE, resends=engine.honours_tokens)
    for _ in range(40):
        move = player.draw()
        play(seen, move)
        play(store, move)
    assert broken(store) == []


def differences(seen: Store, store: Store) -> list[str]:
    """Rows that are not the same in both."""
    found = []
    for row in ROWS:
        left, right = ({key_of(one).values: one for one in one_store.all_rows(row)} for one_store in (seen, store))
        found += [
            f"{left.get(key)} is {right.get(key)}"
            for key in left.keys() | right.keys()
            if left.get(key) != right.get(key)
        ]
    return found


def lists(store: Store, worlds: list[World]) -> dict[str, object]:
    """Everything the indexes find."""
    return {
        "open": sorted(store.open_slot_keys()),
        "unfinished": sorted(store.unfinished_intents(due_until=None, limit=1000)),
        **{world.bot_id: list(store.intents_of_bot(world.bot_id, limit=1000)) for world in worlds},
        **{world.budget_id: list(store.ledger_of(world.budget_id)) for world in worlds},
    }


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("engine", ["ministack", "moto"], indirect=True)
def test_memory_and_dynamodb_agree_on_every_move(engine: Engine, seed: int) -> None:
    seen, store = MemoryStore(), engine.store()
    worlds = worlds_in(seen, store)
    honest = engine.name == "ministack"
    player = Player(Random(seed), seen, worlds, grid=FINE if honest else COARSE, resends=honest)
    outcomes: Counter[str] = Counter()
    for number in range(MOVES if honest else MOVES // 4):
        move = player.draw()
        expected, got = play(seen, move), play(store, move)
        assert got == expected, f"move {number}: {move}"
        outcomes[f"{getattr(move, 'name', type(move).__name__)} {'made' if not expected else 'refused'}"] += 1
    assert differences(seen, store) == []
    assert lists(seen, worlds) == lists(store, worlds)
    print(dict(outcomes))
