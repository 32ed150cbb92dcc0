"""Orders of a small world, carried as far as a test needs: planned, claimed, filled, claimed for sale."""

from decimal import Decimal

from surefill.domain.market import Refusal
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent
from surefill.strategies.base import Action, Signal
from surefill.usecases.book import Outcome
from surefill.usecases.claim import claim
from surefill.usecases.exits import exit_intent
from surefill.usecases.facts import MarketFacts
from tests.fakes.rows import TICK, rules
from tests.fakes.world import World


def entry_of(world: World, *, adds: bool = False) -> Intent:
    """The entry that the world's bot would make now; or the tranche that adds to what it holds."""
    planned = world.planner.plan(
        world.bot,
        slot=world.slot(),
        signal=Signal(action=Action.BUY, adds=adds),
        facts=MarketFacts(last_close=world.venue.ask),
        adds=adds,
    )
    assert not isinstance(planned, Refusal), planned
    return planned[0]


def claimed(world: World) -> Intent:
    intent = entry_of(world)
    assert claim(intent, store=world.store, observer=world.observer).claimed
    return intent


def opened(world: World) -> Intent:
    intent = claimed(world)
    assert world.placer.place(intent, worker="w") is Outcome.RECORDED
    return intent


def closing(world: World, reason: Reason = Reason.TAKE_PROFIT) -> Intent:
    intent = exit_intent(world.slot(), reason=reason, tick=TICK, now=world.clock.now(), rules=rules())
    assert claim(intent, store=world.store, observer=world.observer).claimed
    return intent


def conserved(world: World) -> bool:
    money = world.money()
    entries = list(world.store.ledger_of(money.budget_id))
    folded = sum((row.available for row in entries), Decimal(1000))
    return (
        money.available + money.reserved + money.deployed == money.funded + money.realised
        and folded == money.available
        and min(money.available, money.reserved, money.deployed) >= 0
    )
