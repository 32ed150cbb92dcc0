"""What stands around a drill's stage: its strategies, ears that keep all they hear, chaos on order, and its queue."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from surefill.strategies import STRATEGIES
from surefill.strategies.base import Action, Signal
from tests.simulation.boundary import Fate
from tests.simulation.crash.plan import PlannedChaos
from tests.simulation.functions import Ears
from tests.simulation.strategy import Scripted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from surefill.domain.reasons import Reason
    from surefill.strategies.base import Position, Strategy
    from surefill.strategies.market import MarketView
    from tests.simulation.world import World


class Seller(Scripted):
    """Sells, whatever it has."""

    def __init__(self, params: Mapping[str, object]) -> None:
        super().__init__({"name": "seller", **params})

    def decide(self, market: MarketView, position: Position | None) -> Signal:
        """SELL."""
        return Signal(action=Action.SELL)


ALL_STRATEGIES: Mapping[str, type[Strategy]] = {**STRATEGIES, "scripted": Scripted, "seller": Seller}


@dataclass(slots=True)
class KeenEars(Ears):
    """Keeps what the functions told: every event with its fields, every value of a metric."""

    events: list[tuple[Reason, Mapping[str, object]]] = field(default_factory=list)
    metrics: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def event(self, reason: Reason, **fields: object) -> None:
        """Keep it."""
        Ears.event(self, reason, **fields)
        self.events.append((reason, fields))

    def metric(self, name: str, value: float, **dimensions: str) -> None:
        """Keep it."""
        self.metrics[name].append(value)


class StageChaos(PlannedChaos):
    """Nothing goes wrong, but that side effects whose name begins with `fates` meet the fate given there."""

    def __init__(self) -> None:
        super().__init__({})
        self.fates: dict[str, Fate] = {}
        self.manner = "fine"

    def task(self, function: str) -> str:
        """See cloud.CloudChaos."""
        return self.manner

    def fate(self, name: str) -> Fate:
        """See boundary.Chaos."""
        return next((fate for begin, fate in self.fates.items() if name.startswith(begin)), Fate.FINE)


class Messages:
    """The queue port, into the stage's own queue."""

    def __init__(self, world: World) -> None:
        self._world = world

    def send(self, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
        for body in bodies:
            self._world.kernel.after(delay_seconds, partial(self._world.cloud.send_message, body))
