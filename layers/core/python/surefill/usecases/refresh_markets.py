"""Refresh markets: once a day copy every venue's trading rules, one row per symbol, so no trade has to ask for them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.records import ScheduleRow
from surefill.ports import Clock, Observer, Store, Venues

SCHEDULE = "refresh_markets"


def refresh_markets(
    *, tick: datetime, names: Sequence[str], store: Store, venues: Venues, clock: Clock, observer: Observer
) -> Mapping[str, int]:
    """Fetch and store the rules of all symbols; returns how many per venue (a venue that failed is left out)."""
    counts: dict[str, int] = {}
    for venue in names:
        try:
            rules = venues.market_data(venue).market_rules(None, now=clock.now())
        except VenueError as error:
            observer.event(error.reason, venue=venue, error=str(error))
            continue
        for row in rules:
            store.replace(row)
        counts[venue] = len(rules)
        observer.event(Reason.TICK, tick=tick, schedule=SCHEDULE, venue=venue, markets=len(rules))
    store.replace(
        ScheduleRow(
            schedule_name=SCHEDULE,
            last_tick=tick,
            finished_at=clock.now(),
            counts={venue: str(count) for venue, count in counts.items()},
        )
    )
    return counts
