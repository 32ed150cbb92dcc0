"""What one model consists of: rows to begin with, processes, moments of the clock, and what may go wrong how often."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from surefill.domain.candles import Quote
from surefill.domain.rows import Row
from surefill.protocol.transaction import Key
from tests.model.frame import START, SYMBOL, constants
from tests.model.process import StageKey
from tests.model.venue import Habits, Venue

# Seconds after the start. An order sent at 0 is behind its fence after 15; the last moment to send is 25.
MOMENTS = (0, 5, 16, 28, 46, 57)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One model. `crashes` processes may die at any step, `faults` replies and requests may go wrong."""

    name: str
    rows: tuple[Row, ...]
    processes: tuple[StageKey, ...]
    moments: tuple[int, ...] = MOMENTS
    crashes: int = 1
    faults: int = 1
    habits: Habits = field(default_factory=Habits)
    venue: Venue = field(default_factory=Venue)
    constants: Mapping[Key, Row] = field(default_factory=constants)
    bid: Decimal | None = None

    @property
    def quote(self) -> Quote | None:
        """The price the exit watch sees, if any."""
        return None if self.bid is None else Quote(symbol=SYMBOL, bid=self.bid, ask=self.bid, at=START)
