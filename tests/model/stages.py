"""The processes of the models: each stage is one invocation of the product, and says what is invoked next.

What leads from one invocation to the next is the order workflow: claim, place, then settle as long as it is pending;
any failure of a task leads to settle, and place is never repeated.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from surefill.domain.kinds import BotState, Leg
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rows import Bot, Budget, Intent, Slot
from surefill.domain.states import SlotState
from surefill.ports import StoreUnavailableError
from surefill.protocol.funds import switch_entries, withdraw
from surefill.protocol.transaction import Guard, GuardFailedError, Key, Op, Update
from surefill.usecases.book import Outcome
from surefill.usecases.claim import claim
from surefill.usecases.directory import AccountDirectory
from surefill.usecases.exits import exit_intent
from surefill.usecases.place import Placer
from surefill.usecases.reconcile import Reconciler
from surefill.usecases.settle import Settler
from surefill.usecases.watch_exits import ExitWatch
from tests.model.frame import BUDGET, MARKET, START, tranche
from tests.model.process import Call, Crashed, Ports, StageKey

Stage = Callable[[Ports, StageKey], StageKey | None]
_DEFECTS = (GuardFailedError, StoreUnavailableError, AssertionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """How each kind of stage is run. `after_crash_of_place` is "settle" in the product's workflow."""

    after_crash_of_place: str = "settle"
    replaced: Mapping[str, Stage] = field(default_factory=dict)

    def run(self, key: StageKey, ports: Ports) -> StageKey | None:
        """Run a stage until it is suspended, ends, or dies; returns the stage that follows."""
        stage = self.replaced.get(key[0]) or _STAGES[key[0]]
        try:
            return stage(ports, key)
        except Crashed:
            return self._after_failure(key)
        except _DEFECTS:
            return self._after_failure(key)

    def _after_failure(self, key: StageKey) -> StageKey | None:
        kind, who = key[0], key[1]
        if kind == "claim":
            return ("settle", who, key[2].intent_id, key[3])
        if kind == "place":
            if self.after_crash_of_place == "place" and not who.endswith("'"):
                return ("place", who + "'", *key[2:])
            return ("settle", who, key[2].intent_id, key[3])
        if kind in ("settle", "reconcile"):
            return _again(key)
        return None


def _again(key: StageKey) -> StageKey | None:
    left = key[-1] - 1
    return (*key[:-1], left) if left > 0 else None


def _claim(ports: Ports, key: StageKey) -> StageKey | None:
    _, who, intent, looks = key
    claimed = claim(intent, store=ports.store, observer=ports.observer)  # type: ignore[arg-type]
    return ("place", who, intent, looks) if claimed.claimed else None


def _place(ports: Ports, key: StageKey) -> StageKey | None:
    _, who, intent, looks = key
    if intent.leg is not Leg.EXIT:
        ports.store.script.ask(Call("store", "begins", Key(Budget, (intent.budget_id,))))
    outcome = placer(ports).place(intent, worker=who)
    return ("settle", who, intent.intent_id, looks) if outcome in (Outcome.PENDING, Outcome.HELD) and looks else None


def placer(ports: Ports) -> Placer:
    """The use case on scripted ports."""
    return Placer(
        store=ports.store,  # type: ignore[arg-type]
        accounts=AccountDirectory(ports.store),  # type: ignore[arg-type]
        venues=ports.venue,  # type: ignore[arg-type]
        clock=ports.clock,
        observer=ports.observer,
    )


def settler(ports: Ports) -> Settler:
    """The use case on scripted ports."""
    return Settler(
        store=ports.store,  # type: ignore[arg-type]
        accounts=AccountDirectory(ports.store),  # type: ignore[arg-type]
        venues=ports.venue,  # type: ignore[arg-type]
        clock=ports.clock,
        observer=ports.observer,
    )


def _settle(ports: Ports, key: StageKey) -> StageKey | None:
    return _again(key) if settler(ports).settle(key[2]) is Outcome.PENDING else None


def _reconcile(ports: Ports, key: StageKey) -> StageKey | None:
    sweeper = Reconciler(store=ports.store, settler=settler(ports), clock=ports.clock, observer=ports.observer)  # type: ignore[arg-type]
    sweeper.reconcile(tick=START)
    return _again(key)


def _exit(ports: Ports, key: StageKey) -> StageKey | None:
    """A strategy's sale or a person's close: read the slot, and start the workflow of its exit."""
    _, who, reason, slot_key, looks = key
    slot = ports.store.get(Slot, *slot_key.values)
    if slot is None or slot.state != "OPEN":
        return None
    rules = next(row for row in ports.store.constants.values() if isinstance(row, MarketRules))
    intent = exit_intent(slot, reason=reason, tick=START, now=ports.clock.now(), rules=rules)
    return ("claim", who, intent, looks)


