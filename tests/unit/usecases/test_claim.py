"""Claiming: money and slot in one transaction, or a refusal that says why; and which day it counts for."""

from dataclasses import replace
from decimal import Decimal

import pytest

from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, Budget, Slot
from surefill.domain.states import SlotState
from surefill.protocol.exit import claim_exit
from surefill.protocol.transaction import FailedGuard, GuardFailedError, Key, Transaction, Update
from surefill.usecases.claim import claim
from surefill.usecases.exits import exit_intent
from surefill.usecases.refusals import refusal_of
from tests.fakes.orders import claimed, closing, entry_of, opened
from tests.fakes.rows import MARKET, OWNER, TICK, budget, rules
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    return World()


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


def test_a_bot_that_was_paused_meanwhile_does_not_claim(world: World) -> None:
    intent = entry_of(world)
    world.store.update(Update(key=Key(type(world.bot), ("trend",)), set={"state": "PAUSED"}))
    refused = claim(intent, store=world.store, observer=world.observer)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.BOT_NOT_ACTIVE


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
    intent = entry_of(world)
    world.store.delete(Key(Budget, (intent.budget_id,)))
    refused = claim(intent, store=world.store, observer=world.observer)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.BUDGET_MISSING
    strange = GuardFailedError(transaction="t", failed=(FailedGuard("moon_phase", Key(Bot, ("b",)), None),))
    assert refusal_of(strange, intent=intent).reason is Reason.CLAIM_BUSY


def test_on_a_new_day_the_budget_may_have_vanished(world: World) -> None:
    intent = entry_of(world)
    world.store.replace(budget(day="2020-01-01"))
    assert claim(intent, store=world.store, observer=world.observer).claimed


def test_the_first_claims_of_a_day_do_not_refuse_each_other(world: World) -> None:
    """Found by the races: whoever lost the start of the day twice was refused, although there was money and room."""
    intent = entry_of(world)

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

    refused = claim(entry_of(world), store=Restless(), observer=world.observer)  # type: ignore[arg-type]
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.CLAIM_BUSY


def test_a_claim_stamped_before_midnight_does_not_turn_the_day_back(world: World) -> None:
    """The new day has begun without it: it counts there, under the new day's limits."""
    intent = entry_of(world)
    world.store.replace(budget(day="2026-01-06", trades_today=5, loss_today=Decimal(7), max_trades_per_day=6))
    assert claim(intent, store=world.store, observer=world.observer).claimed
    assert (world.money().day, world.money().trades_today, world.money().loss_today) == ("2026-01-06", 6, 7)
    world.store.replace(replace(world.slot(), state=SlotState.EMPTY))
    late = replace(intent, intent_id="d" * 32)
    refused = claim(late, store=world.store, observer=world.observer)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.LIMIT_TRADES
