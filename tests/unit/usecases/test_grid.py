"""A grid keeps an order resting on every rung: it buys at its price, and sells only what that rung bought."""

from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

import pytest

from surefill.domain.decisions import Decision
from surefill.domain.kinds import BotState, Leg, OrderKind
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rows import Bot, Slot
from surefill.domain.states import SlotState
from surefill.protocol.transaction import Key
from surefill.strategies.base import Action, Needs, Params, Position, Rung, Signal, Strategy
from surefill.strategies.market import MarketView
from surefill.usecases.book import Outcome
from surefill.usecases.claim import claim
from tests.fakes.rows import MARKET, OWNER, bot, candle_rows
from tests.fakes.world import World

RUNGS = tuple(
    Rung(name=f"r{price}", buy_price=Decimal(price), sell_price=Decimal(price + 2)) for price in (90, 92, 94, 96)
)


class Ladder(Strategy):
    """Four fixed rungs."""

    name: ClassVar[str] = "ladder"
    Params: ClassVar[type[Params]] = Params
    holds_without_stop: ClassVar[bool] = True

    def needs(self, symbols: tuple[str, ...], symbol: str) -> Needs:
        return Needs(candles=1)

    def decide(self, market: MarketView, position: Position | None) -> Signal:
        return Signal(action=Action.HOLD, rungs=RUNGS)


@pytest.fixture
def world() -> World:
    made = World()
    made.bot = grid_bot()
    made.store.replace(made.bot)
    made.venue.rows = candle_rows([98.0] * 3)
    return made


def grid_bot(**changes: object) -> Bot:
    fixed = {"strategy": "ladder", "take_profit_percent": Decimal(0), "stop_loss_percent": Decimal(0)}
    return bot(**{**fixed, **changes})


def evaluate(world: World) -> Decision:
    now = world.clock.now()
    world.venue.rows = candle_rows([98.0] * 3, until=now)
    world.venue.quoted_at = now
    (decision,) = world.evaluator({"ladder": Ladder}).evaluate(world.batch())
    return decision


def run(world: World) -> None:
    """Carry every order that was started to the venue, where it rests."""
    for name, intent in list(world.workflow.started.items()):
        world.workflow.started[name] = intent
        if world.store.get(type(intent), intent.intent_id) is None:
            assert claim(intent, store=world.store, observer=world.observer).claimed
            world.venue.script = ["resting"]
            assert world.placer.place(intent, worker="w") is Outcome.RESTING


def rung(world: World, name: str) -> Slot:
    return world.store.get(Slot, MARKET, f"{OWNER}|{name}") or Slot(market_key=MARKET, owner_key=f"{OWNER}|{name}")


def fill(world: World, name: str) -> None:
    """The market reaches the order that rests on a rung."""
    slot = rung(world, name)
    intent_id = slot.exit_intent_id or slot.entry_intent_id
    assert intent_id is not None
    intent = world.intent(intent_id)
    assert intent.limit_price is not None
    world.venue.ask = world.venue.bid = intent.limit_price
    request = next(post for post in world.venue.posts if post.client_order_id == intent_id)
    world.venue.orders[intent_id] = world.venue._execute(request, share=Decimal(1))
    assert world.settler.settle(intent_id) is Outcome.RECORDED


def test_every_empty_rung_gets_its_resting_buy(world: World) -> None:
    decision = evaluate(world)
    assert decision.reason is Reason.GRID_ARMED
    assert decision.numbers["orders"] == "4"
    started = world.workflow.started.values()
    assert {(intent.kind, intent.limit_price) for intent in started} == {
        (OrderKind.LIMIT, rung.buy_price) for rung in RUNGS
    }
    run(world)
    assert world.money().open_positions == 4


def test_an_armed_grid_says_which_fill_it_waits_for(world: World) -> None:
    evaluate(world)
    run(world)
    world.clock.forward(seconds=60)
    decision = evaluate(world)
    assert decision.reason is Reason.GRID_WAITING
    assert decision.numbers["waits_to_buy"] == "r96 at 96"


def test_a_filled_rung_sells_what_it_bought_at_its_own_price(world: World) -> None:
    evaluate(world)
    run(world)
    fill(world, "r96")
    bought = rung(world, "r96").quantity
    world.clock.forward(seconds=60)
    assert evaluate(world).reason is Reason.GRID_ARMED
    sale = next(intent for intent in world.workflow.started.values() if intent.leg is Leg.EXIT)
    assert (sale.kind, sale.limit_price, sale.reason) == (OrderKind.LIMIT, Decimal(98), Reason.GRID_SELL)
    assert sale.quantity <= bought
    run(world)
    world.clock.forward(seconds=60)
    assert evaluate(world).numbers["waits_to_sell"] == "r96 at 98"
    fill(world, "r96")
    assert rung(world, "r96").state is SlotState.EMPTY
    assert world.money().realised > 0
    assert rung(world, "r94").state is SlotState.OPENING


def test_a_rung_that_sold_buys_again(world: World) -> None:
    evaluate(world)
    run(world)
    fill(world, "r96")
    world.clock.forward(seconds=60)
    evaluate(world)
    run(world)
    fill(world, "r96")
    world.clock.forward(seconds=60)
    assert evaluate(world).reason is Reason.GRID_ARMED
    run(world)
    assert rung(world, "r96").state is SlotState.OPENING


def test_the_same_tick_again_arms_nothing_twice(world: World) -> None:
    evaluate(world)
    evaluate(world)
    assert len(world.workflow.started) == 4


def test_a_draining_grid_only_sells(world: World) -> None:
    evaluate(world)
    run(world)
    fill(world, "r96")
    world.bot = grid_bot(state=BotState.DRAINING)
    world.store.replace(world.bot)
    fill(world, "r94")
    before = len(world.workflow.started)
    world.clock.forward(seconds=60)
    evaluate(world)
    new = list(world.workflow.started.values())[before:]
    assert {intent.leg for intent in new} == {Leg.EXIT}


def test_money_for_no_rung_is_told(world: World) -> None:
    world.store.replace(replace(world.money(), available=Decimal(1), funded=Decimal(1)))
    decision = evaluate(world)
    assert decision.reason is Reason.BELOW_MINIMUM
    assert not world.workflow.started


def test_without_an_account_no_rung_is_armed(world: World) -> None:
    world.store.replace(replace(world.money(), budget_id="gone"))
    world.bot = grid_bot(budget_id="nowhere")
    assert evaluate(world).reason is Reason.BUDGET_MISSING


def test_without_rules_a_bought_rung_waits(world: World) -> None:
    evaluate(world)
    run(world)
    fill(world, "r96")
    world.store.delete(Key(MarketRules, (MARKET,)))
    world.clock.forward(seconds=60)
    assert evaluate(world).reason is Reason.MARKET_UNKNOWN


def test_no_more_than_ten_orders_are_started_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    many = tuple(
        Rung(name=f"r{price}", buy_price=Decimal(price), sell_price=Decimal(price + 1)) for price in range(60, 97)
    )
    monkeypatch.setattr(Ladder, "decide", lambda *_: Signal(action=Action.HOLD, rungs=many))
    evaluate(world)
    assert len(world.workflow.started) == 10
    assert max(intent.limit_price or 0 for intent in world.workflow.started.values()) == Decimal(96)
