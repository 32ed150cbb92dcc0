"""Prices the API has without asking a venue: the bids that the last look at the open positions saw."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from surefill.domain.money import ZERO, multiply, subtract, to_decimal
from surefill.domain.records import ScheduleRow
from surefill.domain.rows import Slot
from surefill.ports import Store

# Named here, because importing the watch would load all of it into the API.
_LOOK = "watch_exits"
# Looks come once a minute; a price older than this says nothing about what a position is worth now.
LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Bids by market key in quote currency, and when they were read; none at all when the last look is too old."""

    bids: Mapping[str, Decimal] = field(default_factory=dict)
    at: datetime | None = None

    def unrealised(self, slot: Slot) -> Decimal | None:
        """What selling the position at the bid would bring above its cost, before fees; None without a price."""
        bid = self.bids.get(slot.market_key)
        if bid is None or slot.quantity <= ZERO:
            return None
        return subtract(multiply(slot.quantity, bid), slot.cost)


def last_prices(store: Store, *, now: datetime) -> Prices:
    """The prices of the last look."""
    row = store.get(ScheduleRow, _LOOK)
    if row is None or now - row.finished_at > LIFETIME:
        return Prices()
    return Prices(bids={key: to_decimal(bid) for key, bid in row.prices.items()}, at=row.finished_at)
