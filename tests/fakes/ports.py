"""Fakes of the small ports: a clock that stands, and an observer, a queue and a workflow that remember."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from surefill.domain.identity import execution_name
from surefill.domain.kinds import Leg
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent
from tests.fakes.rows import TICK


class FakeClock:
    """A clock that stands until moved."""

    def __init__(self, now: datetime = TICK) -> None:
        self.current = now

    def now(self) -> datetime:
        return self.current

    def forward(self, **delta: float) -> None:
        self.current += timedelta(**delta)


@dataclass
class ListObserver:
    """Remembers what was told."""

    events: list[tuple[Reason, dict[str, object]]] = field(default_factory=list)
    metrics: list[tuple[str, float]] = field(default_factory=list)

    def event(self, reason: Reason, **fields: object) -> None:
        self.events.append((reason, fields))

    def metric(self, name: str, value: float, **dimensions: str) -> None:
        self.metrics.append((name, value))

    def reasons(self) -> list[Reason]:
        return [reason for reason, _ in self.events]


@dataclass
class ListQueue:
    """Remembers messages."""

    bodies: list[str] = field(default_factory=list)
    delayed: list[tuple[int, str]] = field(default_factory=list)
    left: int = 0

    def depth(self) -> int:
        return self.left

    def send(self, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
        if delay_seconds:
            self.delayed.extend((delay_seconds, body) for body in bodies)
        else:
            self.bodies.extend(bodies)


@dataclass
class ListWorkflow:
    """Remembers the intents it was started with, by name: a second start of a name is refused."""

    started: dict[str, Intent] = field(default_factory=dict)

    def start(self, intent: Intent) -> bool:
        name = execution_name(intent_id=intent.intent_id, is_exit=intent.leg is Leg.EXIT, tick=intent.tick)
        if name in self.started:
            return False
        self.started[name] = intent
        return True