def _reduce(ports: Ports, key: StageKey) -> StageKey | None:
    """A sale of a part: read the slot, and start the workflow of that sale."""
    _, who, reason, slot_key, quantity, looks = key
    slot = ports.store.get(Slot, *slot_key.values)
    if slot is None or slot.state != "OPEN" or slot.quantity <= quantity:
        return None
    rules = next(row for row in ports.store.constants.values() if isinstance(row, MarketRules))
    intent = exit_intent(slot, reason=reason, tick=START, now=ports.clock.now(), rules=rules, quantity=quantity)
    return ("claim", who, intent, looks)


def _add(ports: Ports, key: StageKey) -> StageKey | None:
    """A tick on which the strategy wants more of what is held: read the slot, and start the tranche's workflow."""
    _, who, minute, slot_key, looks = key
    slot = ports.store.get(Slot, *slot_key.values)
    if slot is None or slot.state != "OPEN" or slot.entry_intent_id is None:
        return None
    planned = tranche(slot.bot_id, of=slot.entry_intent_id, minute=minute, number=slot.tranches)
    return ("claim", who, planned, looks)


def _watch(ports: Ports, key: StageKey) -> StageKey | None:
    """One pass of the exit watch; the workflow it starts is carried on by the same process."""
    watch = ExitWatch(
        store=ports.store,  # type: ignore[arg-type]
        venues=ports.venue,  # type: ignore[arg-type]
        workflow=ports.workflow,
        clock=ports.clock,
        observer=ports.observer,
    )
    watch.watch(tick=START)
    started = ports.workflow.intents
    return ("claim", key[1], started[0], key[2]) if started else None


def _switch(ports: Ports, key: StageKey) -> StageKey | None:
    """Entries off (`key[2]` False) or on again."""
    ports.store.update(switch_entries(BUDGET, allowed=key[2]))
    return None


def _stop(ports: Ports, key: StageKey) -> StageKey | None:
    """A person sets a bot (`key[2]`) to the state `key[3]`."""
    exists = Guard(name="bot_exists", field="bot_id", op=Op.PRESENT)
    ports.store.update(Update(key=Key(Bot, (key[2],)), set={"state": key[3]}, guards=(exists,)))
    return None


def _freeze(ports: Ports, key: StageKey) -> StageKey | None:
    """A person freezes a position."""
    open_slot = Guard(name="slot_holds", field="state", op=Op.EQUAL, value=SlotState.OPEN)
    ports.store.update(Update(key=key[2], set={"frozen": True}, guards=(open_slot,)))
    return None


def _withdraw(ports: Ports, key: StageKey) -> StageKey | None:
    ports.store.commit(withdraw(BUDGET, amount=key[2], request_id=key[1], now=START))
    return None


_STAGES: Mapping[str, Stage] = {
    "claim": _claim,
    "place": _place,
    "settle": _settle,
    "reconcile": _reconcile,
    "exit": _exit,
    "reduce": _reduce,
    "add": _add,
    "watch": _watch,
    "switch": _switch,
    "stop": _stop,
    "freeze": _freeze,
    "withdraw": _withdraw,
}


def workflow(who: str, intent: Intent, *, looks: int = 1) -> StageKey:
    """One execution of the order workflow, with so many looks before it is left to reconcile."""
    return ("claim", who, intent, looks)


def exits(who: str, reason: object, slot_key: Key, *, looks: int = 1) -> StageKey:
    """Somebody who wants a position sold."""
    return ("exit", who, reason, slot_key, looks)


def parts(who: str, slot_key: Key, *, quantity: int = 1, looks: int = 1) -> StageKey:
    """Somebody who wants so much of a position sold."""
    return ("reduce", who, Reason.STRATEGY_EXIT, slot_key, Decimal(quantity), looks)


def adds(who: str, slot_key: Key, *, minute: int = 1, looks: int = 1) -> StageKey:
    """A tick at which one more tranche is wanted."""
    return ("add", who, minute, slot_key, looks)


def stops(who: str, bot_id: str, state: BotState = BotState.PAUSED) -> StageKey:
    """Somebody who stops a bot."""
    return ("stop", who, bot_id, state)


def sweeper(who: str, *, passes: int = 1) -> StageKey:
    """Passes of the reconcile schedule."""
    return ("reconcile", who, passes)


__all__ = ["MARKET", "Stages", "adds", "exits", "parts", "placer", "settler", "stops", "sweeper", "workflow"]
