"""The kill switch: what it writes before it is acknowledged, what it takes back, and what lifting restores."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from surefill.domain.kinds import BotState, CloseOutcome, Mode, OrderKind, Scope, StopKind
from surefill.domain.reasons import Reason
from surefill.domain.records import Closing, Stop
from surefill.domain.rows import Account, Bot, Intent, Slot
from surefill.domain.states import IntentState, SlotState
from surefill.protocol.exit import claim_exit
from surefill.usecases.claim import claim
from surefill.usecases.control.bots import BotControl
from surefill.usecases.control.close import ATTEMPTS, Closer
from surefill.usecases.control.directory import Directory
from surefill.usecases.control.errors import ConflictError, NotFoundError
from surefill.usecases.control.stop import KillSwitch
from surefill.usecases.control.stops import standing_stops
from surefill.usecases.exits import exit_intent
from surefill.usecases.settle import is_resting
from tests.fakes.orders import entry_of
from tests.fakes.rows import MARKET, OWNER, bot, budget, rules
from tests.fakes.world import World


@dataclass
class ListClosings:
    """Remembers what was to be closed."""

    started: dict[str, list[Closing]] = field(default_factory=dict)

    def start_closing(self, name: str, closings: Sequence[Closing]) -> bool:
        self.started[name] = list(closings)
        return True


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def closings() -> ListClosings:
    return ListClosings()


@pytest.fixture
def switch(world: World, closings: ListClosings) -> KillSwitch:
    names = iter(f"{number:02}" for number in range(99))
    return KillSwitch(
        store=world.store,
        directory=Directory(store=world.store, venues=["binance"]),
        workflow=closings,
        clock=world.clock,
        observer=world.observer,
        name=lambda: next(names),
    )


def closer(world: World) -> Closer:
    return Closer(store=world.store, workflow=world.workflow, clock=world.clock, observer=world.observer)


def press(switch: KillSwitch, kind: StopKind, scope: Scope = Scope.ALL, target: str = "all") -> Stop:
    return switch.press(kind, scope=scope, target=target, who="ann", why="test").stop


def state(world: World, bot_id: str = "trend") -> BotState:
    found = world.store.get(Bot, bot_id)
    assert found is not None
    return found.state


def buy(world: World) -> Intent:
    return entry_of(world)


def hold(world: World, **changes: object) -> Slot:
    """An open position of 2 BTC that cost 200."""
    intent = buy(world)
    claim(intent, store=world.store, observer=world.observer)
    world.placer.place(intent, worker="w")
    assert world.slot().state is SlotState.OPEN
    if changes:
        world.store.replace(replace(world.slot(), **changes))
    return world.slot()


@pytest.mark.parametrize(
    ("scope", "target"), [(Scope.BOT, "trend"), (Scope.ACCOUNT, "live-binance-main"), (Scope.ALL, "all")]
)
@pytest.mark.parametrize("kind", [StopKind.NO_NEW, StopKind.FREEZE])
def test_nothing_is_claimed_once_it_is_acknowledged(
    world: World, switch: KillSwitch, kind: StopKind, scope: Scope, target: str
) -> None:
    intent = buy(world)
    stop = press(switch, kind, scope, target)
    assert stop.acknowledged_at is not None
    assert not claim(intent, store=world.store, observer=world.observer).claimed
    assert world.store.get(Intent, intent.intent_id) is None
    assert world.money().reserved == 0


def test_who_when_and_why_are_recorded(world: World, switch: KillSwitch) -> None:
    stop = press(switch, StopKind.NO_NEW)
    assert (stop.who, stop.why, stop.at) == ("ann", "test", world.clock.now())
    (entry,) = world.store.journal_of("trend")
    assert (entry.reason, entry.numbers["who"], entry.numbers["stop"]) == (Reason.STOPPED, "ann", stop.stop_id)
    assert [one.stop_id for one in standing_stops(world.store)] == [stop.stop_id]


def test_exits_go_on_after_no_new_and_not_after_freeze(world: World, switch: KillSwitch) -> None:
    hold(world)
    press(switch, StopKind.NO_NEW)
    assert not world.slot().frozen
    press(switch, StopKind.FREEZE)
    assert world.slot().frozen
    sale = exit_intent(
        world.slot(), reason=Reason.STOP_LOSS, tick=world.clock.now(), now=world.clock.now(), rules=rules()
    )
    assert not claim(sale, store=world.store, observer=world.observer).claimed
    assert world.slot().state is SlotState.OPEN


def test_what_was_not_sent_is_taken_back(world: World, switch: KillSwitch) -> None:
    intent = buy(world)
    claim(intent, store=world.store, observer=world.observer)
    pressed = switch.press(StopKind.FREEZE, scope=Scope.ALL, target="all", who="ann", why="")
    assert (pressed.taken_back, pressed.at_venue, pressed.stop.positions) == (1, 0, 1)
    assert world.intent(intent.intent_id).state is IntentState.VOID
    assert (world.slot().state, world.slot().frozen) == (SlotState.EMPTY, None)
    assert (world.money().reserved, world.money().available) == (0, 1000)
    world.placer.place(intent, worker="w")
    assert world.venue.posts == []


def test_a_sale_that_was_not_sent_is_taken_back_and_its_position_frozen(world: World, switch: KillSwitch) -> None:
    now = world.clock.now()
    sale = exit_intent(hold(world), reason=Reason.STOP_LOSS, tick=now, now=now, rules=rules())
    world.store.commit(claim_exit(sale))
    pressed = switch.press(StopKind.FREEZE, scope=Scope.BOT, target="trend", who="ann", why="")
    assert pressed.taken_back == 1
    assert (world.slot().state, world.slot().frozen) == (SlotState.OPEN, True)


def test_what_the_venue_has_is_only_counted(world: World, switch: KillSwitch) -> None:
    world.venue.script = ["resting"]
    intent = buy(world)
    claim(intent, store=world.store, observer=world.observer)
    world.placer.place(intent, worker="w")
    pressed = switch.press(StopKind.FREEZE, scope=Scope.ALL, target="all", who="ann", why="")
    assert (pressed.taken_back, pressed.at_venue) == (0, 1)
    assert world.intent(intent.intent_id).state is IntentState.ACCEPTED


def test_lifting_restores_what_was_changed_and_nothing_else(world: World, switch: KillSwitch) -> None:
    world.store.insert(bot(bot_id="idle", state=BotState.PAUSED, cadence_key=None, definition_hash="i"))
    world.store.insert(budget(budget_id="live-binance-main-off", entries_allowed=False))
    hold(world)
    stop = press(switch, StopKind.FREEZE)
    assert (state(world), state(world, "idle")) == (BotState.HALTED, BotState.HALTED)
    world.clock.forward(minutes=1)
    lifted = switch.lift(stop.stop_id, who="bob", why="over")
    assert (lifted.lifted_by, lifted.lifted_at) == ("bob", world.clock.now())
    assert (state(world), state(world, "idle")) == (BotState.ACTIVE, BotState.PAUSED)
    allowed = {one.budget_id: one.entries_allowed for one in world.store.budgets_of_account("live-binance-main")}
    assert allowed == {"live-binance-main-b": True, "live-binance-main-off": False}
    assert world.slot().frozen is None
    (back,) = world.store.bots_of_cadence("60")
    assert (back.bot_id, back.scheduled_since) == ("trend", world.clock.now())
    assert list(standing_stops(world.store)) == []
    with pytest.raises(ConflictError, match="was lifted at"):
        switch.lift(stop.stop_id, who="bob", why="again")


def test_a_stop_under_another_lifts_only_what_is_its_own(world: World, switch: KillSwitch) -> None:
    hold(world)
    narrow = press(switch, StopKind.FREEZE, Scope.BOT, "trend")
    world.clock.forward(minutes=1)
    wide = press(switch, StopKind.FREEZE)
    switch.lift(narrow.stop_id, who="bob", why="")
    assert (state(world), world.slot().frozen) == (BotState.HALTED, True)
    assert not world.money().entries_allowed
    switch.lift(wide.stop_id, who="bob", why="")
    assert world.slot().frozen is None
    assert world.money().entries_allowed
    assert state(world) is BotState.HALTED, "what the wide stop met it restores: a person starts the bot"


def test_a_bot_is_not_started_under_a_stop(world: World, switch: KillSwitch) -> None:
    control = BotControl(store=world.store, queue=world.queue, clock=world.clock, observer=world.observer)
    stop = press(switch, StopKind.NO_NEW, Scope.ACCOUNT, "live-binance-main")
    with pytest.raises(ConflictError, match="lift account-"):
        control.set_state("trend", state=BotState.ACTIVE)
    switch.lift(stop.stop_id, who="ann", why="")
    assert control.set_state("trend", state=BotState.ACTIVE).state is BotState.ACTIVE


def test_the_reach_ends_at_the_scope(world: World, switch: KillSwitch) -> None:
    world.store.insert(Account(account_id="paper-binance-p", venue="binance", mode=Mode.PAPER, currency="USDT"))
    world.store.insert(budget(budget_id="paper-binance-p-b", account_id="paper-binance-p"))
    other = bot(bot_id="other", account_id="paper-binance-p", budget_id="paper-binance-p-b", definition_hash="o")
    world.store.insert(other)
    press(switch, StopKind.FREEZE, Scope.ACCOUNT, "paper-binance-p")
    assert (state(world), state(world, "other")) == (BotState.ACTIVE, BotState.HALTED)
    assert world.money().entries_allowed
    for scope in (Scope.BOT, Scope.ACCOUNT):
        with pytest.raises(NotFoundError):
            press(switch, StopKind.NO_NEW, scope, "nobody")


# closing


def pressed_close(switch: KillSwitch, closings: ListClosings) -> Closing:
    press(switch, StopKind.CLOSE_ALL)
    ((name, (closing,)),) = closings.started.items()
    assert name.endswith("-0")
    return closing


def step(world: World, closing: Closing, attempt: int = 0) -> CloseOutcome:
    return closer(world).step(closing.stop_id, closing.position_key, attempt=attempt).outcome


def stored(world: World, closing: Closing) -> Closing:
    found = world.store.get(Closing, closing.stop_id, closing.position_key)
    assert found is not None
    return found


def test_every_position_is_sold_and_has_a_result(world: World, switch: KillSwitch, closings: ListClosings) -> None:
    hold(world)
    closing = pressed_close(switch, closings)
    assert step(world, closing) is CloseOutcome.WAITING
    assert step(world, closing, 1) is CloseOutcome.WAITING
    world.run_started()
    assert step(world, closing, 2) is CloseOutcome.CLOSED
    assert len(world.venue.posts) == 2, "one buy, one sale"
    assert (stored(world, closing).outcome, stored(world, closing).why) == (CloseOutcome.CLOSED, "order.filled")
    assert step(world, closing, 3) is CloseOutcome.CLOSED


def test_a_buy_that_was_not_sent_is_taken_back(world: World, switch: KillSwitch, closings: ListClosings) -> None:
    claim(buy(world), store=world.store, observer=world.observer)
    closing = pressed_close(switch, closings)
    assert step(world, closing) is CloseOutcome.WAITING
    assert step(world, closing, 1) is CloseOutcome.CLOSED
    assert world.money().available == 1000


def test_an_order_that_rests_is_called_back(world: World, switch: KillSwitch, closings: ListClosings) -> None:
    now = world.clock.now()
    limit = Decimal(120)
    sale = exit_intent(hold(world), reason=Reason.GRID_SELL, tick=now, now=now, rules=rules(), limit_price=limit)
    assert sale.kind is OrderKind.LIMIT
    world.venue.script = ["resting"]
    claim(sale, store=world.store, observer=world.observer)
    world.placer.place(sale, worker="w")
    assert is_resting(world.intent(sale.intent_id), now=now)
    closing = pressed_close(switch, closings)
    assert step(world, closing) is CloseOutcome.WAITING
    world.clock.forward(seconds=2)
    for _ in range(2):
        world.settler.settle(sale.intent_id)
    assert world.slot().state is SlotState.OPEN
    assert step(world, closing, 1) is CloseOutcome.WAITING
    world.venue.quoted_at = world.clock.now()
    world.run_started()
    assert step(world, closing, 2) is CloseOutcome.CLOSED


@pytest.mark.parametrize(
    ("changes", "outcome", "why"),
    [
        ({"state": SlotState.HELD, "held_reason": Reason.BALANCE_SHORT}, CloseOutcome.HELD, "position.balance_short"),
        ({"frozen": True}, CloseOutcome.FAILED, "stopped.frozen"),
    ],
)
def test_what_can_not_be_sold_says_why(
    world: World,
    switch: KillSwitch,
    closings: ListClosings,
    changes: dict[str, object],
    outcome: CloseOutcome,
    why: str,
) -> None:
    hold(world, **changes)
    closing = pressed_close(switch, closings)
    assert step(world, closing) is outcome
    assert stored(world, closing).why == why


def test_dust_is_written_off(world: World, switch: KillSwitch, closings: ListClosings) -> None:
    hold(world)
    world.store.replace(rules(min_quantity=Decimal(1_000)))
    closing = pressed_close(switch, closings)
    assert step(world, closing) is CloseOutcome.WAITING
    assert step(world, closing, 1) is CloseOutcome.CLOSED
    assert (world.money().deployed, world.money().loss_today > 0) == (0, True)


def test_it_is_given_up_after_some_minutes(world: World, switch: KillSwitch, closings: ListClosings) -> None:
    hold(world)
    closing = pressed_close(switch, closings)
    assert step(world, closing, ATTEMPTS) is CloseOutcome.FAILED
    assert "still OPEN" in stored(world, closing).why


def test_a_rejected_sale_is_tried_again_in_the_next_minute(
    world: World, switch: KillSwitch, closings: ListClosings
) -> None:
    hold(world)
    closing = pressed_close(switch, closings)
    world.venue.script = [Reason.REJECTED]
    assert step(world, closing) is CloseOutcome.WAITING
    world.run_started()
    assert world.slot().state is SlotState.OPEN
    world.clock.current += timedelta(minutes=1)
    assert step(world, closing, 1) is CloseOutcome.WAITING
    world.workflow.started = dict(list(world.workflow.started.items())[-1:])
    world.run_started()
    assert step(world, closing, 2) is CloseOutcome.CLOSED


def test_a_position_of_the_name_that_came_later_is_left_alone(
    world: World, switch: KillSwitch, closings: ListClosings
) -> None:
    hold(world)
    closing = pressed_close(switch, closings)
    world.store.replace(replace(world.slot(), entry_intent_id="f" * 32))
    assert step(world, closing) is CloseOutcome.CLOSED
    assert world.store.get(Slot, MARKET, OWNER).state is SlotState.OPEN
    with pytest.raises(LookupError):
        closer(world).step(closing.stop_id, "nothing", attempt=0)
