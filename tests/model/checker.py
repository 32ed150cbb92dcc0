"""Breadth first through every state a model can reach; the first state that breaks a law has the shortest story."""

from array import array
from dataclasses import dataclass, field
from itertools import pairwise
from time import perf_counter
from typing import Any

from tests.model import laws
from tests.model.machine import DONE, Machine
from tests.model.scenario import Scenario
from tests.model.settling import Settling
from tests.model.stages import Stages

State = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A broken law and the shortest way to it."""

    law: str
    story: tuple[str, ...]

    def __str__(self) -> str:
        steps = "\n".join(f"  {number}. {step}" for number, step in enumerate(self.story, 1))
        return f"{self.law}\n{steps}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResult:
    """What one model showed."""

    name: str
    states: int
    transitions: int
    crash_points: int
    quiet_states: int
    worst_sweeps: int
    seconds: float
    complete: bool
    violation: Violation | None

    @property
    def violations(self) -> int:
        """0, or 1 for the first that was found."""
        return int(self.violation is not None)


@dataclass(slots=True)
class Checker:
    """One run. `limit` bounds the states (a run that meets it is not complete).

    `only` watches the laws that begin with it and lets all others be broken: so is seen what stands behind what.
    """

    machine: Machine
    limit: int = 10_000_000
    only: str = ""
    liveness: bool = True
    seen: dict[State, int] = field(default_factory=dict)
    order: list[State] = field(default_factory=list)
    parents: "array[int]" = field(default_factory=lambda: array("i"))
    transitions: int = 0
    quiet: int = 0
    _fine: set[Any] = field(default_factory=set)
    _settling: Settling = field(init=False)

    def __post_init__(self) -> None:
        self._settling = Settling(self.machine)

    def run(self) -> ModelResult:
        """Visit everything."""
        began = perf_counter()
        violation = self._search()
        return ModelResult(
            name=self.machine.scenario.name,
            states=len(self.order),
            transitions=self.transitions,
            crash_points=len(self.machine.crash_points),
            quiet_states=self.quiet,
            worst_sweeps=self._settling.worst,
            seconds=perf_counter() - began,
            complete=violation is None and len(self.order) < self.limit,
            violation=violation,
        )

    def _search(self) -> Violation | None:
        first = self.machine.first()
        self.seen[first] = 0
        self.order.append(first)
        self.parents.append(-1)
        position = 0
        while position < len(self.order) and len(self.order) < self.limit:
            state = self.order[position]
            problem = self._problem(state)
            if problem is not None:
                return Violation(law=problem, story=self._story(position))
            broken = self._expand(state, position)
            if broken is not None:
                law, last = broken
                return Violation(law=law, story=(*self._story(position), last))
            position += 1
        return None

    def _problem(self, state: State) -> str | None:
        store, venue, moment = state[:3]
        machine, fine = self.machine, self._fine
        if store not in fine:
            problem = laws.broken_in_tables(machine.tables, store, start=machine.start, only=self.only)
            if problem is not None:
                return problem
            fine.add(store)
        if (store, venue) not in fine:
            problem = laws.broken_with_venue(machine.tables, store, machine.venues[venue], only=self.only)
            if problem is not None:
                return problem
            fine.add((store, venue))
        if self.liveness and not self.only and all(node == DONE or machine.waiting(node) for node in state[5:]):
            self.quiet += 1
            return self._settling.problem(store, venue, moment)
        return None

    def _expand(self, state: State, position: int) -> tuple[str, str] | None:
        """Add what follows; returns a law that one of the steps breaks, with the step."""
        store, venue, moment, crashes, faults = state[:5]
        machine, seen, order, parents = self.machine, self.seen, self.order, self.parents
        made: list[State] = []
        for index in range(5, len(state)):
            node = state[index]
            if node == DONE:
                continue
            moves, sets_store, sets_venue = machine.moves(node, store, venue, moment)
            before, behind = state[5:index], state[index + 1 :]
            for crash, fault, after, store_after, venue_after, text, broken in moves:
                if crash > crashes or fault > faults:
                    continue
                if broken is not None and broken.startswith(self.only):
                    return broken, text
                made.append(
                    (
                        store_after if sets_store else store,
                        venue_after if sets_venue else venue,
                        moment,
                        crashes - crash,
                        faults - fault,
                        *before,
                        after,
                        *behind,
                    )
                )
        for cost, venue_after, _ in machine.events(venue, moment):
            if cost <= faults:
                made.append((store, venue_after, moment, crashes, faults - cost, *state[5:]))
        if moment + 1 < len(machine.scenario.moments):
            made.append((store, machine.tick(venue), moment + 1, *state[3:]))
        self.transitions += len(made)
        for one in made:
            if one not in seen:
                seen[one] = len(order)
                order.append(one)
                parents.append(position)
        return None

    def _story(self, position: int) -> tuple[str, ...]:
        path = [position]
        while self.parents[path[-1]] >= 0:
            path.append(self.parents[path[-1]])
        states = [self.order[index] for index in reversed(path)]
        return tuple(self._step(one, two) for one, two in pairwise(states))

    def _step(self, one: State, two: State) -> str:
        store, venue, moment = one[:3]
        machine = self.machine
        if two[2] != moment:
            return f"the clock moves to {(machine.now(two[2]) - machine.now(0)).total_seconds():.0f} s"
        for index in range(5, len(one)):
            if one[index] == two[index] or one[index] == DONE:
                continue
            moves, sets_store, sets_venue = machine.moves(one[index], store, venue, moment)
            for move in moves:
                stored = move.store if sets_store else store
                at_venue = move.venue if sets_venue else venue
                spent = (one[3] - move.crash, one[4] - move.fault)
                if (stored, at_venue, *spent, move.node) == (two[0], two[1], two[3], two[4], two[index]):
                    return move.text
        for cost, after, text in machine.events(venue, moment):
            if after == two[1] and one[4] - cost == two[4]:
                return text
        raise AssertionError(f"no step leads from {one} to {two}")


def check(
    scenario: Scenario,
    *,
    stages: Stages | None = None,
    without: frozenset[str] = frozenset(),
    limit: int = 10_000_000,
    only: str = "",
) -> ModelResult:
    """Check one model, with the guards named in `without` left out and `only` some laws watched."""
    machine = Machine(scenario, stages=stages or Stages(), without=without)
    return Checker(machine, limit=limit, only=only).run()
