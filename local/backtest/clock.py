"""The clock of a backtest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(slots=True, kw_only=True)
class SetClock:
    """A clock that shows what it was set to."""

    current: datetime

    def now(self) -> datetime:
        """The moment it was set to."""
        return self.current
