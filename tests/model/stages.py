"""The processes of the models: each stage is one invocation of the product, and says what is invoked next.

What leads from one invocation to the next is the order workflow: claim, place, then settle as long as it is pending;
any failure of a task leads to settle, and place is never repeated.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from surefill.domain.rows import Bot, BotState, Budget, Intent, Leg, Slot
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
from tests.model.frame import BUDGET, MARKET, START
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
    if intent.leg is Leg.ENTRY:
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
    rules = next(row for row in ports.store.constants.values() if row.TABLE == "markets")
    intent = exit_intent(slot, reason=reason, tick=START, now=ports.clock.now(), rules=rules)  # type: ignore[arg-type]
    return ("claim", who, intent, looks)


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


def _pause(ports: Ports, key: StageKey) -> StageKey | None:
    exists = Guard(name="bot_exists", field="bot_id", op=Op.PRESENT)
    ports.store.update(Update(key=Key(Bot, (key[2],)), set={"state": BotState.PAUSED}, guards=(exists,)))
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
    "watch": _watch,
    "switch": _switch,
    "pause": _pause,
    "withdraw": _withdraw,
}


def workflow(who: str, intent: Intent, *, looks: int = 1) -> StageKey:
    """One execution of the order workflow, with so many looks before it is left to reconcile."""
    return ("claim", who, intent, looks)


def exits(who: str, reason: object, slot_key: Key, *, looks: int = 1) -> StageKey:
    """Somebody who wants a position sold."""
    return ("exit", who, reason, slot_key, looks)


def sweeper(who: str, *, passes: int = 1) -> StageKey:
    """Passes of the reconcile schedule."""
    return ("reconcile", who, passes)


__all__ = ["MARKET", "Stages", "exits", "placer", "settler", "sweeper", "workflow"]
