"""Small models in which protections are missed: each as small as the story that it has to tell."""

from dataclasses import replace
from decimal import Decimal

from surefill.domain.kinds import OrderKind
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rows import Slot
from surefill.domain.states import IntentState, SlotState
from surefill.protocol.parts import OPEN
from surefill.usecases.exits import exit_intent
from tests.model.frame import START, bot, budget, entry, slot_of
from tests.model.scenario import Scenario
from tests.model.scenarios import exit_race, kill_switch, round_trip
from tests.model.stages import exits, stops, sweeper, workflow
from tests.model.venue import Habits, Order, Venue

CALM = Habits(fills=(2, 0), faults=frozenset())


def twice(**changes: object) -> Scenario:
    """One signal delivered twice."""
    base = Scenario(
        name="signal twice",
        rows=(budget(), bot()),
        processes=(workflow("first", entry()), workflow("second", entry())),
        moments=(0, 16, 28),
        crashes=1,
        faults=0,
        habits=CALM,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def alone(**changes: object) -> Scenario:
    """One order and the sweeper."""
    return twice(name="one order", processes=(workflow("first", entry()), sweeper("sweeper")), **changes)


def looked_for(**changes: object) -> Scenario:
    """One order that somebody else looks for."""
    base = twice(
        name="one order, one looker",
        processes=(workflow("first", entry(), looks=0), ("settle", "looker", entry().intent_id, 2)),
        moments=(0, 5, 10, 16),
        crashes=0,
        faults=1,
        habits=Habits(fills=(2,), faults=frozenset({"delayed"})),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def _sent(kind: OrderKind, *, halves: int) -> Scenario:
    """An order that was sent and accepted, its reply lost, and two who look for it behind the fence."""
    intent = replace(entry(kind=kind), state=IntentState.SENT, sent_at=START, worker="gone")
    market, owner = slot_of().values
    slot = Slot(
        market_key=market,
        owner_key=owner,
        bot_id=intent.bot_id,
        account_id=intent.account_id,
        budget_id=intent.budget_id,
        state=SlotState.OPENING,
        entry_intent_id=intent.intent_id,
        open_key=OPEN,
        slot_key=f"{market}|{owner}",
    )
    money = budget(799, funded=Decimal(1000), reserved=intent.reserved, open_positions=1, trades_today=1)
    order = Order(intent.intent_id, True, intent.quantity, halves, kind is OrderKind.LIMIT, START)
    return Scenario(
        name="an order whose reply was lost",
        rows=(intent, slot, money, bot()),
        venue=Venue(orders=(order,), posts=(intent.intent_id,)),
        processes=(("settle", "looker", intent.intent_id, 2), ("settle", "other looker", intent.intent_id, 1)),
        moments=(16, 28),
        crashes=0,
        habits=Habits(faults=frozenset(), goes_stale=True),
    )


def stale() -> Scenario:
    """A filled order whose lookers are lied to, once."""
    return _sent(OrderKind.LIMIT_IOC, halves=2)


def lying() -> Scenario:
    """A resting order at a venue that says now this, now that: what was seen once is not forgotten."""
    return replace(_sent(OrderKind.LIMIT, halves=0), habits=Habits(faults=frozenset(), lies=True))


def unmarked() -> Scenario:
    """A reply is lost, and a looker books the order before its worker marks it."""
    return looked_for(moments=(0, 16), habits=Habits(fills=(2,), faults=frozenset({"reply lost"})))


def late_person(**changes: object) -> Scenario:
    """Somebody's sale that was planned on what the slot held before."""
    held = exit_race()
    slot = next(row for row in held.rows if isinstance(row, Slot))
    rules = next(row for row in held.constants.values() if isinstance(row, MarketRules))
    planned = exit_intent(slot, reason=Reason.MANUAL_EXIT, tick=START, now=START, rules=rules)
    older = entry(minute=-20)
    done = replace(older, state=IntentState.EMPTY, work_key=None, next_check_at=None, finished_at=START)
    return replace(
        held,
        rows=(*held.rows, done),
        processes=(workflow("late person", replace(planned, **changes), looks=0),),  # type: ignore[arg-type]
        moments=(0,),
        crashes=0,
        faults=0,
        habits=CALM,
    )


def wrong_position() -> Scenario:
    """A sale of the position before this one."""
    return late_person(entry_intent_id=entry(minute=-20).intent_id, intent_id="e" * 32)


def too_much() -> Scenario:
    """A sale of more than is left."""
    return late_person(quantity=Decimal(2))


def blind() -> Scenario:
    """A venue whose look-up by id fails to know any order, while its lists do."""
    return looked_for(
        moments=(0, 16, 28), habits=Habits(fills=(2,), faults=frozenset({"reply lost"}), by_id_blind=True)
    )


def silent() -> Scenario:
    """A venue that does not answer when it is asked."""
    return looked_for(
        moments=(0, 16, 28), faults=4, habits=Habits(fills=(2,), faults=frozenset({"reply lost", "look failed"}))
    )


def paused_sender() -> Scenario:
    """A worker that may stand still between the send gate and the post."""
    return looked_for(moments=(0, 16, 28), faults=0, habits=CALM)


def too_late() -> Scenario:
    """A worker that comes when the time to send is over."""
    return alone(moments=(0, 28))


def resting() -> Scenario:
    """A resting order that fills in parts."""
    return twice(
        name="resting order",
        processes=(workflow("first", entry(kind=OrderKind.LIMIT)), sweeper("sweeper")),
        moments=(0, 46),
        crashes=0,
    )


def redelivered() -> Scenario:
    """The same signal once more, under a name of its own."""
    return twice(
        name="a signal under two names",
        processes=(workflow("first", entry()), workflow("again", entry(salt="again"))),
        crashes=0,
        moments=(0,),
    )


def two_signals() -> Scenario:
    """Two signals of one bot, one after the other."""
    later = replace(entry(minute=1), created_at=entry().created_at, deadline=entry().deadline)
    return twice(
        name="two signals of one bot",
        processes=(workflow("first", entry()), workflow("later", later), sweeper("sweeper")),
        crashes=0,
        moments=(0, 46),
    )


def two_bots(available: int = 1000, **changes: object) -> Scenario:
    """Two bots on one budget."""
    return twice(
        name="two bots on one budget",
        rows=(budget(available, **changes), bot(), bot("two")),
        processes=(workflow("bot one", entry()), workflow("bot two", entry("two"))),
        moments=(0,),
        crashes=0,
    )


def poor() -> Scenario:
    """Money for one of two bots, and an owner who withdraws."""
    scenario = two_bots(350)
    return replace(scenario, processes=(*scenario.processes, ("withdraw", "owner", Decimal(100))))


def sold_by_two() -> Scenario:
    """A stop loss and a person, sales that fill in part or not at all."""
    return exit_race(
        processes=(exits("stop loss", Reason.STOP_LOSS, slot_of()), exits("person", Reason.MANUAL_EXIT, slot_of())),
        moments=(0,),
        crashes=1,
        faults=0,
        habits=Habits(fills=(2, 1, 0), faults=frozenset()),
    )


def switched() -> Scenario:
    """The kill switch against one buyer."""
    return kill_switch(processes=(workflow("bot one", entry()), ("switch", "operator", False)), moments=(0,), crashes=0)


def stopped() -> Scenario:
    """A pause against one buyer."""
    return kill_switch(processes=(workflow("bot one", entry()), stops("operator", "one")), moments=(0,), crashes=0)


def shaky() -> Scenario:
    """One order, answers that do not come, a sweeper."""
    return alone(
        moments=(0, 16, 28), faults=1, habits=Habits(fills=(2,), faults=frozenset({"request lost", "reply lost"}))
    )


def unsent_and_swept() -> Scenario:
    """A worker that stands still before the gate until the sweeper takes its order back."""
    return twice(
        name="standing still before the gate",
        processes=(workflow("first", entry()), ("settle", "looker", entry().intent_id, 1)),
        moments=(0, 46),
        crashes=0,
    )


def unsent_and_followed() -> Scenario:
    """A worker that stands still before the gate until a looker took its order back and the next one has the slot."""
    return twice(
        name="the next order has the slot",
        processes=(
            workflow("first", entry(), looks=0),
            ("settle", "looker", entry().intent_id, 1),
            workflow("next", entry(minute=1), looks=0),
        ),
        moments=(0, 61),
        crashes=0,
    )


def exposed_and_swept() -> Scenario:
    """The same of an order that is counted as exposed."""
    exposed = replace(entry(), exposure_asset="BTC", max_exposure=Decimal(300))
    return twice(
        name="standing still before the gate, exposed",
        processes=(workflow("first", exposed), ("settle", "looker", exposed.intent_id, 1)),
        moments=(0, 46),
        crashes=0,
    )


def refused_twice() -> Scenario:
    """Two workers, a venue that may refuse."""
    return twice(moments=(0,), faults=1, crashes=0, habits=Habits(fills=(2,), faults=frozenset({"not sent"})))


def sold_and_signalled() -> Scenario:
    """Bought, sold, and the signal again."""
    return round_trip()


def exposed_bots() -> Scenario:
    """Two bots whose budget may put no more than so much into one asset."""
    limit = {"exposure_asset": "BTC", "max_exposure": Decimal(300)}
    processes = (
        workflow(f"bot {name}", replace(entry(name), **limit), looks=0)  # type: ignore[arg-type]
        for name in ("one", "two")
    )
    return replace(two_bots(max_exposure_per_asset=Decimal(300)), processes=tuple(processes))
