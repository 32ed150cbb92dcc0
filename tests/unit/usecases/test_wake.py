"""A fill of a grid wakes its bot at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from surefill.domain.kinds import BotState
from surefill.domain.rows import Bot, Intent
from surefill.domain.states import IntentState
from surefill.ports import StoreUnavailableError
from surefill.usecases.batches import decode
from surefill.usecases.publish import Change
from surefill.usecases.wake import GridWaker
from tests.fakes.orders import entry_of
from tests.fakes.rows import TICK, bot
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    return World()


def finished(world: World, **changes: object) -> Intent:
    fixed = {
        "rung": "r1",
        "state": IntentState.FILLED,
        "finished_at": TICK + timedelta(seconds=7, milliseconds=300),
        "filled_cost": Decimal(100),
    }
    return replace(entry_of(world), **{**fixed, **changes})


def waker(world: World) -> GridWaker:
    return GridWaker(store=world.store, queue=world.queue, observer=world.observer)


def test_a_fill_sends_the_bot_to_be_evaluated_at_the_second_of_the_fill(world: World) -> None:
    assert not waker(world).consume([Change(number="1", row=finished(world))])
    (body,) = world.queue.bodies
    batch = decode(body)
    assert (batch.tick, batch.symbol, batch.bots) == (TICK + timedelta(seconds=7), "BTC/USDT", (world.bot,))


def test_several_fills_wake_once(world: World) -> None:
    rows = [finished(world), finished(world, rung="r2")]
    waker(world).consume([Change(number=str(index), row=row) for index, row in enumerate(rows)])
    assert len(world.queue.bodies) == 1


@pytest.mark.parametrize("changes", [{"rung": None}, {"state": IntentState.ACCEPTED, "finished_at": None}])
def test_other_orders_wake_nobody(world: World, changes: dict[str, object]) -> None:
    waker(world).consume([Change(number="1", row=finished(world, **changes))])
    waker(world).consume([Change(number="2", row=bot())])
    assert not world.queue.bodies


@pytest.mark.parametrize("state", [BotState.PAUSED, BotState.HALTED])
def test_a_stopped_bot_is_not_woken(world: World, state: BotState) -> None:
    world.store.replace(bot(state=state))
    waker(world).consume([Change(number="1", row=finished(world))])
    assert not world.queue.bodies


def test_a_bot_that_is_gone_is_not_woken(world: World) -> None:
    waker(world).consume([Change(number="1", row=finished(world, bot_id="gone"))])
    assert world.store.get(Bot, "gone") is None
    assert not world.queue.bodies


def test_what_the_queue_did_not_take_comes_again(world: World) -> None:
    class Full:
        def send(self, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
            raise StoreUnavailableError("full")

    full = GridWaker(store=world.store, queue=Full(), observer=world.observer)
    changes = [Change(number="1", row=finished(world)), Change(number="2", row=finished(world, rung=None))]
    assert full.consume(changes) == {"1"}
