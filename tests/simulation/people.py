"""What people do: to bots and budgets through the control API, at the exchange by hand, and to the deployment."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from surefill.domain.bots import cadence_key
from surefill.domain.kinds import BotState, Scope, StopKind
from surefill.domain.rows import Intent, Slot
from surefill.domain.states import POSTED, UNFINISHED, SlotState
from surefill.protocol.order import rest_no_longer
from surefill.usecases.control.accounts import AccountControl
from surefill.usecases.control.bots import BotControl
from surefill.usecases.control.errors import ConflictError, RequestRefusedError
from surefill.usecases.control.positions import LevelChange, PositionControl
from surefill.usecases.control.stops import standing_stops
from tests.simulation.functions import kill_switch, settler

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.simulation.functions import Environment
    from tests.simulation.world import World


def act(world: World, random: Random) -> None:
    """Somebody may do something within this minute."""
    if random.random() < 0.3:
        action = random.choice(_ACTIONS)
        world.kernel.after(random.random() * 60, lambda: action(world, random))


def leave(world: World) -> None:
    """People are done: no new entries, and nothing halted, so that everything can come to an end."""
    world.deserted = True
    for bot in world.bots():
        paused = replace(bot, state=BotState.PAUSED)
        world.store.replace(replace(paused, cadence_key=cadence_key(paused)))


def call_off(world: World) -> None:
    """No order rests on, nothing stays frozen; what was begun just before is called off a minute later."""
    for slot in world.store.rows(Slot):
        if slot.frozen:
            world.store.replace(replace(slot, frozen=None))
    for intent in world.store.rows(Intent):
        if intent.state in POSTED and intent.rests_until is not None:
            world.store.update(rest_no_longer(intent, now=world.now))


def _api(world: World, work: Callable[[Environment], object]) -> None:
    """A request to the control API; a refusal is an answer. Nobody asks for anything who has left."""
    if world.deserted:
        return

    def serve(environment: Environment) -> None:
        try:
            work(environment)
        except RequestRefusedError:
            world.ears.heard["api refused"] += 1

    world.cloud.run("bot_api", serve)


def close_position(world: World, bot_id: str, symbol: str, *, rung: str | None = None) -> None:
    """Somebody clicks "sell now"."""
    _api(world, lambda one: _positions(one).close(bot_id, symbol=symbol, rung=rung))


def _bots(one: Environment) -> BotControl:
    return BotControl(store=one.store, queue=one.queue, clock=one.clock, observer=one.around.ears)


def _positions(one: Environment) -> PositionControl:
    return PositionControl(
        store=one.store, bots=_bots(one), workflow=one.workflow, clock=one.clock, observer=one.around.ears
    )


def _accounts(one: Environment) -> AccountControl:
    return AccountControl(store=one.store, clock=one.clock, observer=one.around.ears, venues=("binance",))


def _set_state(world: World, random: Random) -> None:
    bot = random.choice(world.bots())
    state = random.choice((*BotState, BotState.ACTIVE, BotState.ACTIVE))
    _api(world, lambda one: _bots(one).set_state(bot.bot_id, state=state))
    if state is not BotState.ACTIVE:
        later = random.choice((60, 200))
        world.kernel.after(
            later, lambda: _api(world, lambda one: _bots(one).set_state(bot.bot_id, state=BotState.ACTIVE))
        )


def _close_twice(world: World, random: Random) -> None:
    found = [slot for slot in world.store.rows(Slot) if slot.state is SlotState.OPEN]
    if found:
        slot = random.choice(found)
        symbol = slot.market_key.partition("|")[2]
        for seconds in (0, random.choice((0, 0.2, 30))):
            world.kernel.after(seconds, partial(close_position, world, slot.bot_id, symbol, rung=slot.rung))


def _change_levels(world: World, random: Random) -> None:
    """Somebody moves the levels of an open position."""
    found = [slot for slot in world.store.rows(Slot) if slot.state is SlotState.OPEN]
    if found:
        slot = random.choice(found)
        symbol = slot.market_key.partition("|")[2]
        wanted = LevelChange(
            take_profit_percent=Decimal(random.choice(("0.2", "1"))),
            stop_loss_percent=Decimal(random.choice(("0.2", "2"))),
        )
        _api(
            world,
            lambda one: _positions(one).change(slot.bot_id, symbol=symbol, change=wanted, who="one", rung=slot.rung),
        )


def _switch(world: World, random: Random) -> None:
    plan = random.choice(world.plans)
    budget_id = f"{plan.account_id}-{plan.name}"
    _api(world, lambda one: _accounts(one).switch_entries(budget_id, allowed=False))
    later = random.choice((40, 150))
    world.kernel.after(later, lambda: _api(world, lambda one: _accounts(one).switch_entries(budget_id, allowed=True)))


def _move_funds(world: World, random: Random) -> None:
    plan = random.choice(world.plans)
    budget_id = f"{plan.account_id}-{plan.name}"
    amount, request = Decimal(random.choice((5, 50))), f"r{random.getrandbits(32)}"
    name = random.choice(("fund", "withdraw"))
    for _ in range(random.choice((1, 2))):
        _api(world, lambda one: getattr(_accounts(one), name)(budget_id, amount=amount, request_id=request))


def _edit(world: World, random: Random) -> None:
    bot = random.choice(world.bots())
    world.store.replace(replace(bot, budget_percent=Decimal(random.choice((10, 40, 100)))))


def _trade_by_hand(world: World, random: Random) -> None:
    """Somebody sells or buys at the website with the same account."""
    base = random.choice(("BTC", "ETH"))
    side = random.choice(("SELL", "SELL", "BUY"))
    quantity = Decimal("0.0002") if base == "BTC" else Decimal("0.005")
    before = _free(world)
    order = {"symbol": f"{base}USDT", "side": side, "type": "MARKET", "quantity": str(quantity)}
    if world.admin("POST", "/admin/orders", account="main", **order):
        _note(world, before)


def _sync_now(world: World, random: Random) -> None:
    """Somebody wants to know what became of the orders, now."""
    waiting = [intent.intent_id for intent in world.store.rows(Intent) if intent.state in UNFINISHED]
    for intent_id in random.sample(waiting, min(2, len(waiting))):
        for seconds in (0, random.choice((0, 0.3, 5))):
            world.kernel.after(seconds, partial(_settle, world, intent_id))


def _settle(world: World, intent_id: str) -> None:
    world.cloud.run("bot_api", lambda one: settler(one).settle(intent_id))


def _panic(world: World, random: Random) -> None:
    """Somebody presses the kill switch, twice because nothing seems to happen; later all stops are lifted."""
    kind = random.choice((StopKind.NO_NEW, StopKind.CLOSE_ALL, StopKind.CLOSE_ALL, StopKind.FREEZE))
    targets = (
        (Scope.ALL, "all"),
        (Scope.ACCOUNT, random.choice(world.plans).account_id),
        (Scope.BOT, random.choice(world.bots()).bot_id),
    )
    scope, target = random.choice(targets)
    for seconds in (random.random() / 2, random.choice((1, 2, 30))):
        press = partial(_press, world, kind, scope=scope, target=target)
        world.kernel.after(seconds, press)
    for slot in world.store.rows(Slot):
        if slot.state is SlotState.OPEN:  # somebody else sells by hand at the same moment
            sell = partial(close_position, world, slot.bot_id, slot.market_key.partition("|")[2], rung=slot.rung)
            world.kernel.after(random.random() / 2, sell)
    world.kernel.after(random.choice((60, 180)), partial(_lift, world))


def _press(world: World, kind: StopKind, *, scope: Scope, target: str) -> None:
    world.ears.heard[f"pressed {kind}"] += 1
    _api(world, lambda one: kill_switch(one).press(kind, scope=scope, target=target, who="one", why="panic"))


def _lift(world: World) -> None:
    def lift(one: Environment) -> None:
        for stop in list(standing_stops(one.store)):
            with suppress(ConflictError):  # somebody else did
                kill_switch(one).lift(stop.stop_id, who="one", why="over")

    _api(world, lift)


def _deposit(world: World, random: Random) -> None:
    asset, change = random.choice((("USDT", "100"), ("BTC", "0.001"), ("BTC", "-0.001"), ("ETH", "-0.01")))
    before = _free(world)
    if world.admin("POST", "/admin/balances", account="main", asset=asset, change=change):
        _note(world, before)


def _free(world: World) -> dict[str, Decimal]:
    """What the account holds, once orders that rest there have filled as far as they must have by now."""
    world.exchange.snapshot()
    account = world.exchange.state.ledger.accounts["main"]
    return {asset: held.free + held.locked for asset, held in account.balances.items()}


def _note(world: World, before: dict[str, Decimal]) -> None:
    for asset, held in _free(world).items():
        world.interference[asset] += held - before.get(asset, Decimal(0))
        world.lowest[asset] = min(world.lowest[asset], world.interference[asset])
    world.ears.heard["people at the venue"] += 1


def _redeploy(world: World, random: Random) -> None:
    world.ears.heard["redeploy"] += 1
    world.cloud.redeploy()


_ACTIONS = (
    _set_state,
    _set_state,
    _close_twice,
    _close_twice,
    _switch,
    _move_funds,
    _edit,
    _trade_by_hand,
    _deposit,
    _redeploy,
    _sync_now,
    _panic,
    _change_levels,
)
