"""The flows that are crashed: entry, tranche, exits by level, step and person, each until all is at rest."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from surefill.domain.rows import Slot
from surefill.domain.rules import ExitRules, LadderStep
from surefill.domain.states import UNFINISHED, SlotState
from tests.simulation import judge, people
from tests.simulation.crash.plan import PlannedChaos
from tests.simulation.kernel import Kernel
from tests.simulation.world import LIVE, START_MS, BudgetPlan, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from surefill.domain.rows import Intent
    from tests.simulation.boundary import Fate

MINUTE_MS = 60_000
# Minutes after which everything must be at rest, whatever was crashed.
BOUND = 7
_BOT: Mapping[str, Any] = {"params": {"name": "one", "buys": 100, "sells": 0}, "take_profit_percent": Decimal("0.5")}
_ADDING: Mapping[str, Any] = {**_BOT, "params": {"name": "one", "buys": 100, "sells": 0, "adds": 100}}
_CLIMBING: Mapping[str, Any] = {
    **_BOT,
    "take_profit_percent": Decimal(5),
    "exit_rules": ExitRules(ladder=(LadderStep(percent=Decimal("0.5"), share=Decimal("0.5")),)),
}


@dataclass(frozen=True, slots=True)
class Ended:
    """One run: the boundaries it met, what was wrong at the end, minutes until rest, and how it ended."""

    met: tuple[str, ...]
    violations: tuple[str, ...]
    minutes: int
    state: SlotState


@dataclass(frozen=True, slots=True)
class Flow:
    """`prepare` runs undisturbed, then `begin` and everything after it meets the plan; `ends_in` are its good ends.

    `steps`: so many steps of the bot's profit ladder must have been sold in the end.
    """

    name: str
    prepare: Callable[[World], None]
    begin: Callable[[World, int], None]
    ends_in: frozenset[SlotState]
    paper: bool = False
    bot: Mapping[str, Any] = field(default_factory=lambda: _BOT)
    trades: int = 1
    steps: int = 0

    def ended(self, slot: Slot) -> bool:
        """Whether the slot is where the flow may end."""
        return slot.state in self.ends_in and slot.ladder_done == self.steps


def run_flow(flow: Flow, planned: Mapping[int, Fate], *, tell: Callable[[str], None] | None = None) -> Ended:
    """Run one flow with one plan of crashes."""
    chaos = PlannedChaos(planned)
    world = _world(flow, chaos, tell)
    try:
        return _run(world, chaos, flow)
    finally:
        world.close()


@contextmanager
def prepared(name: str) -> Iterator[tuple[World, Callable[[], None]]]:
    """The world of a flow just before it begins, and what lets its first minute pass."""
    flow = next(flow for flow in FLOWS if flow.name == name)
    world = _world(flow, PlannedChaos({}), None)
    try:
        _hold_price(world, "60000")
        flow.prepare(world)
        yield world, lambda: _minute(world, lambda moment_ms: flow.begin(world, moment_ms), first=True)
    finally:
        world.close()


def _world(flow: Flow, chaos: PlannedChaos, tell: Callable[[str], None] | None) -> World:
    plan = BudgetPlan(
        name="one",
        account_id="paper-binance-s1" if flow.paper else LIVE,
        amount=Decimal(500),
        bots=(("one", ("BTC/USDT",), flow.bot),),
        limits={"max_trades_per_day": flow.trades},
    )
    kernel = Kernel(seed=flow.name, start_ms=START_MS, tell=tell)
    return World(seed=1, chaos=chaos, kernel=kernel, plans=[plan], tell=tell)


def _hold_price(world: World, price: str) -> None:
    world.admin("POST", "/admin/prices", symbol="BTCUSDT", price=price, hold=True)


def _run(world: World, chaos: PlannedChaos, flow: Flow) -> Ended:
    _hold_price(world, "60000")
    flow.prepare(world)
    chaos.armed = True
    minute = 0
    while minute < BOUND:
        _minute(world, lambda moment_ms: flow.begin(world, moment_ms), first=minute == 0)
        minute += 1
        if minute >= 2 and len(chaos.met) > max(chaos.planned, default=-1) and _at_rest(world, flow):
            break
    rows = world.rows()
    found, _ = judge.safety(world, None)
    found += judge.rest(world, rows)
    texts = [str(violation) for violation in found]
    slot = _slot(world)
    if not flow.ended(slot):
        expected = f"one of {', '.join(sorted(flow.ends_in))} after {flow.steps} steps"
        texts.append(f"L4 {flow.name}: ended {slot.state} after {slot.ladder_done} steps, expected {expected}")
    return Ended(tuple(chaos.met), tuple(texts), minute, slot.state)


def _minute(world: World, begin: Callable[[int], None], *, first: bool) -> None:
    kernel = world.kernel
    moment_ms = kernel.now_ms // MINUTE_MS * MINUTE_MS + MINUTE_MS
    kernel.run_until(moment_ms)
    if first:
        begin(moment_ms)
    else:
        world.cloud.tick("watch_exits", moment_ms)
        world.cloud.tick("reconcile", moment_ms)
    kernel.run_until(moment_ms + MINUTE_MS - 1)


def _at_rest(world: World, flow: Flow) -> bool:
    intents: list[Intent] = list(world.rows().intents)
    return all(intent.state not in UNFINISHED for intent in intents) and flow.ended(_slot(world))


def _slot(world: World) -> Slot:
    slots = world.store.rows(Slot)
    return slots[0] if slots else Slot(market_key="binance|BTC/USDT", owner_key=f"{LIVE}|one")


def _nothing(world: World) -> None:
    """The entry starts from scratch."""


def _buy(world: World) -> None:
    """A position, taken undisturbed."""
    _minute(world, lambda moment_ms: world.cloud.tick("dispatch", moment_ms), first=True)
    if _slot(world).state is not SlotState.OPEN:
        raise AssertionError(f"the undisturbed entry must end OPEN, was {_slot(world)}")


def _rise_and_watch(world: World, moment_ms: int) -> None:
    _hold_price(world, "61000")
    world.cloud.tick("watch_exits", moment_ms)


def _close_by_hand(world: World, moment_ms: int) -> None:
    """A double click, while the level is reached as well."""
    _hold_price(world, "61000")
    for seconds in (1.0, 1.2):
        world.kernel.after(seconds, lambda: people.close_position(world, "one", "BTC/USDT"))


def _rise_and_sell_half(world: World, moment_ms: int) -> None:
    """The venue fills a part at several prices and lets the rest expire: the position stays open with what is left."""
    world.admin("POST", "/admin/markets", symbol="BTCUSDT", book={"depth": "70"})
    world.admin("POST", "/admin/faults", kind="partial_fill_then_expire", ratio="0.5", count=1)
    _rise_and_watch(world, moment_ms)


def _dispatch(world: World, moment_ms: int) -> None:
    world.cloud.tick("dispatch", moment_ms)


_ENTERED = frozenset({SlotState.OPEN, SlotState.EMPTY})
_HOLDING = frozenset({SlotState.OPEN})
_SOLD = frozenset({SlotState.EMPTY})
FLOWS = (
    Flow(name="entry", prepare=_nothing, begin=_dispatch, ends_in=_ENTERED),
    Flow(name="exit", prepare=_buy, begin=_rise_and_watch, ends_in=_SOLD),
    Flow(name="partial exit", prepare=_buy, begin=_rise_and_sell_half, ends_in=_SOLD),
    Flow(name="tranche", prepare=_buy, begin=_dispatch, ends_in=_HOLDING, bot=_ADDING, trades=2),
    Flow(name="ladder", prepare=_buy, begin=_rise_and_watch, ends_in=_HOLDING, bot=_CLIMBING, steps=1),
    Flow(name="close by hand", prepare=_buy, begin=_close_by_hand, ends_in=_SOLD),
    Flow(name="paper entry", prepare=_nothing, begin=_dispatch, ends_in=_ENTERED, paper=True),
    Flow(name="paper exit", prepare=_buy, begin=_rise_and_watch, ends_in=_SOLD, paper=True),
)
