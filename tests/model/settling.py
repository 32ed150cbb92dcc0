"""Liveness: when nothing goes wrong any more, a few sweeps settle whatever state was reached.

Stronger than "a settled state stays reachable": the sweeper alone gets there, on its own, within a bound. Every process
ends after finitely many steps of its own, so it is enough to look at the states in which none is inside an invocation.
"""

from dataclasses import dataclass, field

from tests.model import laws
from tests.model.machine import DONE, Machine
from tests.model.process import StageKey

# Sweeps of a minute each: behind the fence, absent once, absent twice; a resting order is cancelled, then booked.
PATIENCE = 6
_SWEEP: StageKey = ("reconcile", "the sweeper", 1)


@dataclass(slots=True)
class Settling:
    """Carries states on without faults and says which never come to rest."""

    machine: Machine
    worst: int = 0
    _known: dict[tuple[int, int, int], str | None] = field(default_factory=dict)

    def problem(self, store: int, venue: int, moment: int) -> str | None:
        """Why a state does not settle, or None."""
        key = (store, venue, moment)
        if key not in self._known:
            self._known[key] = self._carry_on(store, venue, moment)
        return self._known[key]

    def _carry_on(self, store: int, venue: int, moment: int) -> str | None:
        sweeps = 0
        problem = self._problem(store, venue)
        while (problem is not None or self.machine.venues[venue].requests) and sweeps < PATIENCE:
            moment, sweeps = moment + 1, sweeps + 1
            venue = self._arrived(self.machine.tick(venue), moment)
            store, venue = self._sweep(store, venue, moment)
            problem = self._problem(store, venue)
        self.worst = max(self.worst, sweeps)
        return None if problem is None else f"{problem} (after {sweeps} sweeps without faults)"

    def _problem(self, store: int, venue: int) -> str | None:
        tables = self.machine.tables
        broken = laws.broken_in_tables(tables, store, start=self.machine.start)
        return broken or laws.unsettled(tables, store, self.machine.venues[venue])

    def _arrived(self, venue: int, moment: int) -> int:
        """What hung in the network arrives at last; a minute later the window has refused it, if there is one."""
        here = self.machine.venues[venue]
        while here.requests:
            waiting = len(here.requests)
            events = self.machine.market.events(here, self.machine.now(moment))
            here = next(after for _, _, after in events if len(after.requests) < waiting)
        return self.machine.venue_id(here)

    def _sweep(self, store: int, venue: int, moment: int) -> tuple[int, int]:
        node = self.machine.root(_SWEEP)
        while node != DONE:
            moves, sets_store, sets_venue = self.machine.moves(node, store, venue, moment)
            move = next(one for one in moves if not one.crash and not one.fault)
            node = move.node
            store = move.store if sets_store else store
            venue = move.venue if sets_venue else venue
        return store, venue
