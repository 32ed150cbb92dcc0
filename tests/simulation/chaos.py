"""Random adversity of one seed: how often each thing goes wrong is itself drawn, so seeds differ in temper."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from tests.simulation.boundary import Fate

_STORE_FATES = (Fate.BEFORE, Fate.AFTER, Fate.LOST, Fate.RESENT, Fate.REFUSED, Fate.REFUSED)
_VENUE_FATES = (Fate.BEFORE, Fate.AFTER, Fate.LOST)
_ENTER_FATES = (Fate.BEFORE, Fate.AFTER, Fate.LOST)
# Seconds a process stands still: mostly a moment, sometimes longer than a receive window, an order or a time limit.
_PAUSES = (0.0, 0.0, 0.0, 0.01, 0.2, 1.0, 3.0, 6.0, 12.0, 30.0)
_SKEWS_MS = (0, 0, 0, 400, -400, 900, -2_000, 3_000, -4_500, 30_000, -30_000, 90_000, -90_000)


@dataclass(slots=True)
class RandomChaos:
    """Implements cloud.CloudChaos. `calm` switches everything off, for the end of a seed."""

    random: Random
    calm: bool = False
    fired: Counter[str] = field(default_factory=Counter)
    fault_rate: float = 0.0
    pause_rate: float = 0.0
    interleave_rate: float = 0.0
    stale_rate: float = 0.0
    delivery_rate: float = 0.0
    skew: int = 0

    @classmethod
    def drawn(cls, random: Random) -> "RandomChaos":
        """The temper of a seed."""
        return cls(
            random=random,
            fault_rate=random.choice((0.0, 0.004, 0.01, 0.02, 0.05)),
            pause_rate=random.choice((0.0, 0.05, 0.15, 0.4)),
            interleave_rate=random.choice((0.0, 0.2, 0.5, 1.0)),
            stale_rate=random.choice((0.0, 0.05, 0.3)),
            delivery_rate=random.choice((0.0, 0.05, 0.15)),
            skew=random.choice(_SKEWS_MS),
        )

    def stop(self) -> None:
        """From now on nothing goes wrong any more."""
        self.calm = True
        self.skew = 0

    def fate(self, name: str) -> Fate:
        """See boundary.Chaos."""
        if self.calm or self.random.random() >= self.fault_rate:
            return Fate.FINE
        _, _, what = name.partition(" ")
        kind = what.partition(".")[0] if "." in what else what.partition(":")[0]
        fates = {"venue": _VENUE_FATES, "enter": _ENTER_FATES}.get(kind, _STORE_FATES)
        fate = self.random.choice(fates)
        self.fired[f"{kind} {fate}"] += 1
        return fate

    def pause(self, name: str) -> float | None:
        """See boundary.Chaos."""
        if self.calm or self.random.random() >= self.pause_rate:
            return None
        return self.random.choice(_PAUSES)

    def read_fails(self, name: str) -> bool:
        """See boundary.Chaos."""
        return self._hit(self.fault_rate / 4, "store read refused")

    def stale(self, name: str) -> bool:
        """See boundary.Chaos."""
        return self._hit(self.stale_rate, "stale index read")

    def interleaved(self, function: str) -> bool:
        """See cloud.CloudChaos."""
        return not self.calm and self.random.random() < self.interleave_rate

    def skew_ms(self) -> int:
        """See cloud.CloudChaos: one clock for all functions of a run."""
        return self.skew

    def deliveries(self, what: str) -> list[float]:
        """See cloud.CloudChaos."""
        on_time = self.random.random() * 2
        if self.calm or self.random.random() >= self.delivery_rate:
            return [on_time]
        kind = self.random.choice(("twice", "thrice", "late", "again_late", "missed"))
        self.fired[f"{what} {kind}"] += 1
        match kind:
            case "twice":
                return [on_time, self.random.random() * 40]
            case "thrice":
                return [on_time, on_time, self.random.random() * 200]
            case "late":
                return [self.random.choice((10.0, 50.0, 70.0, 400.0))]
            case "again_late":
                return [on_time, self.random.choice((80.0, 900.0, 7_200.0))]
            case _:
                return []

    def task(self, function: str) -> str:
        """See cloud.CloudChaos."""
        if self.calm or self.random.random() >= self.fault_rate * 2:
            return "fine"
        manner = self.random.choice(("twice", "not_started", "reply_lost"))
        self.fired[f"task {manner}"] += 1
        return manner

    def _hit(self, rate: float, kind: str) -> bool:
        if self.calm or self.random.random() >= rate:
            return False
        self.fired[kind] += 1
        return True
