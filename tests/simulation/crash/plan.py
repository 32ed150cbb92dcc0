"""Adversity by plan: everything works, except at the numbered boundaries that are to fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.simulation.boundary import Fate

MODES = (Fate.BEFORE, Fate.AFTER, Fate.LOST)


@dataclass(slots=True)
class PlannedChaos:
    """Implements cloud.CloudChaos: the n-th boundary of a run meets the fate planned for it, all others none."""

    planned: Mapping[int, Fate]
    armed: bool = False
    met: list[str] = field(default_factory=list)
    calm: bool = False

    def fate(self, name: str) -> Fate:
        """See boundary.Chaos. Boundaries are counted while the plan is armed."""
        if not self.armed:
            return Fate.FINE
        self.met.append(name)
        return self.planned.get(len(self.met) - 1, Fate.FINE)

    def pause(self, name: str) -> float | None:
        """Never."""
        return None

    def read_fails(self, name: str) -> bool:
        """Never."""
        return False

    def stale(self, name: str) -> bool:
        """Never."""
        return False

    def interleaved(self, function: str) -> bool:
        """Never."""
        return False

    def skew_ms(self) -> int:
        """None."""
        return 0

    def deliveries(self, what: str) -> list[float]:
        """Once, at once."""
        return [0.1]

    def task(self, function: str) -> str:
        """Always fine."""
        return "fine"
