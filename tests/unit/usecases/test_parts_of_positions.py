"""Selling a part: ladders and strategies that reduce, with what remains protected and counted."""

from dataclasses import replace
from decimal import Decimal

import pytest

from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent
from surefill.domain.states import SlotState
from surefill.usecases.book import Outcome
from surefill.usecases.claim import claim
from surefill.usecases.exits import exit_intent, part_of, strategy_exit
from tests.fakes.orders import entry_of
from tests.fakes.rows import TICK, rules
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    made = World()
    entry = entry_of(made)
    claim(entry, store=made.store, observer=made.observer)
    assert made.placer.place(entry, worker="w") is Outcome.RECORDED
    return made


def sale(world: World, *, reason: Reason = Reason.LADDER, quantity: str | None = "0.5") -> Intent:
    return exit_intent(
        world.slot(),
        reason=reason,
        tick=TICK,
        now=world.clock.now(),
        rules=rules(),
        quantity=Decimal(quantity) if quantity else None,
    )


def test_a_step_of_the_ladder_sells_its_part_and_keeps_the_rest_open(world: World) -> None:
    before = world.slot()
    world.venue.bid = Decimal(110)
    intent = sale(world)
    assert claim(intent, store=world.store, observer=world.observer).claimed
    assert world.slot().state is SlotState.REDUCING
    assert world.placer.place(intent, worker="w") is Outcome.RECORDED
    after = world.slot()
    assert (after.state, after.ladder_done, after.exit_attempt) == (SlotState.OPEN, 1, 1)
    assert after.quantity == before.quantity - Decimal("0.5")
    assert after.bought == before.bought
    money = world.money()
    assert money.realised > 0
    assert money.open_positions == 1
    assert money.available + money.reserved + money.deployed == money.funded + money.realised
    done = world.intent(intent.intent_id)
    assert done.basis == before.cost - after.cost
    assert done.realised == money.realised
    assert done.opened_at == before.opened_at


def test_a_part_that_leaves_only_dust_ends_the_position(world: World) -> None:
    intent = sale(world, quantity=str(world.slot().quantity - Decimal("0.0005")))
    claim(intent, store=world.store, observer=world.observer)
    assert world.placer.place(intent, worker="w") is Outcome.RECORDED
    assert world.slot().state is SlotState.EMPTY


def test_a_reduction_by_the_strategy_does_not_count_as_a_step(world: World) -> None:
    intent = sale(world, reason=Reason.STRATEGY_EXIT)
    claim(intent, store=world.store, observer=world.observer)
    world.placer.place(intent, worker="w")
    assert world.slot().ladder_done == 0


def test_a_reduction_that_did_not_happen_can_be_tried_again(world: World) -> None:
    intent = sale(world)
    claim(intent, store=world.store, observer=world.observer)
    world.venue.script = ["nothing"]
    assert world.placer.place(intent, worker="w") is Outcome.RELEASED
    assert (world.slot().state, world.slot().ladder_done, world.slot().exit_attempt) == (SlotState.OPEN, 0, 1)


def test_a_reduction_and_a_sale_of_all_do_not_both_win(world: World) -> None:
    part, whole = sale(world), sale(world, reason=Reason.STOP_LOSS, quantity=None)
    assert part.intent_id == whole.intent_id
    assert claim(part, store=world.store, observer=world.observer).claimed
    world.placer.place(part, worker="w")
    assert claim(whole, store=world.store, observer=world.observer).claimed  # the same name: claimed already
    assert world.placer.place(whole, worker="w") is Outcome.PENDING
    assert len([post for post in world.venue.posts if post.side == "SELL"]) == 1


def test_a_share_becomes_a_quantity_on_the_markets_step(world: World) -> None:
    slot = world.slot()
    part = part_of(slot, share=Decimal("0.25"), whole=slot.bought, rules=rules(), price=Decimal(100))
    assert part is not None
    assert part % rules().quantity_step == 0
    assert part <= slot.bought / 4


@pytest.mark.parametrize("share", ["1", "0.9999"])
def test_a_share_that_leaves_nothing_to_sell_takes_all(world: World, share: str) -> None:
    slot = world.slot()
    assert part_of(slot, share=Decimal(share), whole=slot.bought, rules=rules(), price=Decimal(100)) is None


def test_a_share_above_what_is_left_takes_all(world: World) -> None:
    slot = replace(world.slot(), quantity=Decimal("0.5"), bought=Decimal(2))
    assert part_of(slot, share=Decimal("0.5"), whole=slot.bought, rules=rules(), price=Decimal(100)) is None


def test_a_strategy_may_sell_a_share(world: World) -> None:
    intent = strategy_exit(
        world.bot,
        slot=world.slot(),
        tick=TICK,
        now=world.clock.now(),
        rules=rules(),
        share=Decimal("0.5"),
        price=Decimal(100),
    )
    assert isinstance(intent, Intent)
    assert intent.part
    assert intent.quantity < world.slot().quantity


def test_a_share_too_small_to_be_sold_is_refused(world: World) -> None:
    refusal = strategy_exit(
        world.bot,
        slot=world.slot(),
        tick=TICK,
        now=world.clock.now(),
        rules=rules(),
        share=Decimal("0.01"),
        price=Decimal(100),
    )
    assert not isinstance(refusal, Intent)
    assert refusal.reason is Reason.BELOW_MINIMUM


def test_a_frozen_position_is_not_sold(world: World) -> None:
    world.store.replace(replace(world.slot(), frozen=True))
    refused = claim(sale(world, quantity=None), store=world.store, observer=world.observer)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.FROZEN
    assert world.slot().state is SlotState.OPEN
