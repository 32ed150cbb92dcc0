"""The race against the kill switch: everybody buys while one presses it. Once it is acknowledged, nothing commits."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from surefill.domain.kinds import Mode, Scope, StopKind
from surefill.domain.records import Closing
from surefill.domain.rows import Account, Intent
from surefill.ports import Store
from surefill.protocol.funds import open_budget
from surefill.usecases.claim import claim
from surefill.usecases.control.directory import Directory
from surefill.usecases.control.stop import KillSwitch
from tests.contract.world import T0, World, at
from tests.fakes.ports import FakeClock, ListObserver
from tests.races.claims import PRICE
from tests.races.workload import Figures, Plan, Seen, Turn, Workload

# Buys a client has ready; it stops at its first refusal.
BUYS = 2
# Buyers share budgets by fours: on a single one they would mostly wait for each other.
_BUDGETS = 8
_MONEY = Decimal(1_000_000)
_LONGEST_WAIT = 0.1  # seconds until the switch is pressed, and between two buys
# In a storm a press that writes many rows may fail often before it is acknowledged.
_PRESSES = 10
# Without the guards a buyer goes on when the switch has long been acknowledged.
_CONTROL_WAIT = 0.5  # seconds
_WAYS = (
    (StopKind.NO_NEW, Scope.BOT),
    (StopKind.NO_NEW, Scope.ALL),
    (StopKind.FREEZE, Scope.BOT),
    (StopKind.NO_NEW, Scope.ACCOUNT),
    (StopKind.CLOSE_ALL, Scope.ALL),
    (StopKind.FREEZE, Scope.ALL),
)


class NobodyCloses:
    """The workflow of CLOSE_ALL: what it starts is another story."""

    def start_closing(self, name: str, closings: Sequence[Closing]) -> bool:
        return True


def _venue(world: World) -> str:
    """A venue of the round's own, so that "everything" is this round."""
    return f"v{world.name}"


def _budget(world: World, number: int) -> str:
    return world.budget_id if not number else f"{_account(world)}-b{number}"


def _account(world: World) -> str:
    return f"live-{_venue(world)}-main"


class StopRace(Workload):
    """All but one buy, on places of their own, until they are refused; one presses the switch."""

    name = "kill switch"
    dropped = frozenset({"bot_active", "entries_allowed"})
    shows = "over_reservations"

    def prepare(self, store: Store, plan: Plan) -> None:
        """An account, a budget and a bot that no other round knows."""
        world = plan.world
        store.insert(
            Account(account_id=_account(world), venue=_venue(world), mode=Mode.LIVE, currency="USDT", secret_name="s")
        )
        store.insert(world.bot(symbols=("BTC/USDT",), venue=_venue(world), account_id=_account(world)))
        for number in range(_BUDGETS):
            own = {"account_id": _account(world), "budget_id": _budget(world, number)}
            budget = replace(world.budget(), funded=_MONEY, available=_MONEY, **own)
            store.commit(open_budget(budget, request_id="first", now=T0))

    def ready(self, turn: Turn) -> Callable[[], None]:
        """The last client presses; the others have their buys ready."""
        if turn.client == turn.clients - 1:
            return lambda: self._press(turn)
        intents = [_entry(turn.world, turn.client * BUYS + number) for number in range(BUYS)]
        return lambda: self._buy(turn, intents)

    def _buy(self, turn: Turn, intents: Sequence[Intent]) -> None:
        chance = random.Random(intents[0].intent_id)
        for intent in intents:
            time.sleep(chance.random() * _LONGEST_WAIT + (_CONTROL_WAIT if turn.control else 0))
            told: list[bool] = []
            turn.insist(
                lambda intent=intent, told=told: told.append(  # type: ignore[misc]
                    claim(intent, store=turn.store, observer=ListObserver()).claimed
                )
            )
            if not told:
                continue  # nobody answered: whether it was claimed is seen in the tables
            if not told[-1]:
                return
            turn.answer.claimed.append(intent.intent_id)

    def _press(self, turn: Turn) -> None:
        kind, scope = _WAYS[turn.plan.number % len(_WAYS)]
        target = {Scope.BOT: turn.world.bot_id, Scope.ACCOUNT: _account(turn.world), Scope.ALL: "all"}[scope]
        switch = KillSwitch(
            store=turn.store,
            directory=Directory(store=turn.store, venues=[_venue(turn.world)]),
            workflow=NobodyCloses(),
            clock=FakeClock(T0),
            observer=ListObserver(),
        )
        time.sleep(random.Random(turn.plan.name).random() * _LONGEST_WAIT)

        def press() -> None:
            switch.press(kind, scope=scope, target=target, who="race", why="")

        if not any(turn.insist(press) for _ in range(_PRESSES)):
            turn.answer.error = "the switch was never acknowledged"
            return
        turn.insist(lambda: _remember(turn))
        turn.answer.done = 1

    def judge(self, seen: Seen, figures: Figures) -> None:
        """What is reserved at the end was reserved when the switch was acknowledged."""
        committed = {intent.intent_id for intent in seen.intents}
        presser = next((answer for answer in seen.answers if answer.done), None)
        if presser is None:
            return  # its error has been told
        late = committed - set(presser.committed)
        figures.reads += len(presser.committed)
        if late:
            figures.over_reservations += len(late)
            figures.wrong(f"{seen.plan.name}: {len(late)} reservations committed after the switch was acknowledged")
        told = seen.claimed() - committed
        if told:
            figures.wrong(f"{seen.plan.name}: told of {len(told)} claims that are not stored")


def _remember(turn: Turn) -> None:
    """The orders that were claimed, read strongly consistent right after the acknowledgement."""
    everything = [(_entry(turn.world, number).intent_id,) for number in range(turn.clients * BUYS)]
    turn.answer.committed = [intent.intent_id for intent in turn.store.get_many(Intent, everything)]


def _entry(world: World, number: int) -> Intent:
    """A buy with a minute and a rung of its own."""
    intent = world.entry(tick=at(60 * number), reserved=str(PRICE), quantity=Decimal(1), limit_price=PRICE)
    own = {"account_id": _account(world), "budget_id": _budget(world, number // BUYS % _BUDGETS)}
    return replace(intent, venue=_venue(world), rung=f"r{number}", created_at=at(1), **own)
