"""One model as a machine: numbers for states of everything, and what may happen next. Every step is computed once."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from surefill.domain.records import MarketRules
from surefill.domain.rows import Intent, Slot
from surefill.domain.times import sortable
from surefill.ports import StoreUnavailableError
from surefill.protocol.parts import WORK
from surefill.protocol.transaction import FailedGuard, GuardFailedError, Transaction, Update
from tests.model import laws, step_laws
from tests.model.frame import at
from tests.model.process import (
    CRASH,
    Answer,
    Call,
    Node,
    Ports,
    Script,
    ScriptedClock,
    ScriptedStore,
    ScriptedVenue,
    StageKey,
    Suspended,
)
from tests.model.scenario import Scenario
from tests.model.stages import Stages
from tests.model.tables import Tables
from tests.model.venue import Market, Venue, later

DONE = 0


class Move(NamedTuple):
    """One step of one process: what it costs, where it leads, and the law it breaks, if it does."""

    crash: int
    fault: int
    node: int
    store: int
    venue: int
    text: str
    broken: str | None = None


@dataclass(slots=True)
class Machine:
    """The state space of one scenario."""

    scenario: Scenario
    stages: Stages = field(default_factory=Stages)
    without: frozenset[str] = frozenset()
    tables: Tables = field(init=False)
    market: Market = field(init=False)
    nodes: list[Node] = field(default_factory=lambda: [Node(None, (), (), None)])
    venues: list[Venue] = field(default_factory=list)
    start: int = field(init=False)
    rules: MarketRules = field(init=False)
    crash_points: set[int] = field(default_factory=set)
    _node_ids: dict[Hashable, int] = field(default_factory=dict)
    _venue_ids: dict[Venue, int] = field(default_factory=dict)
    _moves: dict[Hashable, tuple[Move, ...]] = field(default_factory=dict)
    _ticks: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tables = Tables(without=self.without)
        self.market = Market(self.scenario.habits)
        self.start = self.tables.start(self.scenario.rows)
        self.rules = next(row for row in self.scenario.constants.values() if isinstance(row, MarketRules))

    def first(self) -> tuple[int, ...]:
        """The first state: contents, venue, moment, crashes and faults allowed, then one number per process."""
        processes = [self.root(stage) for stage in self.scenario.processes]
        allowed = (self.scenario.crashes, self.scenario.faults)
        return (self.start, self.venue_id(self.scenario.venue), 0, *allowed, *processes)

    def now(self, moment: int) -> datetime:
        """The time at a moment; after the last named one they are a little more than a minute apart."""
        named = self.scenario.moments
        beyond = max(0, moment - len(named) + 1)
        return at(named[min(moment, len(named) - 1)] + 61 * beyond)

    def moves(self, node: int, store: int, venue: int, moment: int) -> tuple[tuple[Move, ...], bool, bool]:
        """The steps, and whether they set the contents and the venue (else both stay as they are)."""
        call = self.nodes[node].call
        assert call is not None
        world = call.world
        key: Hashable = (
            (node, store) if world == "store" else (node, -1, moment) if world == "clock" else (node, venue, moment, -1)
        )
        found = self._moves.get(key)
        if found is None:
            found = self._moves[key] = tuple(self._compute(node, call, store, venue, moment))
        return found, world == "store", world == "venue"

    def events(self, venue: int, moment: int) -> tuple[tuple[int, int, str], ...]:
        """What happens without any process: (cost, venue afterwards, text)."""
        key = (-venue - 1, moment)
        found: Any = self._moves.get(key)
        if found is None:
            listed = self.market.events(self.venues[venue], self.now(moment))
            found = tuple((cost, self.venue_id(after), text) for cost, text, after in listed)
            self._moves[key] = found
        return found

    def tick(self, venue: int) -> int:
        """The venue when the clock moves."""
        found = self._ticks.get(venue)
        if found is None:
            found = self._ticks[venue] = self.venue_id(later(self.venues[venue]))
        return found

    def venue_id(self, venue: Venue) -> int:
        """The number of a venue's state."""
        number = self._venue_ids.get(venue)
        if number is None:
            number = self._venue_ids[venue] = len(self.venues)
            self.venues.append(venue)
        return number

    # inside

    def _compute(self, node: int, call: Call, store: int, venue: int, moment: int) -> Sequence[Move]:
        moves = []
        if call.is_effect:
            after = self._after(node, CRASH)
            moves.append(Move(1, 0, after, store, venue, f"{self._told(node, call)} … {CRASH.text} before it"))
            self.crash_points.add(node)
        for cost, answer, store_after, venue_after, broken in self._answers(node, call, store, venue, moment):
            text = f"{self._told(node, call)} -> {answer.text}"
            after = self._after(node, answer)
            note = self.nodes[after].note
            moves.append(Move(0, cost, after, store_after, venue_after, text + note, broken))
        return moves

    def _answers(
        self, node: int, call: Call, store: int, venue: int, moment: int
    ) -> list[tuple[int, Answer, int, int, str | None]]:
        if call.world == "clock":
            now = self.now(moment)
            return [
                (0, Answer(("now", moment), lambda: now, f"{(now - at(0)).total_seconds():.0f} s"), store, venue, None)
            ]
        if call.world == "venue":
            broken = step_laws.broken_by_post(self.nodes[node], call) if call.name == "post" else None
            outcomes = self.market.outcomes(call, self.venues[venue], self.now(moment))
            return [(one.cost, one.answer, store, self.venue_id(_sorted(one.after)), broken) for one in outcomes]
        if call.is_effect:
            return self._write(node, call, store, venue)
        return [(0, self._read(call, store), store, venue, None)]

    def _write(self, node: int, call: Call, store: int, venue: int) -> list[tuple[int, Answer, int, int, str | None]]:
        change = call.argument
        writes = change.writes if isinstance(change, Transaction) else (change,)
        after, failed = self.tables.apply(store, writes)
        name = change.name if isinstance(change, Transaction) else "update"
        if failed:
            return [(0, self._refusal(name, failed), store, venue, None)]
        broken = step_laws.broken_by_write(name, self.tables, store, after, who=self._who(node), rules=self.rules)
        made = [(0, self._written(change, after), after, venue, broken)]
        if "reply lost" in self.scenario.habits.faults:
            made.append((1, Answer(("lost",), _unavailable, "done, but the reply is lost"), after, venue, broken))
            if isinstance(change, Update):
                _, refused = self.tables.apply(after, writes)
                if refused:
                    made.append((1, self._refusal(name, refused), after, venue, broken))
        return made

    def _written(self, change: Any, store: int) -> Answer:
        if not isinstance(change, Update):
            return Answer(("done",), lambda: None)
        number, row = self.tables.number_of(store, change.key), self.tables.get(store, change.key)
        return Answer(("row", number), lambda: row)

    def _refusal(self, name: str, failed: tuple[FailedGuard, ...]) -> Answer:
        def make() -> Any:
            raise GuardFailedError(transaction=name, failed=failed)

        names = ", ".join(dict.fromkeys(guard.name for guard in failed))
        rows = tuple(None if guard.row is None else repr(guard.row) for guard in failed)
        return Answer(("refused", names, rows), make, f"refused by {names}")

    def _read(self, call: Call, store: int) -> Answer:
        if call.name in ("get", "begins"):
            row = self.tables.get(store, call.argument)
            if call.name == "begins":
                allowed = bool(getattr(row, "entries_allowed", False))
                return Answer(("begins", allowed), lambda: None, "entries allowed" if allowed else "entries off")
            text = "none" if row is None else str(getattr(row, "state", "there"))
            return Answer(("row", self.tables.number_of(store, call.argument)), lambda: row, text)
        found: Any
        if call.name == "due":
            found = due(self.tables.all(store, Intent), until=call.argument)
        else:
            slots = [slot for slot in self.tables.all(store, Slot) if slot.open_key is not None]
            found = [(slot.market_key, slot.owner_key) for slot in slots] if call.name == "open_slots" else slots
            if call.name != "open_slots":
                found = [slot for slot in self.tables.all(store, Slot) if slot.market_key == call.argument]
        return Answer((call.name, tuple(found)), lambda: found, f"{len(found)}")

    def _after(self, node: int, answer: Answer) -> int:
        here = self.nodes[node]
        assert here.stage is not None
        return self._node(here.stage, (*here.history, answer.key), (*here.answers, answer))

    def root(self, stage: StageKey | None) -> int:
        return DONE if stage is None else self._node(stage, (), ())

    def _node(self, stage: StageKey, history: tuple[Hashable, ...], answers: tuple[Answer, ...]) -> int:
        key = (stage, history)
        number = self._node_ids.get(key)
        if number is not None:
            return number
        script = Script(answers)
        store = ScriptedStore(script, self.scenario.constants)
        ports = Ports(store, ScriptedVenue(script, self.scenario.quote), ScriptedClock(script))
        try:
            following = self.stages.run(stage, ports)
        except Suspended as waiting:
            number = len(self.nodes)
            self.nodes.append(Node(stage, history, answers, waiting.call))
        else:
            number = self.root(following)
        self._node_ids[key] = number
        return number

    def _who(self, node: int) -> str:
        stage = self.nodes[node].stage
        return stage[1] if stage is not None else ""

    def _told(self, node: int, call: Call) -> str:
        stage = self.nodes[node].stage
        assert stage is not None
        who = f"{stage[1]} ({stage[0]})"
        return f"{who}: {laws.told(call)}"

    def waiting(self, node: int) -> bool:
        """Whether a process stands between two invocations (or is finished): it may never go on."""
        return not self.nodes[node].history

    def counts(self) -> Counter[str]:
        """Sizes, for reports."""
        return Counter(
            nodes=len(self.nodes), contents=len(self.tables.contents), venues=len(self.venues), steps=len(self._moves)
        )


def due(intents: list[Intent], *, until: datetime) -> list[str]:
    """What the work index answers."""
    waiting = [
        (intent.next_check_at, intent.intent_id)
        for intent in intents
        if intent.work_key == WORK and intent.next_check_at is not None and intent.next_check_at <= sortable(until)
    ]
    return [intent_id for _, intent_id in sorted(waiting)]


def _sorted(venue: Venue) -> Venue:
    return venue._replace(posts=tuple(sorted(venue.posts)))


def _unavailable() -> Any:
    raise StoreUnavailableError("the reply was lost")
