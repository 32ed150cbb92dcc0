"""Run one budget on the protocol engine: the product's use cases and transactions on tables in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.backtest.conservation import require_conservation
from local.backtest.deciding import Deciding
from local.backtest.engine import Engine
from local.backtest.outcome import BudgetResult, closed_positions, filled_orders, result_of
from local.backtest.setting_up import set_up
from local.backtest.spec import EngineKind, FillModel
from local.backtest.tape import Tape
from local.backtest.touches import Touches
from local.backtest.venue import BacktestVenue
from local.backtest.world import make_world
from surefill.domain.rows import Budget, Slot
from surefill.domain.states import SlotState

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping, Sequence

    from local.backtest.clock import SetClock
    from local.backtest.market import Market
    from local.backtest.spec import BacktestSpec, BudgetPlan
    from local.backtest.world import World
    from surefill.domain.rows import Bot
    from surefill.strategies.base import Strategy


def run_protocol(
    spec: BacktestSpec,
    plan: BudgetPlan,
    *,
    market: Market,
    clock: SetClock,
    strategies: Mapping[str, type[Strategy]],
    changed: Callable[[Bot], Bot],
    whole: bool = False,
) -> BudgetResult:
    """Run the bots of one budget. `changed` as in `run_budget`, `whole` as in `Deciding`."""
    if spec.fill is FillModel.TICKS:
        from local.backtest.ticks import run_ticks  # brings ccxt

        done = run_ticks(spec, plan, strategies=strategies)
        return _result(done.world, plan, bots=done.bots, counts=done.counts, market=market)
    venue = BacktestVenue(clock=clock, costs=spec.costs)
    world = make_world(clock=clock, venues=venue, strategies=strategies)
    bots = [changed(bot) for bot in set_up(world.store, spec, budgets=[plan], clock=clock)]
    for bot in bots:
        world.store.replace(bot)
    tape = Tape(venue=venue, rules=spec.rules)
    engine = Engine(
        world=world,
        venue=venue,
        market=market,
        fill=spec.fill,
        tape=tape,
        touches=Touches(world=world, venue=venue, tape=tape),
        deciding=Deciding(world=world, market=market, whole=whole),
    )
    engine.run(bots)
    return _result(world, plan, bots=bots, counts=engine.deciding.counts, market=market)


def _result(
    world: World, plan: BudgetPlan, *, bots: Sequence[Bot], counts: Counter[str], market: Market
) -> BudgetResult:
    orders = filled_orders(world.store)
    require_conservation(world.store, orders=orders)
    held = [slot for slot in world.store.rows(Slot) if slot.state is not SlotState.EMPTY]
    (budget,) = world.store.rows(Budget)
    return result_of(
        plan,
        engine=EngineKind.PROTOCOL,
        bots=bots,
        market=market,
        available=budget.available,
        realised=budget.realised,
        orders=orders,
        trades=closed_positions(orders, still_open={slot.entry_intent_id or "" for slot in held}),
        held=[(slot.market_key.partition("|")[2], slot.quantity) for slot in held],
        decisions=counts + world.workflow.refusals,
    )
