"""Looks at every single write: money never negative and conserved, states only ever one listed step on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.invariants import Violation
from surefill.domain.kinds import Leg
from surefill.domain.money import ZERO, add
from surefill.domain.rows import Budget, Intent, Slot
from surefill.domain.states import INTENT_TRANSITIONS, SLOT_TRANSITIONS, UNFINISHED, IntentState, SlotState
from surefill.protocol.parts import slot_key_of
from surefill.protocol.transaction import key_of

if TYPE_CHECKING:
    from surefill.domain.rows import Row
    from surefill.protocol.transaction import Key
    from tests.simulation.kernel import Kernel


class Witness:
    """Implements store.Watcher. Keeps what it saw go wrong, and how long things took."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.violations: list[Violation] = []
        self.made_ms: dict[str, int] = {}
        self.finished_ms: dict[str, int] = {}
        self.opened_ms: dict[str, int] = {}
        self.held_ms: dict[str, int] = {}
        self.legs: dict[str, Leg] = {}
        self.resting: set[str] = set()
        self._budget_of: dict[str, str] = {}
        self._off_since: dict[str, int] = {}
        self._frozen: set[Key] = set()

    def changed(self, before: Row | None, after: Row, *, by: str) -> None:
        """See store.Watcher."""
        match after:
            case Budget():
                self._budget(after, by)
            case Slot():
                self._slot(before if isinstance(before, Slot) else None, after, by)
            case Intent():
                self._intent(before if isinstance(before, Intent) else None, after, by)

    def posted(self, client_id: str, *, by_process_since_ms: int) -> None:
        """An order leaves for the venue: no buy may when entries were off before its process had begun (I14)."""
        off_since = self._off_since.get(self._budget_of.get(client_id, ""))
        buys = self.legs.get(client_id) in (Leg.ENTRY, Leg.TRANCHE)
        if buys and off_since is not None and off_since < by_process_since_ms:
            self._accuse("I14", client_id, f"left at {self._kernel.now_ms}, entries are off since {off_since}")

    def _budget(self, after: Budget, by: str) -> None:
        if after.entries_allowed:
            self._off_since.pop(after.budget_id, None)
        else:
            self._off_since.setdefault(after.budget_id, self._kernel.now_ms)
        held = add(after.available, after.reserved, after.deployed)
        if held != add(after.funded, after.realised) or min(after.available, after.reserved, after.deployed) < ZERO:
            self._accuse("I1", after.budget_id, f"{by} left {after}")
        if after.open_positions < 0:
            self._accuse("I3", after.budget_id, f"{by} left {after.open_positions} open positions")

    def _slot(self, before: Slot | None, after: Slot, by: str) -> None:
        source = before.state if before else SlotState.EMPTY
        if after.state is not source and after.state not in SLOT_TRANSITIONS[source]:
            self._accuse("I8", after.owner_key, f"{by} moved the slot from {source} to {after.state}")
        if after.state is SlotState.HELD and source is not SlotState.HELD:
            self.held_ms[f"{after.market_key} {after.owner_key}"] = self._kernel.now_ms
        if after.frozen:
            self._frozen.add(key_of(after))
        else:
            self._frozen.discard(key_of(after))
        if after.quantity < ZERO or after.cost < ZERO:
            self._accuse("I6", after.owner_key, f"{by} left quantity {after.quantity}, cost {after.cost}")
        if after.state is SlotState.OPEN and source is not SlotState.OPEN and after.entry_intent_id:
            self.opened_ms.setdefault(after.entry_intent_id, self._kernel.now_ms)

    def _intent(self, before: Intent | None, after: Intent, by: str) -> None:
        self.legs[after.intent_id] = after.leg
        if after.rests_until is not None:
            self.resting.add(after.intent_id)
        self.made_ms.setdefault(after.intent_id, self._kernel.now_ms)
        self._budget_of[after.intent_id] = after.budget_id
        if before is None:
            if after.leg is not Leg.EXIT and after.budget_id in self._off_since:
                self._accuse("I14", after.intent_id, f"{by} reserved while entries were off")
            if slot_key_of(after) in self._frozen:
                self._accuse("I14", after.intent_id, f"{by} reserved although its position is frozen")
            if after.state is not IntentState.RESERVED:
                self._accuse("I8", after.intent_id, f"{by} created it as {after.state}")
        elif after.state is not before.state and after.state not in INTENT_TRANSITIONS[before.state]:
            self._accuse("I8", after.intent_id, f"{by} moved it from {before.state} to {after.state}")
        if after.state not in UNFINISHED and after.intent_id not in self.finished_ms:
            self.finished_ms[after.intent_id] = self._kernel.now_ms

    def _accuse(self, code: str, subject: str, text: str) -> None:
        self.violations.append(Violation(invariant=code, subject=subject, text=text))
